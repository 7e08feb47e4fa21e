//! Credentials of a user.

use serde_json::{Value, json};

use super::{removed, user, user_mut};
use crate::exchange::Reply;
use crate::oidc::error::Refusal;
use crate::oidc::state::Realm;
use crate::passage::Call;

/// `GET users/{id}/credentials`.
pub fn list(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    let credentials = &user(realm, call)?.credentials;
    let shown: Vec<Value> = credentials
        .iter()
        .map(|(id, kind)| json!({ "id": id, "type": kind, "credentialData": "{}" }))
        .collect();
    Ok(Reply::json(200, &shown))
}

/// `DELETE users/{id}/credentials/{credential}`.
pub fn delete(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    let user = user_mut(realm, call)?;
    let was_there = user.credentials.remove(call.argument(2)).is_some();
    removed(was_there, &realm.settings)
}
