//! Groups of a user.

use serde_json::{Value, json};

use super::{page, removed, user, user_mut};
use crate::exchange::Reply;
use crate::oidc::error::Refusal;
use crate::oidc::state::Realm;
use crate::passage::Call;

/// `GET users/{id}/groups`.
pub fn list(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    let groups = user(realm, call)?.groups.iter();
    let shown = groups.filter_map(|id| {
        let name = realm.groups.get(id)?;
        let shown: Value = json!({ "id": id, "name": name, "path": format!("/{name}") });
        Some(shown)
    });
    page::cut(shown, &realm.settings, call)
}

/// `PUT users/{id}/groups/{group}`.
pub fn join(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    let group = call.argument(2).to_owned();
    if !realm.groups.contains_key(&group) {
        return Err(Refusal::new(404, "Group not found"));
    }
    let reply = Reply::empty(204);
    Ok(match user_mut(realm, call)?.groups.insert(group) {
        true => reply,
        false => reply.unchanged(),
    })
}

/// `DELETE users/{id}/groups/{group}`.
pub fn leave(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    if !realm.groups.contains_key(call.argument(2)) {
        return Err(Refusal::new(404, "Group not found"));
    }
    let was_in = user_mut(realm, call)?.groups.remove(call.argument(2));
    removed(was_in, &realm.settings)
}
