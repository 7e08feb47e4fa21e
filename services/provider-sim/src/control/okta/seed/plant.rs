//! Puts a seed document into an org.

use serde_json::{Value, json};

use super::document::{
    SeedApp, SeedClient, SeedDevice, SeedDocument, SeedFactor, SeedGroup, SeedMembership, SeedRole,
    SeedRule, SeedUser,
};
use crate::clock::parse_iso;
use crate::control::{Answer, Refusal};
use crate::exchange::Reply;
use crate::okta::state::{
    ApiToken, App, Assignment, ClientAccess, Core, Device, Factor, Grant, Group, GroupRule, Idp,
    LinkedDefinition, Org, RefreshToken, Role, Status, User, Via,
};

const DAY_MS: i64 = 24 * 3600 * 1000;

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

fn plant_app(org: &mut Org, seed: &SeedApp, now_ms: i64) -> Result<(), Refusal> {
    let id = seed.id.clone().unwrap_or_else(|| org.new_id("0oa"));
    let app = App {
        id: id.clone(),
        name: seed
            .name
            .clone()
            .unwrap_or_else(|| seed.label.to_lowercase().replace(' ', "_")),
        label: seed.label.clone(),
        sign_on_mode: seed
            .sign_on_mode
            .clone()
            .unwrap_or_else(|| "OPENID_CONNECT".into()),
        active: !seed.inactive,
        keeps_on_deactivate: seed.keeps_on_deactivate,
        created: now_ms,
        last_updated: now_ms,
        groups: seed
            .groups
            .iter()
            .map(|name| group(org, name))
            .collect::<Result<_, _>>()?,
        users: std::collections::BTreeSet::new(),
    };
    org.apps.insert(id, app);
    Ok(())
}

