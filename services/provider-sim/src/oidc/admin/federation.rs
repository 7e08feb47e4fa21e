//! Links of a user to identity providers.

use serde_json::{Value, json};

use super::{user, user_mut};
use crate::exchange::Reply;
use crate::oidc::error::Refusal;
use crate::oidc::state::Realm;
use crate::passage::Call;

/// `GET users/{id}/federated-identity`.
pub fn list(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    let links = &user(realm, call)?.federated;
    let shown: Vec<Value> = links
        .iter()
        .map(|(alias, id)| json!({ "identityProvider": alias, "userId": id, "userName": id }))
        .collect();
    Ok(Reply::json(200, &shown))
}

/// `DELETE users/{id}/federated-identity/{alias}`: 404 where there is none.
pub fn unlink(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    let link = user_mut(realm, call)?.federated.remove(call.argument(2));
    link.ok_or(Refusal::new(404, "Link not found"))?;
    Ok(Reply::empty(204))
}
