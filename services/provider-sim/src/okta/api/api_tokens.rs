//! SSWS tokens.

use serde_json::{Value, json};

use crate::clock::iso;
use crate::exchange::Reply;
use crate::okta::call::Call;
use crate::okta::error::ApiError;
use crate::okta::page::whole;
use crate::okta::state::{ApiToken, Org};
use crate::okta::system_log::Target;

/// Idle time after which a token ends.
const IDLE_MS: i64 = 30 * 24 * 3600 * 1000;

/// `GET /api-tokens`: every active token, of all users.
pub fn list(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let items: Vec<Value> = all(org).iter().map(|token| to_json(call, token)).collect();
    Ok(whole(call, &items))
}

/// `GET /api-tokens/{token}`.
pub fn get(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let id = call.argument(0);
    let token = all(org).into_iter().find(|token| token.id == id);
    let token = token.ok_or_else(|| ApiError::not_found(id, "ApiToken"))?;
    Ok(Reply::json(200, &to_json(call, &token)))
}

/// `DELETE /api-tokens/{token}`: 404 for a token that is unknown or revoked.
pub fn revoke(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let id = call.argument(0);
    let tokens = &mut org.settings.ssws_tokens;
    let own = tokens
        .iter()
        .position(|token| token.user_id.is_some() && token.listed_id() == id);
    let name = match own {
        Some(index) => tokens.remove(index).name,
        None => {
            org.api_tokens
                .remove(id)
                .ok_or_else(|| ApiError::not_found(id, "ApiToken"))?
                .name
        }
    };
    org.log(
        call,
        "system.api_token.revoke",
        vec![Target::new("Token", id, &name)],
    );
    Ok(Reply::empty(204))
}

/// The tokens of users, and those of the settings that have an owner.
fn all(org: &Org) -> Vec<ApiToken> {
    let from_settings = org.settings.ssws_tokens.iter().filter_map(|token| {
        let owner = org.users.get(token.user_id.as_deref()?)?;
        Some(ApiToken {
            id: token.listed_id(),
            name: token.name.clone(),
            user: owner.id.clone(),
            client_name: "Okta API".into(),
            created: owner.core.created,
            secret: None,
            app: None,
        })
    });
    from_settings
        .chain(org.api_tokens.values().cloned())
        .collect()
}

fn to_json(call: &Call, token: &ApiToken) -> Value {
    json!({
        "id": token.id,
        "name": token.name,
        "userId": token.user,
        "clientName": token.client_name,
        "tokenWindow": "P30D",
        "created": iso(token.created),
        "lastUpdated": iso(token.created),
        "expiresAt": iso(call.now_ms + IDLE_MS),
        "network": { "connection": "ANYWHERE" },
    })
}
