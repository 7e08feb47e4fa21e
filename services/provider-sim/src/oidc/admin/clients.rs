//! Clients.

use serde_json::{Value, json};

use super::{body, client, grown, page, sessions as session_shapes, users};
use crate::exchange::Reply;
use crate::oidc::error::Refusal;
use crate::oidc::settings::{PutUser, Settings};
use crate::oidc::state::{Authentication, Client, Realm};
use crate::passage::Call;

/// `GET clients?clientId=&search=&first=&max=`; with a `clientId` alone, Keycloak does not know `first` and `max`.
pub fn list(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    let settings = &realm.settings;
    let wanted = call.parameter("clientId");
    let part = call.parameter("search") == Some("true");
    let fits = |client: &&Client| {
        settings.ignore_filter
            || wanted.is_none_or(|wanted| match part {
                true => client.client_id.contains(wanted),
                false => client.client_id == wanted,
            })
    };
    let found = realm.clients.values().filter(fits);
    let found = found.map(|client| shown(client, settings));
    if wanted.is_some() && !part && !settings.ignore_filter {
        return Ok(Reply::json(200, &found.collect::<Vec<Value>>()));
    }
    page::cut(found, settings, call)
}

/// `GET clients/{id}`.
pub fn get(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    let client = client(realm, call.argument(1))?;
    Ok(Reply::json(200, &shown(client, &realm.settings)))
}

/// `PUT clients/{id}`.
pub fn update(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    let sent = body(call)?;
    let keeps = realm.settings.unconfirmed.put_client == PutUser::Merge;
    let uuid = client(realm, call.argument(1))?.uuid.clone();
    let client = realm
        .clients
        .get_mut(&uuid)
        .ok_or(Refusal::new(404, "Could not find client"))?;
    let before = shown(client, &Settings::default());
    match sent["name"].as_str() {
        Some(name) => name.clone_into(&mut client.name),
        None if keeps => {}
        None => client.name.clear(),
    }
    if let Some(secret) = sent["secret"].as_str() {
        secret.clone_into(&mut client.secret);
    }
    if let Some(not_before_s) = sent["notBefore"].as_i64() {
        client.not_before_s = not_before_s;
    }
    match sent["redirectUris"].as_array() {
        Some(uris) => {
            let uris = uris.iter().filter_map(Value::as_str);
            client.redirect_uris = uris.map(str::to_owned).collect();
        }
        None if keeps => {}
        None => client.redirect_uris.clear(),
    }
    let was_enabled = client.enabled;
    client.enabled = sent["enabled"].as_bool().unwrap_or(was_enabled);
    let (enabled, after) = (client.enabled, shown(client, &Settings::default()));
    if was_enabled && !enabled {
        realm.after_disabling_client(&uuid);
    }
    let reply = Reply::empty(204);
    Ok(if before == after {
        reply.unchanged()
    } else {
        reply
    })
}

/// `DELETE clients/{id}`.
pub fn delete(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    client(realm, call.argument(1))?;
    realm.delete_client(call.argument(1));
    Ok(Reply::empty(204))
}

/// `POST clients/{id}/client-secret`: a new secret, at once instead of the old one.
pub fn rotate_secret(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    client(realm, call.argument(1))?;
    let secret = realm.new_secret();
    if let Some(client) = realm.clients.get_mut(call.argument(1)) {
        client.secret.clone_from(&secret);
    }
    let body = json!({ "type": "secret", "value": secret });
    Ok(Reply::json(200, &body))
}

/// `GET clients/{id}/service-account-user`.
pub fn service_account(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    const NONE: Refusal = Refusal::oauth(
        400,
        "unknown_error",
        "Service account not enabled for the client",
    );
    let client = client(realm, call.argument(1))?;
    let user = client.service_account.as_ref();
    let user = user.and_then(|id| realm.users.get(id)).ok_or(NONE)?;
    Ok(Reply::json(200, &users::shown(user, &realm.settings)))
}

/// `GET clients/{id}/user-sessions`.
pub fn sessions(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    sessions_of(realm, call, false)
}

/// `GET clients/{id}/offline-sessions`.
pub fn offline_sessions(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    sessions_of(realm, call, true)
}

fn sessions_of(realm: &Realm, call: &Call, offline: bool) -> Result<Reply, Refusal> {
    let uuid = &client(realm, call.argument(1))?.uuid;
    let found = realm.sessions.values();
    let found = found.filter(|it| it.offline == offline && it.clients.contains(uuid));
    let shown = found.map(|session| session_shapes::shown(realm, session));
    page::cut(shown, &realm.settings, call)
}

/// `POST clients/{id}/push-revocation`: tells the client of its `notBefore`.
pub fn push_revocation(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    client(realm, call.argument(1))?;
    Ok(Reply::json(200, &json!({ "successRequests": [] })).unchanged())
}

fn shown(client: &Client, settings: &Settings) -> Value {
    let kind = match client.authentication {
        Authentication::PrivateKeyJwt => "client-jwt",
        Authentication::ClientSecret | Authentication::None => "client-secret",
    };
    let mut shown = json!({
        "id": client.uuid,
        "clientId": client.client_id,
        "name": client.name,
        "enabled": client.enabled,
        "publicClient": client.authentication == Authentication::None,
        "clientAuthenticatorType": kind,
        "serviceAccountsEnabled": client.service_account.is_some(),
        "standardFlowEnabled": true,
        "notBefore": client.not_before_s,
        "redirectUris": client.redirect_uris,
        "protocol": "openid-connect",
    });
    if client.authentication == Authentication::ClientSecret {
        shown["secret"] = json!(client.secret);
    }
    grown(shown, settings)
}
