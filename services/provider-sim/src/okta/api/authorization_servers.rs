//! `/authorizationServers`: custom authorization servers, and the refresh tokens that each gave a client. A server exists
//! where a token or consent names it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::exchange::Reply;
use crate::okta::api::clients::{issuer, token_json};
use crate::okta::call::Call;
use crate::okta::error::ApiError;
use crate::okta::page::Page;
use crate::okta::settings::Revoked;
use crate::okta::state::{Org, RefreshToken};
use crate::okta::system_log::Target;

/// Default and largest page of either list.
const PAGE: (usize, usize) = (20, 200);

/// `GET /authorizationServers`.
pub fn list(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let servers = servers(org);
    let rows = servers.iter().map(|id| (*id, *id));
    let page = Page::cut(call, &org.settings, rows, PAGE)?;
    Ok(page.reply(call, |id| to_json(call, id)))
}

/// `GET /authorizationServers/{server}/clients/{client}/tokens`.
pub fn list_tokens(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let (server, client) = (call.argument(0), call.argument(1));
    require(org, server)?;
    let listed = org.settings.unconfirmed.revoked_tokens == Revoked::Listed;
    let mut tokens: BTreeMap<&str, (&str, &RefreshToken)> = BTreeMap::new();
    for user in org.users.values() {
        let held = user.clients.get(client).into_iter();
        let held = held.flat_map(|access| access.tokens.values());
        let here = held.filter(|token| token.server.as_deref() == Some(server));
        for token in here.filter(|token| listed || !token.revoked) {
            tokens.insert(&token.id, (&user.id, token));
        }
    }
    let page = Page::cut(call, &org.settings, tokens.into_iter(), PAGE)?;
    Ok(page.reply(call, |(user, token)| token_json(call, user, client, token)))
}

/// `DELETE /authorizationServers/{server}/clients/{client}/tokens`.
pub fn revoke_tokens(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let (server, client) = (call.argument(0), call.argument(1));
    require(org, server)?;
    if !org.revoke_client_tokens(client, Some(server)) {
        return Ok(Reply::empty(204).unchanged());
    }
    let targets = vec![Target::new("PublicClientApp", client, client)];
    org.log(call, "app.oauth2.as.token.revoke", targets);
    Ok(Reply::empty(204))
}

fn require(org: &Org, server: &str) -> Result<(), ApiError> {
    if servers(org).contains(server) {
        Ok(())
    } else {
        Err(ApiError::not_found(server, "AuthorizationServer"))
    }
}

fn servers(org: &Org) -> BTreeSet<&str> {
    let access = org.users.values().flat_map(|user| user.clients.values());
    let named = access.flat_map(|access| {
        let tokens = access.tokens.values().map(|token| token.server.as_deref());
        tokens.chain(access.grants.values().map(|grant| grant.server.as_deref()))
    });
    named.flatten().collect()
}

fn to_json(call: &Call, id: &str) -> Value {
    json!({
        "id": id, "name": id, "status": "ACTIVE", "audiences": ["api://default"],
        "issuer": issuer(call, Some(id)), "issuerMode": "ORG_URL",
    })
}
