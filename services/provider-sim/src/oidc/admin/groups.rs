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
    let shown = groups.filter_map(|id| brief(realm, id));
    page::cut(shown, &realm.settings, call)
}

/// `GET groups`: the topmost.
pub fn all(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    let topmost = realm.groups.keys();
    let topmost = topmost.filter(|id| !realm.group_parents.contains_key(*id));
    let shown = topmost.filter_map(|id| whole(realm, id));
    page::cut(shown, &realm.settings, call)
}

/// `GET groups/{id}`.
pub fn get(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    let shown = whole(realm, call.argument(1));
    shown
        .map(|group| Reply::json(200, &group))
        .ok_or(Refusal::new(404, "Could not find group by id"))
}

/// `GET group-by-path/{path}`; the path of a group three levels down is as much as can be asked for.
pub fn by_path(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    let wanted: String = (1..call.arguments.len())
        .map(|at| format!("/{}", call.argument(at)))
        .collect();
    let found = realm.groups.keys();
    let mut found = found.filter(|id| realm.group_path(id) == wanted);
    let shown = found.next().and_then(|id| whole(realm, id));
    shown
        .map(|group| Reply::json(200, &group))
        .ok_or(Refusal::new(404, "Group path does not exist"))
}

fn brief(realm: &Realm, id: &str) -> Option<Value> {
    let name = realm.groups.get(id)?;
    let mut shown = json!({ "id": id, "name": name, "path": realm.group_path(id) });
    let parent = realm.group_parents.get(id);
    if let Some(parent) = parent.filter(|_| realm.settings.unconfirmed.group_parent_id) {
        shown["parentId"] = json!(parent);
    }
    Some(shown)
}

fn whole(realm: &Realm, id: &str) -> Option<Value> {
    let mut shown = brief(realm, id)?;
    let below = realm.group_parents.values();
    shown["subGroupCount"] = json!(below.filter(|parent| *parent == id).count());
    shown["subGroups"] = json!([]);
    Some(shown)
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
