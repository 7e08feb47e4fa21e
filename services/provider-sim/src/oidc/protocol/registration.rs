//! Management of a registered client (RFC 7592); after its end, and for a wrong token, 401.

use serde_json::json;

use crate::exchange::Reply;
use crate::oidc::error::Refusal;
use crate::oidc::state::Realm;
use crate::passage::Call;

/// `GET register/{client}`.
pub fn get(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    let uuid = managed(realm, call)?;
    let client = &realm.clients[&uuid];
    let body = json!({
        "client_id": client.client_id,
        "client_name": client.name,
        "redirect_uris": client.redirect_uris,
        "registration_client_uri": format!("{}/register/{}", call.base, client.client_id),
    });
    Ok(Reply::json(200, &body))
}

/// `DELETE register/{client}`.
pub fn delete(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    let uuid = managed(realm, call)?;
    realm.delete_client(&uuid);
    Ok(Reply::empty(204))
}

fn managed(realm: &Realm, call: &Call) -> Result<String, Refusal> {
    const REFUSED: Refusal = Refusal::oauth(401, "invalid_token", "the registration is not valid");
    let client = realm.client_named(call.argument(0)).ok_or(REFUSED)?;
    let token = client.registration_token.as_deref().ok_or(REFUSED)?;
    match call.bearer() == Some(token) {
        true => Ok(client.uuid.clone()),
        false => Err(REFUSED),
    }
}
