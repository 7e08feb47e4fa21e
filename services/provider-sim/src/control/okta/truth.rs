//! What is really so, for tests to judge by: no paging, no lag, no permission.

use serde_json::{Value, json};

use crate::clock::iso;
use crate::control::{Answer, Refusal};
use crate::exchange::Reply;
use crate::okta::Org;
use crate::okta::state::{Status, User};

/// `GET state`: counts.
pub fn summary(org: &Org, now_ms: i64) -> Reply {
    let users = org.users.values();
    let with_status = |status: Status| {
        org.users
            .values()
            .filter(|user| user.status() == status)
            .count()
    };
    Reply::json(
        200,
        &json!({
            "users": org.users.len(),
            "active": with_status(Status::Active),
            "suspended": with_status(Status::Suspended),
            "deprovisioned": with_status(Status::Deprovisioned),
            "deleted": org.deleted.len(),
            "groups": org.groups.len(),
            "apps": org.apps.len(),
            "devices": org.devices.len(),
            "api_tokens": org.api_tokens.len(),
            "sessions": users.map(|user| u64::from(user.sessions)).sum::<u64>(),
            "log_events": org.events.last_seq(),
            "now": iso(now_ms),
        }),
    )
}

/// `GET state/users`: who there is.
pub fn users(org: &Org) -> Reply {
    let users: Vec<Value> = org
        .users
        .values()
        .map(|user| json!({ "id": user.id, "login": user.core.login(), "status": user.status().as_str() }))
        .collect();
    Reply::json(200, &json!({ "users": users }))
}

/// `GET state/users/{user}`: everything about one user. One who was deleted is `{"exists": false}`.
pub fn user(org: &Org, name: &str, now_ms: i64) -> Answer {
    let Some(user) = org.find_user(name).and_then(|id| org.users.get(&id)) else {
        return match org.deleted.contains(name) {
            true => Ok(Reply::json(
                200,
                &json!({ "id": name, "exists": false, "live": [] }),
            )),
            false => Err(Refusal::not_found(&format!("the user {name:?}"))),
        };
    };
    let mut value = account(user);
    for (member, part) in [
        ("clients", clients(user)),
        ("api_tokens", api_tokens(org, user)),
        ("roles", roles(org, user)),
        ("groups", groups(org, user)),
        ("apps", apps(org, user, now_ms)),
        (
            "factors",
            user.factors
                .values()
                .map(|factor| json!({ "id": factor.id, "type": factor.kind }))
                .collect(),
        ),
        ("devices", devices(org, user)),
        ("idps", json!(user.idps)),
        ("linked_objects", json!(user.linked)),
        ("owns_groups", owned(org, user)),
        ("live", json!(live(org, user, now_ms))),
    ] {
        value[member] = part;
    }
    Ok(Reply::json(200, &value))
}

fn account(user: &User) -> Value {
    json!({
        "id": user.id,
        "exists": true,
        "login": user.core.login(),
        "email": user.core.profile_text("email"),
        "status": user.status().as_str(),
        "transitioning": user.transition.is_some(),
        "sessions": user.sessions,
        "remembered_devices": user.remembered_devices,
    })
}

/// What still gives access, one word and count each; empty when nothing does. What only hangs on a deactivated account
/// (Everyone, groups that apps own, factors) is not in it.
fn live(org: &Org, user: &User, now_ms: i64) -> Vec<String> {
    let own_tokens = org
        .api_tokens
        .values()
        .filter(|token| token.user == user.id)
        .count();
    let tokens = user
        .clients
        .values()
        .flat_map(|client| client.tokens.values());
    let grants = user
        .clients
        .values()
        .flat_map(|client| client.grants.values());
    let counts = [
        ("account", usize::from(user.status().can_act())),
        ("sessions", user.sessions as usize),
        ("tokens", tokens.filter(|token| !token.revoked).count()),
        ("grants", grants.filter(|grant| !grant.revoked).count()),
        ("api_tokens", own_tokens),
        ("roles", user.roles.len() + org.inherited_roles(user).len()),
        ("groups", org.removable_groups(user).count()),
        ("apps", org.apps_of(user, now_ms).len()),
    ];
    counts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| format!("{name}:{count}"))
        .collect()
}

fn clients(user: &User) -> Value {
    let client = |(id, access): (&String, &crate::okta::state::ClientAccess)| {
        let tokens: Vec<Value> = access
            .tokens
            .values()
            .map(|token| json!({ "id": token.id, "revoked": token.revoked, "server": token.server, "expires_at": iso(token.expires_at) }))
            .collect();
        let grants: Vec<Value> = access
            .grants
            .values()
            .map(|grant| json!({ "id": grant.id, "revoked": grant.revoked, "scope": grant.scope }))
            .collect();
        json!({ "client_id": id, "name": access.name, "tokens": tokens, "grants": grants })
    };
    user.clients.iter().map(client).collect()
}

fn api_tokens(org: &Org, user: &User) -> Value {
    let own = org
        .api_tokens
        .values()
        .filter(|token| token.user == user.id);
    own.map(|token| json!({ "id": token.id, "name": token.name }))
        .collect()
}

fn roles(org: &Org, user: &User) -> Value {
    let own = user
        .roles
        .values()
        .map(|role| json!({ "id": role.id, "type": role.kind, "assignment": "USER" }));
    let inherited = org.inherited_roles(user).into_iter();
    let inherited = inherited
        .map(|(group, role)| json!({ "id": role.id, "type": role.kind, "assignment": "GROUP", "group": group }));
    own.chain(inherited).collect()
}

fn groups(org: &Org, user: &User) -> Value {
    let groups = org.groups_of(user).filter_map(|id| org.groups.get(id));
    groups
        .map(|group| json!({ "id": group.id, "name": group.name, "type": group.kind.as_str() }))
        .collect()
}

fn apps(org: &Org, user: &User, now_ms: i64) -> Value {
    let apps = org.apps_of(user, now_ms).into_iter();
    apps.map(|(app, found)| {
        let scope = if found.direct { "USER" } else { "GROUP" };
        json!({ "id": app.id, "label": app.label, "scope": scope, "groups": found.groups })
    })
    .collect()
}

fn devices(org: &Org, user: &User) -> Value {
    let devices = user.devices.iter().filter_map(|id| org.devices.get(id));
    devices.map(|device| json!({ "id": device.id, "status": device.status, "users": device.users.len() })).collect()
}

fn owned(org: &Org, user: &User) -> Value {
    org.groups
        .values()
        .filter(|group| group.owners.contains(&user.id))
        .map(|group| json!(group.id))
        .collect()
}
