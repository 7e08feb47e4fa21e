//! Refresh tokens that the org's own authorization server issued to an app, over all its users.

use std::collections::BTreeMap;

use crate::exchange::Reply;
use crate::okta::api::clients::token_json;
use crate::okta::call::Call;
use crate::okta::error::{ApiError, Code};
use crate::okta::page::Page;
use crate::okta::settings::Revoked;
use crate::okta::state::{Org, RefreshToken};

/// Default and largest page.
const PAGE: (usize, usize) = (20, 200);

/// `GET /apps/{app}/tokens`.
pub fn list(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let client_id = &org.app(call.argument(0))?.client.client_id;
    let tokens = tokens(org, client_id).into_iter();
    let page = Page::cut(call, &org.settings, tokens, PAGE)?;
    Ok(page.reply(call, |(user, token)| {
        token_json(call, user, client_id, token)
    }))
}

/// `GET /apps/{app}/tokens/{token}`.
pub fn get(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let client_id = &org.app(call.argument(0))?.client.client_id;
    let id = call.argument(1);
    let found = tokens(org, client_id).remove(id);
    let (user, token) = found.ok_or_else(|| not_found(id))?;
    Ok(Reply::json(200, &token_json(call, user, client_id, token)))
}

/// `DELETE /apps/{app}/tokens`: access tokens that came without a refresh token live on.
pub fn revoke_all(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let id = call.argument(0);
    require_active(org, id)?;
    let client_id = org.app(id)?.client.client_id.clone();
    if !org.revoke_client_tokens(&client_id, None) {
        return Ok(Reply::empty(204).unchanged());
    }
    let targets = vec![org.app_target(id)];
    org.log(call, "app.oauth2.token.revoke.implicit.client", targets);
    Ok(Reply::empty(204))
}

/// `DELETE /apps/{app}/tokens/{token}`: 404 for a token that is revoked or unknown.
pub fn revoke(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let (id, token) = (call.argument(0), call.argument(1));
    require_active(org, id)?;
    let client_id = org.app(id)?.client.client_id.clone();
    let users = org.users.values_mut();
    let mut held = users.filter_map(|user| user.clients.get_mut(&client_id)?.tokens.get_mut(token));
    let found = held.next().filter(|token| !token.revoked);
    found.ok_or_else(|| not_found(token))?.revoked = true;
    let targets = vec![org.app_target(id)];
    org.log(call, "app.oauth2.token.revoke", targets);
    Ok(Reply::empty(204))
}

/// By token id: whose it is, and the token.
fn tokens<'a>(org: &'a Org, client_id: &str) -> BTreeMap<&'a str, (&'a str, &'a RefreshToken)> {
    let listed = org.settings.unconfirmed.revoked_tokens == Revoked::Listed;
    let held = org
        .users
        .values()
        .filter_map(|user| Some((user.id.as_str(), user.clients.get(client_id)?)));
    held.flat_map(|(user, access)| access.tokens.values().map(move |token| (user, token)))
        .filter(|(_, token)| token.server.is_none() && (listed || !token.revoked))
        .map(|(user, token)| (token.id.as_str(), (user, token)))
        .collect()
}

fn require_active(org: &Org, id: &str) -> Result<(), ApiError> {
    match org.settings.unconfirmed.app_tokens_inactive {
        _ if org.app(id)?.active => Ok(()),
        400 => Err(ApiError::validation("app", "The app is not active")),
        403 => Err(Code::Forbidden.into()),
        _ => Ok(()),
    }
}

fn not_found(id: &str) -> ApiError {
    ApiError::not_found(id, "OAuth2RefreshToken")
}
