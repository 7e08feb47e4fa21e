//! The realm itself. What ends everybody's access is here so that a client that calls it is seen to.

use serde_json::json;

use crate::exchange::Reply;
use crate::oidc::error::Refusal;
use crate::oidc::state::Realm;
use crate::passage::Call;

/// `GET /admin/realms/{realm}`.
pub fn get(realm: &mut Realm, _: &Call) -> Result<Reply, Refusal> {
    let settings = &realm.settings;
    Ok(Reply::json(
        200,
        &json!({
            "realm": realm.name,
            "enabled": true,
            "notBefore": realm.not_before_s,
            "accessTokenLifespan": settings.access_token_lifetime_s,
        }),
    ))
}

/// `POST logout-all`: every session of everybody.
pub fn log_out_everybody(realm: &mut Realm, _: &Call) -> Result<Reply, Refusal> {
    let ended = realm.end_sessions(|session| !session.offline);
    let reply = Reply::json(200, &json!({ "successRequests": [] }));
    Ok(if ended > 0 { reply } else { reply.unchanged() })
}

/// `POST push-revocation`: tells clients of the realm's `notBefore`.
pub fn push_revocation(_: &mut Realm, _: &Call) -> Result<Reply, Refusal> {
    Ok(Reply::json(200, &json!({ "successRequests": [] })).unchanged())
}