fn plant_device(
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

fn plant_access(org: &mut Org, id: &str, seed: &SeedUser, now_ms: i64) -> Result<(), Refusal> {
    for membership in &seed.groups {
        let (name, via) = match membership {
            SeedMembership::Group(name) => (name, Via::Direct),
            SeedMembership::ByRule { group, rule: name } => (group, Via::Rule(rule(org, name)?)),
        };
        let group = group(org, name)?;
        org.join_group(id, &group, via, now_ms);
    }
    for name in &seed.apps {
        plant_assignment(org, id, name, now_ms)?;
    }
    for owned in &seed.owns_groups {
        let group = group(org, owned)?;
        if let Some(group) = org.groups.get_mut(&group) {
            group.owners.insert(id.to_owned());
        }
    }
    for token in &seed.api_tokens {
        let token = ApiToken {
            id: token.id.clone().unwrap_or_else(|| org.new_id("00T")),
            name: token.name.clone(),
            user: id.to_owned(),
            client_name: token
                .client_name
                .clone()
                .unwrap_or_else(|| "Okta API".into()),
            created: now_ms,
            secret: token.secret.clone(),
        };
        org.api_tokens.insert(token.id.clone(), token);
    }
    seed.devices
        .iter()
        .try_for_each(|device| plant_device(org, device, Some(id), now_ms))?;
    let clients = seed
        .clients
        .iter()
        .map(|client| Ok((client.client_id.clone(), client_of(org, client, now_ms)?)));
    let clients: Vec<(String, ClientAccess)> = clients.collect::<Result<_, Refusal>>()?;
    let roles: Vec<Role> = seed.roles.iter().map(|role| role_of(org, role)).collect();
    let factors: Vec<Factor> = seed
        .factors
        .iter()
        .map(|factor| factor_of(org, factor))
        .collect();
    let idps: Vec<String> = seed
        .idps
        .iter()
        .map(|name| idp(org, name))
        .collect::<Result<_, _>>()?;
    let linked = seed
        .linked
        .iter()
        .map(|(relation, name)| Ok((relation.clone(), user(org, name)?)));
    let linked: Vec<(String, String)> = linked.collect::<Result<_, Refusal>>()?;
    let planted = org
        .users
        .get_mut(id)
        .ok_or_else(|| Refusal::not_found(id))?;
    planted.sessions += seed.sessions;
    planted.remembered_devices += u32::from(seed.sessions > 0);
    planted.clients.extend(clients);
    planted
        .roles
        .extend(roles.into_iter().map(|role| (role.id.clone(), role)));
    planted.factors.extend(
        factors
            .into_iter()
            .map(|factor| (factor.id.clone(), factor)),
    );
    planted.idps.extend(idps);
    planted.linked.extend(linked);
    Ok(())
}

fn plant_assignment(org: &mut Org, id: &str, name: &str, now_ms: i64) -> Result<(), Refusal> {
    let app = app(org, name)?;
    let user_name = org
        .users
        .get(id)
        .map(|user| user.core.login().to_owned())
        .unwrap_or_default();
    if let (Some(app), Some(user)) = (org.apps.get_mut(&app), org.users.get_mut(id)) {
        app.users.insert(id.to_owned());
        let assignment = Assignment {
            created: now_ms,
            user_name,
            profile: serde_json::Map::new(),
        };
        user.apps.insert(app.id.clone(), assignment);
    }
    Ok(())
}

fn client_of(org: &mut Org, seed: &SeedClient, now_ms: i64) -> Result<ClientAccess, Refusal> {
    let mut access = ClientAccess {
        name: seed.name.clone(),
        ..ClientAccess::default()
    };
    for token in &seed.tokens {
        let expires_at = match &token.expires_at {
            None => now_ms + 90 * DAY_MS,
            Some(text) => parse_iso(text)
                .ok_or_else(|| Refusal(400, format!("expires_at: {text} is not ISO 8601")))?,
        };
        let token = RefreshToken {
            id: token.id.clone().unwrap_or_else(|| org.new_id("oar")),
            server: token.server.clone(),
            scopes: token.scopes.clone(),
            created: now_ms,
            expires_at,
            revoked: token.revoked,
        };
        access.tokens.insert(token.id.clone(), token);
    }
    for grant in &seed.grants {
        let grant = Grant {
            id: grant.id.clone().unwrap_or_else(|| org.new_id("oag")),
            server: grant.server.clone(),
            scope: grant.scope.clone(),
            created: now_ms,
            revoked: false,
        };
        access.grants.insert(grant.id.clone(), grant);
    }
    Ok(access)
}

fn role_of(org: &mut Org, seed: &SeedRole) -> Role {
    let custom = seed.kind == "CUSTOM";
    Role {
        id: seed
            .id
            .clone()
            .unwrap_or_else(|| org.new_id(if custom { "irb" } else { "ra1" })),
        kind: seed.kind.clone(),
        label: crate::okta::label_of_role(&seed.kind),
        custom_role: seed.role.clone(),
        resource_set: seed.resource_set.clone(),
    }
}

fn factor_of(org: &mut Org, seed: &SeedFactor) -> Factor {
    let prefix = match seed.kind.as_str() {
        "push" => "opf",
        "webauthn" => "fwf",
        "sms" => "mbl",
        _ => "ost",
    };
    Factor {
        id: seed.id.clone().unwrap_or_else(|| org.new_id(prefix)),
        kind: seed.kind.clone(),
        provider: seed.provider.clone().unwrap_or_else(|| "OKTA".into()),
    }
}

fn user(org: &Org, name: &str) -> Result<String, Refusal> {
    org.find_user(name)
        .ok_or_else(|| Refusal::not_found(&format!("the user {name:?}")))
}

fn group(org: &Org, name: &str) -> Result<String, Refusal> {
    let named = || {
        org.groups
            .values()
            .find(|group| group.name == name)
            .map(|group| group.id.clone())
    };
    let found = if org.groups.contains_key(name) {
        Some(name.to_owned())
    } else {
        named()
    };
    found.ok_or_else(|| Refusal::not_found(&format!("the group {name:?}")))
}

fn app(org: &Org, name: &str) -> Result<String, Refusal> {
    let labelled = || {
        org.apps
            .values()
            .find(|app| app.label == name)
            .map(|app| app.id.clone())
    };
    let found = if org.apps.contains_key(name) {
        Some(name.to_owned())
    } else {
        labelled()
    };
    found.ok_or_else(|| Refusal::not_found(&format!("the app {name:?}")))
}

fn rule(org: &Org, name: &str) -> Result<String, Refusal> {
    let found = org
        .rules
        .values()
        .find(|rule| rule.id == name || rule.name == name);
    found
        .map(|rule| rule.id.clone())
        .ok_or_else(|| Refusal::not_found(&format!("the rule {name:?}")))
}

fn idp(org: &Org, name: &str) -> Result<String, Refusal> {
    let found = org
        .idps
        .values()
        .find(|idp| idp.id == name || idp.name == name);
    found
        .map(|idp| idp.id.clone())
        .ok_or_else(|| Refusal::not_found(&format!("the identity provider {name:?}")))
}
