//! The token endpoint: `client_credentials` and `refresh_token` (RFC 6749 sections 4.4 and 6).

use serde_json::json;

use super::client_authentication::{authenticated, field};
use crate::exchange::Reply;
use crate::oidc::error::Refusal;
use crate::oidc::state::{Realm, Token, TokenKind};
use crate::passage::Call;

/// `POST token`.
pub fn issue(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    let form = call.form();
    let client = authenticated(realm, call, &form)?;
    let scopes: Vec<String> = field(&form, "scope")
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    match field(&form, "grant_type") {
        "client_credentials" => for_itself(realm, call, client, scopes),
        "refresh_token" => renewed(realm, call, &client, field(&form, "refresh_token")),
        _ => Err(Refusal::oauth(
            400,
            "unsupported_grant_type",
            "client_credentials and refresh_token are served",
        )),
    }
}

fn for_itself(
    realm: &mut Realm,
    call: &Call,
    client: String,
    scopes: Vec<String>,
) -> Result<Reply, Refusal> {
    let found = realm.clients.get(&client);
    let Some(user) = found.and_then(|client| client.service_account.clone()) else {
        return Err(Refusal::oauth(
            401,
            "unauthorized_client",
            "the client has no service account",
        ));
    };
    if realm.users.get(&user).is_none_or(|user| !user.enabled) {
        return Err(Refusal::oauth(401, "invalid_client", "User disabled"));
    }
    let grant = realm.new_id();
    let token = Token {
        kind: TokenKind::Access,
        client,
        user: Some(user),
        session: None,
        grant,
        scopes,
        issued_ms: call.now_ms,
        expires_ms: 0,
        revoked: false,
    };
    Ok(answer(realm, call, token, None))
}

fn renewed(realm: &mut Realm, call: &Call, client: &str, secret: &str) -> Result<Reply, Refusal> {
    const REFUSED: Refusal = Refusal::oauth(400, "invalid_grant", "the token is not active");
    let token = realm.tokens.get(secret).ok_or(REFUSED)?;
    let disabled = token.user.as_ref().is_some_and(|id| {
        let user = realm.users.get(id);
        user.is_none_or(|user| !user.enabled)
    });
    let renews = token.kind != TokenKind::Access && token.client == client && !disabled;
    if !renews || !realm.works(token, call.now_ms) {
        return Err(REFUSED);
    }
    let access = Token {
        kind: TokenKind::Access,
        issued_ms: call.now_ms,
        ..token.clone()
    };
    Ok(answer(realm, call, access, Some(secret)))
}

fn answer(realm: &mut Realm, call: &Call, mut token: Token, refresh: Option<&str>) -> Reply {
    let lifetime_s = realm.settings.access_token_lifetime_s;
    token.expires_ms = call.now_ms + lifetime_s * 1000;
    let secret = realm.new_secret();
    let mut body = json!({
        "access_token": secret, "token_type": "Bearer", "expires_in": lifetime_s, "scope": token.scopes.join(" "),
    });
    if let Some(refresh) = refresh {
        body["refresh_token"] = json!(refresh);
    }
    realm
        .tokens
        .retain(|_, known| known.expires_ms > call.now_ms);
    realm.tokens.insert(secret, token);
    Reply::json(200, &body)
}
