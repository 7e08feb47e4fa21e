//! Sessions of a user.

use serde_json::{Value, json};

use super::user;
use crate::exchange::Reply;
use crate::oidc::error::Refusal;
use crate::oidc::state::{Realm, Session};
use crate::passage::Call;

/// `POST users/{id}/logout`.
pub fn log_out(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    user(realm, call)?;
    let changed = realm.log_out(call.argument(1), call.now_ms);
    let reply = Reply::empty(204);
    Ok(if changed { reply } else { reply.unchanged() })
}

/// `GET users/{id}/sessions`.
pub fn list(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    user(realm, call)?;
    let sessions = realm.sessions_of(call.argument(1), false);
    let shown: Vec<Value> = sessions.map(|session| shown(realm, session)).collect();
    Ok(Reply::json(200, &shown))
}

/// `GET users/{id}/offline-sessions/{client}`.
pub fn list_offline(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    user(realm, call)?;
    let client = call.argument(2);
    super::client(realm, client)?;
    let sessions = realm.sessions_of(call.argument(1), true);
    let of_client = sessions.filter(|session| session.clients.contains(client));
    let shown: Vec<Value> = of_client.map(|session| shown(realm, session)).collect();
    Ok(Reply::json(200, &shown))
}

/// `DELETE sessions/{id}?isOffline=`.
pub fn delete(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    let offline = call.parameter("isOffline") == Some("true");
    if offline && realm.settings.unconfirmed.offline_session_delete == 404 {
        return Err(Refusal::new(404, "Session not found"));
    }
    let id = call.argument(1);
    match realm.end_sessions(|session| session.id == id && session.offline == offline) {
        0 => Err(Refusal::new(404, "Session not found")),
        _ => Ok(Reply::empty(204)),
    }
}

/// A session as it is answered.
pub fn shown(realm: &Realm, session: &Session) -> Value {
    let name = |uuid: &String| {
        let client = realm.clients.get(uuid);
        client.map(|client| client.client_id.clone())
    };
    let clients: serde_json::Map<String, Value> = session
        .clients
        .iter()
        .map(|uuid| (uuid.clone(), json!(name(uuid))))
        .collect();
    let user = realm.users.get(&session.user);
    json!({
        "id": session.id,
        "userId": session.user,
        "username": user.map(|user| &user.username),
        "ipAddress": "192.0.2.1",
        "start": session.started_ms,
        "lastAccess": session.started_ms,
        "rememberMe": false,
        "clients": clients,
    })
}
