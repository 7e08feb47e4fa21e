//! Scopes granted to an app itself.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::clock::iso;
use crate::exchange::Reply;
use crate::okta::call::Call;
use crate::okta::error::ApiError;
use crate::okta::page::whole;
use crate::okta::state::{App, Org, ScopeGrant};

#[derive(Deserialize)]
struct Asked {
    #[serde(rename = "scopeId")]
    scope: String,
}

/// `GET /apps/{app}/grants`.
pub fn list(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let app = org.app(call.argument(0))?;
    let grants = app.client.grants.values();
    let items: Vec<Value> = grants.map(|grant| to_json(call, app, grant)).collect();
    Ok(whole(call, &items))
}

/// `GET /apps/{app}/grants/{grant}`.
pub fn get(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let app = org.app(call.argument(0))?;
    let id = call.argument(1);
    let grant = app.client.grants.get(id);
    let grant = grant.ok_or_else(|| not_found(id))?;
    Ok(Reply::json(200, &to_json(call, app, grant)))
}

/// `POST /apps/{app}/grants` with `{"issuer", "scopeId"}`.
pub fn create(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let Asked { scope } = call.json()?;
    let id = call.argument(0);
    let mut granted = org.app(id)?.client.grants.values();
    if granted.any(|grant| grant.scope == scope) {
        return Err(ApiError::validation(
            "scopeId",
            "The scope is granted already",
        ));
    }
    let grant = ScopeGrant {
        id: org.new_id("oag"),
        scope,
        created_by: call.principal.actor_id.clone(),
        created: call.now_ms,
    };
    let app = org.app_mut(id)?;
    app.client.grants.insert(grant.id.clone(), grant.clone());
    let body = to_json(call, app, &grant);
    let targets = vec![org.app_target(id)];
    org.log(call, "app.oauth2.admin.consent.grant", targets);
    Ok(Reply::json(201, &body))
}

/// `DELETE /apps/{app}/grants/{grant}`.
pub fn revoke(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let (id, grant) = (call.argument(0), call.argument(1));
    let removed = org.app_mut(id)?.client.grants.remove(grant);
    removed.ok_or_else(|| not_found(grant))?;
    let targets = vec![org.app_target(id)];
    org.log(call, "app.oauth2.admin.consent.revoke", targets);
    Ok(Reply::empty(204))
}

fn not_found(id: &str) -> ApiError {
    ApiError::not_found(id, "OAuth2ScopeConsentGrant")
}

fn to_json(call: &Call, app: &App, grant: &ScopeGrant) -> Value {
    json!({
        "id": grant.id,
        "status": "ACTIVE",
        "created": iso(grant.created),
        "createdBy": { "id": grant.created_by, "type": "User" },
        "lastUpdated": iso(grant.created),
        "issuer": call.base,
        "clientId": app.client.client_id,
        "scopeId": grant.scope,
        "source": "ADMIN",
    })
}
