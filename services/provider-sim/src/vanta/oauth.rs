//! `POST /oauth/token`: client credentials in a JSON body. A new token ends the application's earlier one at once.

use serde::Deserialize;
use serde_json::json;

use crate::exchange::Reply;
use crate::vanta::call::Call;
use crate::vanta::error::ApiError;
use crate::vanta::state::{AccessToken, Tenant};

#[derive(Deserialize)]
struct Request {
    client_id: String,
    client_secret: String,
    #[serde(default)]
    scope: String,
    grant_type: String,
}

/// A refusal in the shape of RFC 6749 section 5.2.
struct OauthError(u16, &'static str, &'static str);

/// Issues a token.
pub fn issue_token(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    Ok(match issue(tenant, call) {
        Ok(reply) => reply,
        Err(OauthError(status, error, description)) => Reply::json(
            status,
            &json!({ "error": error, "error_description": description }),
        )
        .unchanged(),
    })
}

fn issue(tenant: &mut Tenant, call: &Call) -> Result<Reply, OauthError> {
    let asked: Request = serde_json::from_slice(&call.body).map_err(|_| {
        let description = "the body must be JSON with client_id, client_secret, grant_type";
        OauthError(400, "invalid_request", description)
    })?;
    if asked.grant_type != "client_credentials" {
        let description = "grant_type: must be client_credentials";
        return Err(OauthError(400, "unsupported_grant_type", description));
    }
    let application = tenant
        .application(&asked.client_id)
        .filter(|application| application.client_secret == asked.client_secret)
        .ok_or(OauthError(401, "invalid_client", "unknown id or secret"))?;
    let scopes: Vec<String> = asked.scope.split_whitespace().map(str::to_owned).collect();
    let allowed = application.kind.scopes();
    if scopes.is_empty()
        || scopes
            .iter()
            .any(|scope| !allowed.contains(&scope.as_str()))
    {
        let description = "a scope does not belong to this type of application";
        return Err(OauthError(400, "invalid_scope", description));
    }
    tenant.revoke_tokens(Some(&asked.client_id));
    let lifetime_s = tenant.settings.access_token_lifetime_s;
    let secret = format!("vat_{}", tenant.request_dice.text(40));
    let token = AccessToken {
        client_id: asked.client_id,
        scopes,
        expires_at: call.now_ms + lifetime_s * 1000,
    };
    tenant.tokens.insert(secret.clone(), token);
    let body = json!({ "access_token": secret, "expires_in": lifetime_s, "token_type": "Bearer" });
    Ok(Reply::json(200, &body))
}
