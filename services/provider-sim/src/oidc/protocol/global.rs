//! Global token revocation (draft-parecki-oauth-global-token-revocation).

use serde_json::Value;

use crate::exchange::Reply;
use crate::oidc::error::Refusal;
use crate::oidc::routes::ROUTES;
use crate::oidc::settings::SubjectMember;
use crate::oidc::state::Realm;
use crate::passage::{Call, Instance as _};

/// `POST global-token-revocation`.
pub fn revoke(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    let Some(member) = realm.settings.global_token_revocation else {
        return Err(Realm::refusal(404));
    };
    let own = ROUTES
        .iter()
        .find(|route| route.operation == "revoke_everything");
    let own = own.expect("this handler has a route");
    realm.administrator(own, call)?;
    let status = realm.settings.unconfirmed.global_token_revocation;
    if status != 204 {
        return Err(Realm::refusal(status));
    }
    let malformed = Refusal::oauth(400, "invalid_request", "the subject is malformed");
    let body: Value = serde_json::from_slice(&call.body).map_err(|_| malformed.clone())?;
    let taken = match member {
        SubjectMember::SubId => body.get("sub_id").is_some(),
        SubjectMember::Subject => body.get("subject").is_some(),
        SubjectMember::Either => true,
    };
    let subject = subject_of(&body).filter(|_| taken).ok_or(malformed)?;
    let user = realm.find_user(&subject);
    let user = user.ok_or(Refusal::new(404, "User not found"))?;
    Ok(match realm.revoke_everything(&user) {
        true => Reply::empty(204),
        false => Reply::empty(204).unchanged(),
    })
}

/// The identifier in `sub_id` or `subject` (RFC 9493).
pub fn subject_of(body: &Value) -> Option<String> {
    let subject = body.get("sub_id").or_else(|| body.get("subject"))?;
    let name = match subject.get("format")?.as_str()? {
        "email" => "email",
        "opaque" => "id",
        "iss_sub" => "sub",
        _ => return None,
    };
    subject.get(name)?.as_str().map(str::to_owned)
}
