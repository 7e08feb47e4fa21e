//! Client secrets of an app. Two at most; the only active one cannot be switched off, an active one cannot be deleted.

use serde_json::{Value, json};

use crate::clock::iso;
use crate::exchange::Reply;
use crate::okta::call::Call;
use crate::okta::error::ApiError;
use crate::okta::page::whole;
use crate::okta::state::{Org, Secret};

const SECRETS_MAX: usize = 2;

/// `GET /apps/{app}/credentials/secrets`: with the secrets in clear.
pub fn list(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let secrets = org.app(call.argument(0))?.client.secrets.values();
    let items: Vec<Value> = secrets.map(to_json).collect();
    Ok(whole(call, &items))
}

/// `GET .../secrets/{secret}`.
pub fn get(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    Ok(Reply::json(200, &to_json(find(org, call)?)))
}

/// `POST /apps/{app}/credentials/secrets`.
pub fn create(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    if org.app(call.argument(0))?.client.secrets.len() >= SECRETS_MAX {
        return Err(refusal("There can be two secrets at most"));
    }
    let secret = Secret {
        id: org.new_id("ocs"),
        value: org.request_dice.text(40),
        active: true,
        created: call.now_ms,
    };
    let body = to_json(&secret);
    let client = &mut org.app_mut(call.argument(0))?.client;
    client.secrets.insert(secret.id.clone(), secret);
    log(org, call, "app.oauth2.credentials.lifecycle.create");
    Ok(Reply::json(201, &body))
}

/// `POST .../secrets/{secret}/lifecycle/activate`.
pub fn activate(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    switch(org, call, true)
}

/// `POST .../secrets/{secret}/lifecycle/deactivate`.
pub fn deactivate(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    if find(org, call)?.active && org.app(call.argument(0))?.client.active_secrets() == 1 {
        return Err(refusal("The only active secret cannot be deactivated"));
    }
    switch(org, call, false)
}

/// `DELETE .../secrets/{secret}`.
pub fn delete(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    if find(org, call)?.active {
        return Err(refusal("An active secret cannot be deleted"));
    }
    let client = &mut org.app_mut(call.argument(0))?.client;
    client.secrets.remove(call.argument(1));
    log(org, call, "app.oauth2.credentials.lifecycle.delete");
    Ok(Reply::empty(204))
}

fn switch(org: &mut Org, call: &Call, active: bool) -> Result<Reply, ApiError> {
    let secret = find(org, call)?;
    let changed = std::mem::replace(&mut secret.active, active) != active;
    let reply = Reply::json(200, &to_json(secret));
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

fn find<'a>(org: &'a mut Org, call: &Call) -> Result<&'a mut Secret, ApiError> {
    let secrets = &mut org.app_mut(call.argument(0))?.client.secrets;
    let id = call.argument(1);
    let found = secrets.get_mut(id);
    found.ok_or_else(|| ApiError::not_found(id, "OAuth2ClientSecret"))
}

fn log(org: &mut Org, call: &Call, kind: &'static str) {
    let target = org.app_target(call.argument(0));
    org.log(call, kind, vec![target]);
}

fn refusal(cause: &str) -> ApiError {
    ApiError::validation("secret", cause)
}

fn to_json(secret: &Secret) -> Value {
    json!({
        "id": secret.id,
        "status": if secret.active { "ACTIVE" } else { "INACTIVE" },
        "client_secret": secret.value,
        "secret_hash": format!("hash-{}", secret.id),
        "created": iso(secret.created),
        "lastUpdated": iso(secret.created),
    })
}
