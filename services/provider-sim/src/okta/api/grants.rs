//! Consents of a user: `/users/{user}/grants` and `/users/{user}/clients/{client}/grants`.

use serde_json::{Value, json};

use crate::clock::iso;
use crate::exchange::Reply;
use crate::okta::api::clients::issuer;
use crate::okta::call::Call;
use crate::okta::error::ApiError;
use crate::okta::page::Page;
use crate::okta::settings::Revoked;
use crate::okta::state::{Grant, Org};

/// Default and largest page.
const PAGE: (usize, usize) = (20, 200);

/// `GET /users/{user}/grants`.
pub fn list(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    reply(org, call, None)
}

/// `GET /users/{user}/clients/{client}/grants`.
pub fn list_of_client(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    reply(org, call, Some(call.argument(1)))
}

/// `DELETE /users/{user}/grants`.
pub fn revoke_all(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    revoke_where(org, call, |_, _| true)
}

/// `DELETE /users/{user}/clients/{client}/grants`.
pub fn revoke_of_client(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let client = call.argument(1);
    let user = org.user(&org.user_in(call, 0)?)?;
    if !user.clients.contains_key(client) {
        return Err(ApiError::not_found(client, "PublicClientApp"));
    }
    revoke_where(org, call, |of, _| of == client)
}

/// `DELETE /users/{user}/grants/{grant}`: 404 for a grant that is revoked or unknown.
pub fn revoke(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let id = call.argument(1);
    let reply = revoke_where(org, call, |_, grant| grant.id == id)?;
    if reply.changed {
        Ok(reply)
    } else {
        Err(ApiError::not_found(id, "OAuth2ScopeConsentGrant"))
    }
}

/// Revokes what `wanted` picks by client and grant.
fn revoke_where(
    org: &mut Org,
    call: &Call,
    wanted: impl Fn(&str, &Grant) -> bool,
) -> Result<Reply, ApiError> {
    let user = org.user_in(call, 0)?;
    let mut any = false;
    for (client, access) in &mut org.user_mut(&user)?.clients {
        for grant in access.grants.values_mut().filter(|grant| !grant.revoked) {
            if wanted(client, grant) {
                grant.revoked = true;
                any = true;
            }
        }
    }
    if !any {
        return Ok(Reply::empty(204).unchanged());
    }
    org.log(
        call,
        "app.oauth2.as.consent.revoke.user",
        vec![org.user_target(&user)],
    );
    Ok(Reply::empty(204))
}

fn reply(org: &Org, call: &Call, only: Option<&str>) -> Result<Reply, ApiError> {
    let user = org.user(&org.user_in(call, 0)?)?;
    if let Some(client) = only.filter(|client| !user.clients.contains_key(*client)) {
        return Err(ApiError::not_found(client, "PublicClientApp"));
    }
    let listed = org.settings.unconfirmed.revoked_tokens == Revoked::Listed;
    let clients = user
        .clients
        .iter()
        .filter(|(client, _)| only.is_none_or(|only| only == client.as_str()));
    let mut grants: Vec<(&str, (&str, &Grant))> = clients
        .flat_map(|(client, access)| {
            access
                .grants
                .values()
                .map(move |grant| (grant.id.as_str(), (client.as_str(), grant)))
        })
        .filter(|(_, (_, grant))| listed || !grant.revoked)
        .collect();
    grants.sort_by_key(|(id, _)| *id);
    let page = Page::cut(call, &org.settings, grants.into_iter(), PAGE)?;
    Ok(page.reply(call, |(client, grant)| {
        to_json(call, &user.id, client, grant)
    }))
}

fn to_json(call: &Call, user: &str, client: &str, grant: &Grant) -> Value {
    json!({
        "id": grant.id,
        "status": if grant.revoked { "REVOKED" } else { "ACTIVE" },
        "created": iso(grant.created),
        "lastUpdated": iso(grant.created),
        "issuer": issuer(call, grant.server.as_deref()),
        "clientId": client,
        "userId": user,
        "scopeId": grant.scope,
        "source": "END_USER",
    })
}
