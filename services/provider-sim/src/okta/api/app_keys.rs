//! Public keys of an app. Encryption keys cannot be switched off, nor the last signing key of an app that needs one; an
//! active one cannot be deleted.

use serde_json::{Value, json};

use crate::clock::iso;
use crate::exchange::Reply;
use crate::okta::call::Call;
use crate::okta::error::ApiError;
use crate::okta::page::whole;
use crate::okta::state::{Key, Org};

/// `GET /apps/{app}/credentials/jwks`: an array, or in the envelope that an example shows.
pub fn list(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let keys = org.app(call.argument(0))?.client.keys.values();
    let items: Vec<Value> = keys.map(to_json).collect();
    if org.settings.unconfirmed.jwks_in_envelope {
        return Ok(Reply::json(200, &json!({ "jwks": { "keys": items } })));
    }
    Ok(whole(call, &items))
}

/// `GET .../jwks/{key}`.
pub fn get(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    Ok(Reply::json(200, &to_json(find(org, call)?)))
}

/// `POST .../jwks/{key}/lifecycle/activate`.
pub fn activate(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    switch(org, call, true)
}

/// `POST .../jwks/{key}/lifecycle/deactivate`.
pub fn deactivate(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let key = find(org, call)?.clone();
    let client = &org.app(call.argument(0))?.client;
    if key.usage != "sig" {
        return Err(refusal("Only signing keys can be deactivated"));
    }
    if key.active && client.needs_key() && client.active_keys() == 1 {
        return Err(refusal("The last active key cannot be deactivated"));
    }
    switch(org, call, false)
}

/// `DELETE .../jwks/{key}`.
pub fn delete(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    if find(org, call)?.active {
        return Err(refusal("An active key cannot be deleted"));
    }
    let client = &mut org.app_mut(call.argument(0))?.client;
    client.keys.remove(call.argument(1));
    log(org, call, "app.oauth2.credentials.lifecycle.delete");
    Ok(Reply::empty(204))
}

fn switch(org: &mut Org, call: &Call, active: bool) -> Result<Reply, ApiError> {
    let key = find(org, call)?;
    let changed = std::mem::replace(&mut key.active, active) != active;
    let reply = Reply::json(200, &to_json(key));
    if !changed {
        return Ok(reply.unchanged());
    }
    let kind = match active {
        true => "app.oauth2.credentials.lifecycle.activate",
        false => "app.oauth2.credentials.lifecycle.deactivate",
    };
    log(org, call, kind);
    Ok(reply)
}

fn find<'a>(org: &'a mut Org, call: &Call) -> Result<&'a mut Key, ApiError> {
    let keys = &mut org.app_mut(call.argument(0))?.client.keys;
    let id = call.argument(1);
    let found = keys.get_mut(id);
    found.ok_or_else(|| ApiError::not_found(id, "OAuth2ClientJsonWebKey"))
}

fn log(org: &mut Org, call: &Call, kind: &'static str) {
    let target = org.app_target(call.argument(0));
    org.log(call, kind, vec![target]);
}

fn refusal(cause: &str) -> ApiError {
    ApiError::validation("key", cause)
}

fn to_json(key: &Key) -> Value {
    json!({
        "id": key.id,
        "kid": key.kid,
        "kty": "RSA",
        "use": key.usage,
        "e": "AQAB",
        "n": format!("modulus-of-{}", key.id),
        "status": if key.active { "ACTIVE" } else { "INACTIVE" },
        "created": iso(key.created),
        "lastUpdated": iso(key.created),
    })
}
