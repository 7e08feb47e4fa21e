//! What is really so of an app: its assignments, credentials, tokens and hooks.

use serde_json::{Value, json};

use super::seed::names;
use crate::control::Answer;
use crate::exchange::Reply;
use crate::okta::Org;
use crate::okta::state::{App, HookKind};

/// `GET state/apps`: which there are.
pub fn apps(org: &Org) -> Reply {
    let apps = org.apps.values();
    let apps: Vec<Value> = apps
        .map(|app| json!({ "id": app.id, "label": app.label, "active": app.active }))
        .collect();
    Reply::json(200, &json!({ "apps": apps }))
}

/// `GET state/apps/{app}`, by id or label. One that does not exist has `exists: false`, and still shows what outlives
/// an app: access tokens, hooks and SSWS tokens.
pub fn app(org: &Org, name: &str, now_ms: i64) -> Answer {
    let id = names::app(org, name).unwrap_or_else(|_| name.to_owned());
    let found = org.apps.get(&id);
    let mut value = found.map_or_else(|| json!({ "id": id, "exists": false }), account);
    value["live"] = json!(live(org, found, &id, now_ms));
    Ok(Reply::json(200, &value))
}

fn account(app: &App) -> Value {
    let client = &app.client;
    let secrets = client.secrets.values();
    let keys = client.keys.values();
    let grants = client.grants.values();
    let secrets = secrets.map(|secret| json!({ "id": secret.id, "active": secret.active }));
    let keys = keys.map(|key| json!({ "id": key.id, "kid": key.kid, "active": key.active }));
    let grants = grants.map(|grant| json!({ "id": grant.id, "scope": grant.scope }));
    json!({
        "id": app.id,
        "exists": true,
        "label": app.label,
        "active": app.active,
        "client_id": client.client_id,
        "groups": app.groups,
        "users": app.users,
        "secrets": secrets.collect::<Vec<_>>(),
        "keys": keys.collect::<Vec<_>>(),
        "grants": grants.collect::<Vec<_>>(),
        "roles": client.roles.keys().collect::<Vec<_>>(),
        "provisioning": client.provisioning,
    })
}

/// What still gives access, one word and count each; empty when nothing does. The last secret, or the last key of an app
/// that needs one, is not in it once the app is off: no call takes it away, and nothing accepts it.
fn live(org: &Org, app: Option<&App>, id: &str, now_ms: i64) -> Vec<String> {
    let client_id = app.map_or(id, |app| app.client.client_id.as_str());
    let access_tokens = org.access_tokens.values();
    let access_tokens =
        access_tokens.filter(|token| token.client_id == client_id && now_ms < token.expires_at);
    let users = org.users.values();
    let held = users.filter_map(|user| user.clients.get(client_id));
    let refresh_tokens = held
        .flat_map(|access| access.tokens.values())
        .filter(|token| !token.revoked);
    let hooks = |kind: HookKind| {
        let hooks = org.hooks.values().filter(|hook| hook.kind == kind);
        hooks
            .filter(|hook| hook.active && hook.app.as_deref() == Some(id))
            .count()
    };
    let api_tokens = org.api_tokens.values();
    let api_tokens = api_tokens.filter(|token| token.app.as_deref() == Some(id));
    let of_app = |count: fn(&App) -> usize| app.map_or(0, count);
    let counts = [
        ("app", of_app(|app| usize::from(app.active))),
        ("tokens", refresh_tokens.count()),
        ("access_tokens", access_tokens.count()),
        ("grants", of_app(|app| app.client.grants.len())),
        ("roles", of_app(|app| app.client.roles.len())),
        ("secrets", of_app(secrets)),
        ("keys", of_app(keys)),
        ("groups", of_app(|app| app.groups.len())),
        ("users", of_app(|app| app.users.len())),
        (
            "provisioning",
            of_app(|app| usize::from(app.client.provisioning == Some(true))),
        ),
        ("event_hooks", hooks(HookKind::Event)),
        ("inline_hooks", hooks(HookKind::Inline)),
        ("api_tokens", api_tokens.count()),
    ];
    let counts = counts.iter().filter(|(_, count)| *count > 0);
    counts
        .map(|(name, count)| format!("{name}:{count}"))
        .collect()
}

fn secrets(app: &App) -> usize {
    let unavoidable = usize::from(!app.active);
    app.client.active_secrets().saturating_sub(unavoidable)
}

fn keys(app: &App) -> usize {
    let unavoidable = usize::from(!app.active && app.client.needs_key());
    app.client.active_keys().saturating_sub(unavoidable)
}
