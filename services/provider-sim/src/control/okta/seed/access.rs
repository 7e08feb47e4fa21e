//! What hangs on a seeded user.

use super::document::{SeedApiToken, SeedClient, SeedFactor, SeedMembership, SeedRole, SeedUser};
use super::names::{app, group, idp, rule, user};
use super::plant::plant_device;
use crate::clock::parse_iso;
use crate::control::Refusal;
use crate::okta::state::{
    ApiToken, Assignment, ClientAccess, Factor, Grant, Org, RefreshToken, Role, Via,
};

const DAY_MS: i64 = 24 * 3600 * 1000;

/// Gives the user `id` all that `seed` lists; what is listed must exist.
pub fn plant_access(org: &mut Org, id: &str, seed: &SeedUser, now_ms: i64) -> Result<(), Refusal> {
    plant_memberships(org, id, seed, now_ms)?;
    for name in &seed.apps {
        plant_assignment(org, id, name, now_ms)?;
    }
    seed.api_tokens
        .iter()
        .try_for_each(|token| plant_api_token(org, id, token, now_ms))?;
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

/// Groups the user is in, and groups they own.
fn plant_memberships(org: &mut Org, id: &str, seed: &SeedUser, now_ms: i64) -> Result<(), Refusal> {
    for membership in &seed.groups {
        let (name, via) = match membership {
            SeedMembership::Group(name) => (name, Via::Direct),
            SeedMembership::ByRule { group, rule: name } => (group, Via::Rule(rule(org, name)?)),
        };
        let group = group(org, name)?;
        org.join_group(id, &group, via, now_ms);
    }
    for owned in &seed.owns_groups {
        let group = group(org, owned)?;
        if let Some(group) = org.groups.get_mut(&group) {
            group.owners.insert(id.to_owned());
        }
    }
    Ok(())
}

fn plant_api_token(
    org: &mut Org,
    id: &str,
    seed: &SeedApiToken,
    now_ms: i64,
) -> Result<(), Refusal> {
    let token = ApiToken {
        id: seed.id.clone().unwrap_or_else(|| org.new_id("00T")),
        name: seed.name.clone(),
        user: id.to_owned(),
        client_name: seed
            .client_name
            .clone()
            .unwrap_or_else(|| "Okta API".into()),
        created: now_ms,
        secret: seed.secret.clone(),
        app: seed.app.as_ref().map(|name| app(org, name)).transpose()?,
    };
    org.api_tokens.insert(token.id.clone(), token);
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

/// The role assignment that `seed` describes.
pub fn role_of(org: &mut Org, seed: &SeedRole) -> Role {
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
        target_groups: seed.target_groups.clone(),
        target_apps: seed.target_apps.clone(),
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
