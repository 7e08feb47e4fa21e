//! Roles of a user: of the realm, and of clients.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{body, removed, user, user_mut};
use crate::exchange::Reply;
use crate::oidc::error::Refusal;
use crate::oidc::state::Realm;
use crate::passage::Call;

/// `GET users/{id}/role-mappings`.
pub fn list(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    let user = user(realm, call)?;
    let mut shown = json!({});
    let of_realm: Vec<Value> = user
        .realm_roles
        .iter()
        .map(|id| json!({ "id": id, "name": realm.roles.get(id), "clientRole": false }))
        .collect();
    if !of_realm.is_empty() {
        shown["realmMappings"] = json!(of_realm);
    }
    for (uuid, roles) in &user.client_roles {
        let Some(client) = realm.clients.get(uuid).filter(|_| !roles.is_empty()) else {
            continue;
        };
        let mappings: Vec<Value> = roles
            .iter()
            .map(|name| json!({ "id": format!("{uuid}/{name}"), "name": name, "clientRole": true }))
            .collect();
        let name = client.client_id.as_str();
        shown["clientMappings"][name] = json!({ "id": uuid, "client": name, "mappings": mappings });
    }
    Ok(Reply::json(200, &shown))
}

/// `GET groups/{id}/role-mappings`: what is mapped to the group itself.
pub fn of_group(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    let group = group(realm, call)?;
    let mut shown = json!({});
    let of_realm = realm.group_roles.get(group).into_iter().flatten();
    let of_realm: Vec<Value> = of_realm.map(|id| of_the_realm(realm, id)).collect();
    if !of_realm.is_empty() {
        shown["realmMappings"] = json!(of_realm);
    }
    for (uuid, roles) in realm.group_client_roles.get(group).into_iter().flatten() {
        if let Some(client) = realm.clients.get(uuid) {
            let name = client.client_id.as_str();
            let mappings: Vec<Value> = roles.iter().map(|role| of_a_client(uuid, role)).collect();
            shown["clientMappings"][name] =
                json!({ "id": uuid, "client": name, "mappings": mappings });
        }
    }
    Ok(Reply::json(200, &shown))
}

/// `GET groups/{id}/role-mappings/realm/composite`: the group's realm roles with those that they contain.
pub fn of_group_whole(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    let roles = realm.group_roles.get(group(realm, call)?);
    let roles = roles.into_iter().flatten();
    let shown: Vec<Value> = roles.map(|id| of_the_realm(realm, id)).collect();
    Ok(Reply::json(200, &shown))
}

/// `GET groups/{id}/role-mappings/clients/{client}/composite`: the group's roles of a client, and those that its realm roles
/// contain.
pub fn of_group_at_client(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    let group = group(realm, call)?;
    let client = super::client(realm, call.argument(2))?.uuid.as_str();
    let direct = realm.group_client_roles.get(group);
    let roles = realm.group_roles.get(group).into_iter().flatten();
    let contained = roles.filter_map(|id| realm.composites.get(id));
    let all = direct.into_iter().chain(contained);
    let names: BTreeSet<&String> = all.filter_map(|it| it.get(client)).flatten().collect();
    let shown: Vec<Value> = names
        .into_iter()
        .map(|name| of_a_client(client, name))
        .collect();
    Ok(Reply::json(200, &shown))
}

fn group<'a>(realm: &Realm, call: &'a Call) -> Result<&'a str, Refusal> {
    let group = call.argument(1);
    match realm.groups.contains_key(group) {
        true => Ok(group),
        false => Err(Refusal::new(404, "Could not find group by id")),
    }
}

fn of_the_realm(realm: &Realm, id: &str) -> Value {
    let composite = realm.composites.contains_key(id);
    json!({ "id": id, "name": realm.roles.get(id), "composite": composite, "clientRole": false })
}

fn of_a_client(uuid: &str, name: &str) -> Value {
    json!({ "id": format!("{uuid}/{name}"), "name": name, "composite": false, "clientRole": true, "containerId": uuid })
}

/// `POST users/{id}/role-mappings/realm`.
pub fn add_realm(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    let ids = named(call, "id")?;
    if ids.iter().any(|id| !realm.roles.contains_key(id)) {
        return Err(Refusal::new(404, "Role not found"));
    }
    user_mut(realm, call)?.realm_roles.extend(ids);
    Ok(Reply::empty(204))
}

/// `DELETE users/{id}/role-mappings/realm`.
pub fn remove_realm(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    let ids = named(call, "id")?;
    if ids.iter().any(|id| !realm.roles.contains_key(id)) {
        return Err(Refusal::new(404, "Role not found"));
    }
    let held = &mut user_mut(realm, call)?.realm_roles;
    let before = held.len();
    held.retain(|id| !ids.contains(id));
    let was_there = held.len() != before;
    removed(was_there, &realm.settings)
}

/// `POST users/{id}/role-mappings/clients/{client}`.
pub fn add_client(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    let names = named(call, "name")?;
    let client = super::client(realm, call.argument(2))?.uuid.clone();
    let roles = &mut user_mut(realm, call)?.client_roles;
    roles.entry(client).or_default().extend(names);
    Ok(Reply::empty(204))
}

/// `DELETE users/{id}/role-mappings/clients/{client}`.
pub fn remove_client(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    let names = named(call, "name")?;
    let client = super::client(realm, call.argument(2))?.uuid.clone();
    let roles = &mut user_mut(realm, call)?.client_roles;
    let held = roles.entry(client).or_default();
    let before = held.len();
    held.retain(|name| !names.contains(name));
    let was_there = held.len() != before;
    removed(was_there, &realm.settings)
}

/// The roles in the body; each must carry its id and its name.
fn named(call: &Call, member: &str) -> Result<Vec<String>, Refusal> {
    const REFUSED: Refusal = Refusal::oauth(400, "unknown_error", "a role needs id and name");
    let body = body(call)?;
    let roles = body.as_array().ok_or(REFUSED)?;
    roles
        .iter()
        .map(|role| {
            let whole = role["id"].is_string() && role["name"].is_string();
            let text = role[member].as_str().filter(|_| whole);
            text.map(str::to_owned).ok_or(REFUSED)
        })
        .collect()
}
