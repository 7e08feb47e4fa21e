//! `/users/{user}/clients`: clients that hold tokens or grants of a user, and their refresh tokens.

use serde_json::{Value, json};

use crate::clock::iso;
use crate::exchange::Reply;
use crate::okta::call::Call;
use crate::okta::error::ApiError;
use crate::okta::page::{Page, whole};
use crate::okta::settings::Revoked;
use crate::okta::state::{ClientAccess, Org, RefreshToken};
use crate::okta::system_log::Target;

/// Default and largest page of the tokens.
const PAGE: (usize, usize) = (20, 200);

/// `GET /users/{user}/clients`.
pub fn list(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let user = org.user(&org.user_in(call, 0)?)?;
    let live = user.clients.iter().filter(|(_, access)| access.is_live());
    let items: Vec<Value> = live.map(|(id, access)| to_json(call, id, access)).collect();
    Ok(whole(call, &items))
}

/// `GET /users/{user}/clients/{client}/tokens`.
pub fn list_tokens(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let user = org.user(&org.user_in(call, 0)?)?;
    let client = call.argument(1);
    let access = user
        .clients
        .get(client)
        .ok_or_else(|| ApiError::not_found(client, "PublicClientApp"))?;
    let listed = org.settings.unconfirmed.revoked_tokens == Revoked::Listed;
    let tokens = access
        .tokens
        .iter()
        .filter(|(_, token)| listed || !token.revoked);
    let page = Page::cut(call, &org.settings, tokens, PAGE)?;
    Ok(page.reply(call, |token| token_json(call, &user.id, client, token)))
}

/// `GET /users/{user}/clients/{client}/tokens/{token}`.
pub fn get_token(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let user = org.user(&org.user_in(call, 0)?)?;
    let (client, id) = (call.argument(1), call.argument(2));
    let listed = org.settings.unconfirmed.revoked_tokens == Revoked::Listed;
    let token = user
        .clients
        .get(client)
        .and_then(|access| access.tokens.get(id));
    let token = token.filter(|token| listed || !token.revoked);
    let token = token.ok_or_else(|| ApiError::not_found(id, "OAuth2RefreshToken"))?;
    Ok(Reply::json(200, &token_json(call, &user.id, client, token)))
}

/// `DELETE /users/{user}/clients/{client}/tokens`: 404 where the client never held any.
pub fn revoke_tokens(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let user = org.user_in(call, 0)?;
    let client = call.argument(1);
    let access = org.user_mut(&user)?.clients.get_mut(client);
    let access = access.ok_or_else(|| ApiError::not_found(client, "PublicClientApp"))?;
    let live: Vec<&mut RefreshToken> = access
        .tokens
        .values_mut()
        .filter(|token| !token.revoked)
        .collect();
    if live.is_empty() {
        return Ok(Reply::empty(204).unchanged());
    }
    live.into_iter().for_each(|token| token.revoked = true);
    log_revocation(org, call, &user, client);
    Ok(Reply::empty(204))
}

/// `DELETE /users/{user}/clients/{client}/tokens/{token}`: 404 for a token that is revoked or unknown.
pub fn revoke_token(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let user = org.user_in(call, 0)?;
    let (client, id) = (call.argument(1), call.argument(2));
    let access = org.user_mut(&user)?.clients.get_mut(client);
    let token = access
        .and_then(|access| access.tokens.get_mut(id))
        .filter(|token| !token.revoked);
    token
        .ok_or_else(|| ApiError::not_found(id, "OAuth2RefreshToken"))?
        .revoked = true;
    log_revocation(org, call, &user, client);
    Ok(Reply::empty(204))
}

/// The address of the authorization server that issued something.
pub fn issuer(call: &Call, server: Option<&str>) -> String {
    match server {
        Some(server) => call.url(&format!("/oauth2/{server}")),
        None => call.base.clone(),
    }
}

fn to_json(call: &Call, id: &str, access: &ClientAccess) -> Value {
    json!({
        "client_id": id,
        "client_name": access.name,
        "client_uri": null,
        "logo_uri": null,
        "_links": { "tokens": { "href": call.url(&format!("{}/{id}/tokens", call.path)) } },
    })
}

/// The refresh token as the API writes it.
pub fn token_json(call: &Call, user: &str, client: &str, token: &RefreshToken) -> Value {
    json!({
        "id": token.id,
        "status": if token.revoked { "REVOKED" } else { "ACTIVE" },
        "created": iso(token.created),
        "lastUpdated": iso(token.created),
        "expiresAt": iso(token.expires_at),
        "issuer": issuer(call, token.server.as_deref()),
        "clientId": client,
        "userId": user,
        "scopes": token.scopes,
    })
}

fn log_revocation(org: &mut Org, call: &Call, user: &str, client: &str) {
    let client = Target::new("PublicClientApp", client, client);
    org.log(
        call,
        "app.oauth2.token.revoke",
        vec![org.user_target(user), client],
    );
}
