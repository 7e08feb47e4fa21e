//! Revocation (RFC 7009): 200 for whatever is not alive afterwards, known before or not.

use super::client_authentication::{authenticated, field};
use crate::exchange::Reply;
use crate::oidc::error::Refusal;
use crate::oidc::settings::Foreign;
use crate::oidc::state::Realm;
use crate::passage::{Call, Instance as _};

/// `POST revoke`.
pub fn revoke(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    if !realm.settings.revocation {
        return Err(Realm::refusal(404));
    }
    let form = call.form();
    let client = authenticated(realm, call, &form)?;
    let secret = field(&form, "token");
    if secret.is_empty() {
        return Err(Refusal::oauth(400, "invalid_request", "token: is missing"));
    }
    let done = Reply::empty(200);
    let owner = realm.tokens.get(secret).map(|token| &token.client);
    if owner.is_some_and(|owner| *owner != client) {
        return match realm.settings.unconfirmed.foreign_token {
            Foreign::Ignored => Ok(done.unchanged()),
            Foreign::Refused => Err(Refusal::oauth(
                400,
                "invalid_grant",
                "the token is another client's",
            )),
        };
    }
    Ok(match realm.revoke(secret) {
        true => done,
        false => done.unchanged(),
    })
}
