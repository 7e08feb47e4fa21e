//! Puts apps with their credentials, and hooks, into an org.

use std::collections::BTreeSet;

use super::access::role_of;
use super::app_document::{SeedApp, SeedHook};
use super::names::{app, group};
use crate::control::Refusal;
use crate::okta::state::{App, Client, Hook, HookKind, Key, Org, ScopeGrant, Secret};

/// Plants an app; its groups must exist.
pub fn plant_app(org: &mut Org, seed: &SeedApp, now_ms: i64) -> Result<(), Refusal> {
    let id = seed.id.clone().unwrap_or_else(|| org.new_id("0oa"));
    let client = client_of(org, seed, &id, now_ms);
    let groups = seed.groups.iter().map(|name| group(org, name));
    let groups: BTreeSet<String> = groups.collect::<Result<_, _>>()?;
    let plain_name = || seed.label.to_lowercase().replace(' ', "_");
    let mode = || "OPENID_CONNECT".to_owned();
    let app = App {
        id: id.clone(),
        name: seed.name.clone().unwrap_or_else(plain_name),
        label: seed.label.clone(),
        sign_on_mode: seed.sign_on_mode.clone().unwrap_or_else(mode),
        active: !seed.inactive,
        keeps_on_deactivate: seed.keeps_on_deactivate,
        created: now_ms,
        last_updated: now_ms,
        groups,
        users: BTreeSet::new(),
        client,
    };
    org.apps.insert(id, app);
    Ok(())
}

/// Plants a hook; its app must exist.
pub fn plant_hook(
    org: &mut Org,
    kind: HookKind,
    seed: &SeedHook,
    now_ms: i64,
) -> Result<(), Refusal> {
    let prefix = match kind {
        HookKind::Event => "who",
        HookKind::Inline => "cal",
    };
    let hook = Hook {
        id: seed.id.clone().unwrap_or_else(|| org.new_id(prefix)),
        kind,
        name: seed.name.clone(),
        uri: seed.uri.clone(),
        events: seed.events.clone(),
        active: !seed.inactive,
        created: now_ms,
        app: seed.app.as_ref().map(|name| app(org, name)).transpose()?,
    };
    org.hooks.insert(hook.id.clone(), hook);
    Ok(())
}

fn client_of(org: &mut Org, seed: &SeedApp, app_id: &str, now_ms: i64) -> Client {
    let method = seed.auth_method.clone();
    let mut client = Client {
        client_id: seed.client_id.clone().unwrap_or_else(|| app_id.to_owned()),
        auth_method: method.unwrap_or_else(|| "client_secret_basic".into()),
        redirect_uris: seed.redirect_uris.clone(),
        provisioning: seed.provisioning.then_some(true),
        ..Client::default()
    };
    for seed in &seed.secrets {
        let secret = Secret {
            id: seed.id.clone().unwrap_or_else(|| org.new_id("ocs")),
            value: seed.secret.clone().unwrap_or_else(|| org.dice.text(40)),
            active: !seed.inactive,
            created: now_ms,
        };
        client.secrets.insert(secret.id.clone(), secret);
    }
    for seed in &seed.keys {
        let id = seed.id.clone().unwrap_or_else(|| org.new_id("pks"));
        let key = Key {
            kid: seed.kid.clone().unwrap_or_else(|| id.clone()),
            usage: if seed.encryption { "enc" } else { "sig" }.to_owned(),
            active: !seed.inactive,
            created: now_ms,
            id,
        };
        client.keys.insert(key.id.clone(), key);
    }
    for scope in &seed.grants {
        let grant = ScopeGrant {
            id: org.new_id("oag"),
            scope: scope.clone(),
            created_by: "00uadministrator0000".into(),
            created: now_ms,
        };
        client.grants.insert(grant.id.clone(), grant);
    }
    for seed in &seed.roles {
        let role = role_of(org, seed);
        client.roles.insert(role.id.clone(), role);
    }
    client
}
