//! Roles of the realm and of clients, and who holds them.

use std::collections::BTreeSet;

use serde_json::json;

use super::{client, page, users};
use crate::exchange::Reply;
use crate::oidc::error::Refusal;
use crate::oidc::state::{Realm, User};
use crate::passage::Call;

/// `GET roles`.
pub fn list(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    let roles = realm.roles.iter();
    let shown = roles.map(
        |(id, name)| json!({ "id": id, "name": name, "clientRole": false, "composite": false }),
    );
    page::cut(shown, &realm.settings, call)
}

/// `GET roles/{name}/users`: who holds it directly, service accounts among them.
pub fn users(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    let name = call.argument(1);
    let id = realm.roles.iter().find(|(_, role)| *role == name);
    let id = id.ok_or(Refusal::new(404, "Could not find role"))?.0;
    holding(realm, call, |user| user.realm_roles.contains(id))
}

/// `GET clients/{id}/roles`.
pub fn of_client(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    let uuid = &client(realm, call.argument(1))?.uuid;
    let names: BTreeSet<&String> = realm
        .users
        .values()
        .filter_map(|user| user.client_roles.get(uuid))
        .flatten()
        .collect();
    let shown = names.into_iter().map(|name| {
        json!({ "id": format!("{uuid}/{name}"), "name": name, "clientRole": true, "containerId": uuid })
    });
    page::cut(shown, &realm.settings, call)
}

/// `GET clients/{id}/roles/{name}/users`.
pub fn users_of_client(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    let uuid = &client(realm, call.argument(1))?.uuid;
    let name = call.argument(2);
    holding(realm, call, |user| {
        user.client_roles
            .get(uuid)
            .is_some_and(|roles| roles.iter().any(|role| role == name))
    })
}

fn holding(realm: &Realm, call: &Call, holds: impl Fn(&User) -> bool) -> Result<Reply, Refusal> {
    let found = realm.users.values().filter(|user| holds(user));
    let shown = found.map(|user| users::shown(user, &realm.settings));
    page::cut(shown, &realm.settings, call)
}
