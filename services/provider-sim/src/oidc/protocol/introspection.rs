//! Introspection (RFC 7662): what is not alive, not known or not the caller's business is `{"active": false}`.

use serde_json::json;

use super::client_authentication::{authenticated, field};
use crate::exchange::Reply;
use crate::oidc::error::Refusal;
use crate::oidc::state::{Realm, TokenKind};
use crate::passage::{Call, Instance as _};

/// `POST introspect`.
pub fn introspect(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    if !realm.settings.introspection {
        return Err(Realm::refusal(404));
    }
    let form = call.form();
    authenticated(realm, call, &form)?;
    let token = realm.tokens.get(field(&form, "token"));
    let Some(token) = token.filter(|token| realm.works(token, call.now_ms)) else {
        return Ok(Reply::json(200, &json!({ "active": false })));
    };
    let client = realm.clients.get(&token.client);
    let body = json!({
        "active": true,
        "client_id": client.map(|client| &client.client_id),
        "sub": token.user,
        "scope": token.scopes.join(" "),
        "token_type": if token.kind == TokenKind::Access { "Bearer" } else { "refresh_token" },
        "iat": token.issued_ms.div_euclid(1000),
        "exp": token.expires_ms.div_euclid(1000),
    });
    Ok(Reply::json(200, &body))
}
