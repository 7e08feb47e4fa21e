//! Groups of a user, all groups, and who is in one.

use serde_json::{Value, json};

use super::{page, removed, user, user_mut, users};
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

/// `GET groups`.
pub fn all(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    let shown = realm.groups.iter().map(|(id, name)| {
        json!({ "id": id, "name": name, "path": format!("/{name}"), "subGroupCount": 0, "subGroups": [] })
    });
    page::cut(shown, &realm.settings, call)
}

/// `GET groups/{id}/members`.
pub fn members(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    let group = call.argument(1);
    if !realm.groups.contains_key(group) {
        return Err(Refusal::new(404, "Could not find group by id"));
    }
    let found = realm.users.values();
    let found = found.filter(|user| user.groups.contains(group));
    let shown = found.map(|user| users::shown(user, &realm.settings));
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
