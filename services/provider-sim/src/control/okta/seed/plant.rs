//! Puts a seed document into an org.

use serde_json::{Value, json};

use super::access::{plant_access, role_of};
use super::document::{SeedDevice, SeedDocument, SeedGroup, SeedRule, SeedUser};
use super::names::{group, user};
use super::plant_app::{plant_app, plant_hook};
use crate::control::{Answer, Refusal};
use crate::exchange::Reply;
use crate::okta::state::{
    Core, Device, Group, GroupRule, HookKind, Idp, LinkedDefinition, Org, Status, User,
};

/// Answers with the users that were planted. A document that names something unknown is refused at that place; what came
/// before it stays.
pub fn plant(org: &mut Org, document: &SeedDocument, now_ms: i64) -> Answer {
    let users = sow(org, document, now_ms)?;
    // A directory was there before anybody looked.
    org.settle_search();
    Ok(Reply::json(
        200,
        &json!({ "users": users.iter().map(|id| introduction(org, id)).collect::<Vec<_>>() }),
    ))
}

/// Plants `document` and returns the ids of its users, in its order.
fn sow(org: &mut Org, document: &SeedDocument, now_ms: i64) -> Result<Vec<String>, Refusal> {
    // Users first and bare: groups name them as owners, devices as users, links as managers.
    let users: Vec<String> = document
        .users
        .iter()
        .map(|seed| plant_user(org, seed, now_ms))
        .collect::<Result<_, _>>()?;
    document
        .groups
        .iter()
        .try_for_each(|seed| plant_group(org, seed, now_ms))?;
    document
        .rules
        .iter()
        .try_for_each(|seed| plant_rule(org, seed, now_ms))?;
    document
        .apps
        .iter()
        .try_for_each(|seed| plant_app(org, seed, now_ms))?;
    for (kind, hooks) in [
        (HookKind::Event, &document.event_hooks),
        (HookKind::Inline, &document.inline_hooks),
    ] {
        hooks
            .iter()
            .try_for_each(|seed| plant_hook(org, kind, seed, now_ms))?;
    }
    for seed in &document.idps {
        let id = seed.id.clone().unwrap_or_else(|| org.new_id("0oa"));
        let idp = Idp {
            id: id.clone(),
            kind: seed.kind.clone(),
            name: seed.name.clone(),
            created: now_ms,
        };
        org.idps.insert(id, idp);
    }
    for seed in &document.linked_objects {
        let linked = LinkedDefinition {
            primary: seed.primary.clone(),
            associated: seed.associated.clone(),
        };
        org.linked.push(linked);
    }
    for seed in &document.devices {
        plant_device(org, seed, None, now_ms)?;
    }
    for (id, seed) in users.iter().zip(&document.users) {
        plant_access(org, id, seed, now_ms)?;
    }
    Ok(users)
}

/// What a caller needs to know of a user to write an HR directory.
fn introduction(org: &Org, id: &str) -> Value {
    let Some(user) = org.users.get(id) else {
        return Value::Null;
    };
    let core = &user.core;
    json!({
        "id": id,
        "login": core.login(),
        "email": core.profile_text("email"),
        "first_name": core.profile_text("firstName"),
        "last_name": core.profile_text("lastName"),
        "status": core.status.as_str(),
    })
}

fn plant_user(org: &mut Org, seed: &SeedUser, now_ms: i64) -> Result<String, Refusal> {
    if let Some(id) = seed.id.as_ref().filter(|id| org.users.contains_key(*id)) {
        return Ok(id.clone());
    }
    if seed.login.is_empty() {
        return Err(Refusal(400, "users[].login: is missing".into()));
    }
    if org.logins.contains_key(&seed.login.to_lowercase()) {
        return Err(Refusal(
            409,
            format!("users[].login: {} is taken", seed.login),
        ));
    }
    let id = seed.id.clone().unwrap_or_else(|| org.new_id("00u"));
    let mut profile = seed.profile.clone();
    let email = seed.email.as_ref().unwrap_or(&seed.login);
    for (name, value) in [
        ("login", &seed.login),
        ("email", email),
        ("firstName", &seed.first_name),
        ("lastName", &seed.last_name),
    ] {
        profile.insert(name.to_owned(), json!(value));
    }
    let core = Core {
        status: seed.status,
        created: now_ms,
        activated: (seed.status != Status::Staged).then_some(now_ms),
        status_changed: now_ms,
        last_login: None,
        last_updated: now_ms,
        password_changed: (!seed.no_password).then_some(now_ms),
        profile,
        provider_type: seed.provider.clone().unwrap_or_else(|| "OKTA".into()),
        provider_name: seed.provider.clone().unwrap_or_else(|| "OKTA".into()),
    };
    org.insert_user(User::new(&id, core), now_ms);
    Ok(id)
}

fn plant_group(org: &mut Org, seed: &SeedGroup, now_ms: i64) -> Result<(), Refusal> {
    let id = seed.id.clone().unwrap_or_else(|| org.new_id("00g"));
    let mut group = Group::new(&id, &seed.name, seed.kind, now_ms);
    for role in &seed.roles {
        let role = role_of(org, role);
        group.roles.insert(role.id.clone(), role);
    }
    for owner in &seed.owners {
        group.owners.insert(user(org, owner)?);
    }
    org.groups.insert(id, group);
    Ok(())
}

fn plant_rule(org: &mut Org, seed: &SeedRule, now_ms: i64) -> Result<(), Refusal> {
    let id = seed.id.clone().unwrap_or_else(|| org.new_id("0pr"));
    let rule = GroupRule {
        id: id.clone(),
        name: seed.name.clone(),
        active: true,
        expression: seed.expression.clone(),
        excluded: seed
            .excluded
            .iter()
            .map(|name| user(org, name))
            .collect::<Result<_, _>>()?,
        groups: seed
            .groups
            .iter()
            .map(|name| group(org, name))
            .collect::<Result<_, _>>()?,
        created: now_ms,
        last_updated: now_ms,
    };
    org.rules.insert(id, rule);
    Ok(())
}

/// Plants a device; `owner` is a user of it beside those it names.
pub fn plant_device(
    org: &mut Org,
    seed: &SeedDevice,
    owner: Option<&str>,
    now_ms: i64,
) -> Result<(), Refusal> {
    let id = seed.id.clone().unwrap_or_else(|| org.new_id("guo"));
    let mut users: std::collections::BTreeSet<String> = seed
        .users
        .iter()
        .map(|name| user(org, name))
        .collect::<Result<_, _>>()?;
    users.extend(owner.map(str::to_owned));
    for user in &users {
        if let Some(user) = org.users.get_mut(user) {
            user.devices.insert(id.clone());
        }
    }
    let device = Device {
        id: id.clone(),
        name: seed.name.clone(),
        platform: seed.platform.clone().unwrap_or_else(|| "MACOS".into()),
        status: seed.status.clone().unwrap_or_else(|| "ACTIVE".into()),
        created: now_ms,
        last_updated: now_ms,
        users,
    };
    org.devices.insert(id, device);
    Ok(())
}
