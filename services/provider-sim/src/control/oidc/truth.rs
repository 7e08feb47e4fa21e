//! What is really so, for tests to judge by: no paging, no permission.

use serde_json::{Value, json};

use crate::control::{Answer, Refusal};
use crate::exchange::Reply;
use crate::oidc::Realm;
use crate::oidc::state::{Token, TokenKind};

/// `GET state`: counts.
pub fn summary(realm: &Realm) -> Reply {
    let enabled = realm.users.values().filter(|user| user.enabled);
    let offline = realm.sessions.values().filter(|session| session.offline);
    Reply::json(
        200,
        &json!({
            "users": realm.users.len(),
            "enabled": enabled.count(),
            "deleted": realm.deleted.len(),
            "clients": realm.clients.len(),
            "sessions": realm.sessions.len(),
            "offline_sessions": offline.count(),
            "tokens": realm.tokens.len(),
        }),
    )
}

/// `GET state/users`: who there is.
pub fn users(realm: &Realm) -> Reply {
    let users: Vec<Value> = realm
        .users
        .values()
        .map(|user| json!({ "id": user.id, "login": user.username, "enabled": user.enabled }))
        .collect();
    Reply::json(200, &json!({ "users": users }))
}

/// `GET state/users/{user}`. One who was deleted is `{"exists": false}`. `residual` counts access tokens that whoever
/// checks them alone still takes.
pub fn user(realm: &Realm, name: &str, now_ms: i64) -> Answer {
    let found = realm.find_user(name).and_then(|id| realm.users.get(&id));
    let Some(user) = found else {
        return match realm.deleted.contains(name) {
            true => {
                let body = json!({ "id": name, "exists": false, "live": [] });
                Ok(Reply::json(200, &body))
            }
            false => Err(Refusal::not_found(&format!("the user {name:?}"))),
        };
    };
    let of_user = |token: &&Token| token.user.as_deref() == Some(&user.id);
    let renewing = realm.tokens.values().filter(of_user).filter(|token| {
        token.kind != TokenKind::Access && user.enabled && realm.works(token, now_ms)
    });
    let access = realm.tokens.values().filter(of_user).filter(|token| {
        token.kind == TokenKind::Access && !token.revoked && now_ms < token.expires_ms
    });
    let counts = [
        ("account", usize::from(user.enabled)),
        ("sessions", realm.sessions_of(&user.id, false).count()),
        (
            "offline_sessions",
            realm.sessions_of(&user.id, true).count(),
        ),
        ("tokens", renewing.count()),
        ("consents", user.consents.len()),
        ("roles", user.role_count()),
        ("groups", user.groups.len()),
        ("federated", user.federated.len()),
    ];
    let body = json!({
        "id": user.id,
        "exists": true,
        "login": user.username,
        "email": user.email,
        "first_name": user.first_name,
        "attributes": user.attributes,
        "enabled": user.enabled,
        "not_before": user.not_before_s,
        "credentials": user.credentials.len(),
        "residual": access.count(),
        "live": live(&counts),
    });
    Ok(Reply::json(200, &body))
}

/// `GET state/clients/{client}`: an integration. `secret` is its present one.
pub fn client(realm: &Realm, name: &str, now_ms: i64) -> Answer {
    let Some(client) = realm
        .find_client(name)
        .and_then(|id| realm.clients.get(&id))
    else {
        let mut deleted = realm.deleted_clients.iter();
        let was_there = deleted.any(|(client_id, uuid)| client_id == name || uuid == name);
        return match was_there {
            true => {
                let body = json!({ "id": name, "exists": false, "live": [] });
                Ok(Reply::json(200, &body))
            }
            false => Err(Refusal::not_found(&format!("the client {name:?}"))),
        };
    };
    let uuid = &client.uuid;
    let tokens = realm.tokens.values().filter(|token| {
        token.client == *uuid && token.kind != TokenKind::Access && realm.works(token, now_ms)
    });
    let of_client = |offline: bool| {
        let sessions = realm.sessions.values();
        sessions
            .filter(|session| session.offline == offline && session.clients.contains(uuid))
            .count()
    };
    let service = client.service_account.as_ref();
    let service = service.and_then(|id| realm.users.get(id));
    let counts = [
        ("account", usize::from(client.enabled)),
        ("sessions", of_client(false)),
        ("offline_sessions", of_client(true)),
        ("tokens", tokens.count()),
        (
            "service_account",
            service.map_or(0, |user| usize::from(user.enabled)),
        ),
        ("roles", service.map_or(0, |user| user.role_count())),
    ];
    let body = json!({
        "id": uuid,
        "exists": true,
        "client_id": client.client_id,
        "enabled": client.enabled,
        "secret": client.secret,
        "not_before": client.not_before_s,
        "live": live(&counts),
    });
    Ok(Reply::json(200, &body))
}

/// What still gives access, one word and count each; empty when nothing does.
fn live(counts: &[(&str, usize)]) -> Vec<String> {
    counts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| format!("{name}:{count}"))
        .collect()
}
