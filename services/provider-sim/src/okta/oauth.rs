//! The token endpoint of the org's authorization server: `client_credentials` with `private_key_jwt`.
//!
//! The assertion's claims are checked; its signature is not, as the simulator holds no public keys.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::json;
use url::form_urlencoded;

use crate::exchange::Reply;
use crate::okta::call::Call;
use crate::okta::error::ApiError;
use crate::okta::state::{AccessToken, Org};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const ALGORITHMS: [&str; 6] = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"];
/// An assertion may run at most this long, in seconds.
const ASSERTION_S_MAX: i64 = 3600;

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    aud: String,
    iss: String,
    sub: String,
    exp: i64,
    #[serde(default)]
    jti: Option<String>,
}

/// A refusal in the shape of RFC 6749 section 5.2.
struct OauthError(u16, &'static str, String);

/// `POST /oauth2/v1/token`.
pub fn issue_token(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    Ok(match issue(org, call) {
        Ok(reply) => reply,
        Err(OauthError(status, error, description)) => Reply::json(
            status,
            &json!({ "error": error, "error_description": description }),
        )
        .unchanged(),
    })
}

fn issue(org: &mut Org, call: &Call) -> Result<Reply, OauthError> {
    let form: Vec<(String, String)> = form_urlencoded::parse(&call.body).into_owned().collect();
    let field = |name: &str| {
        form.iter()
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value.as_str())
    };
    if field("grant_type") != "client_credentials" {
        return Err(OauthError(
            400,
            "unsupported_grant_type",
            "grant_type: must be client_credentials".into(),
        ));
    }
    if field("client_assertion_type") != ASSERTION_TYPE {
        return Err(invalid_client(
            "client_assertion_type: private_key_jwt is the only method for these scopes",
        ));
    }
    let (kid, claims) = checked_claims(call, field("client_assertion"))?;
    let granted = granted(org, &claims.sub, &kid)
        .ok_or_else(|| invalid_client("the client is not known or not active"))?;
    let scopes: Vec<String> = field("scope")
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    if scopes.is_empty() || scopes.iter().any(|scope| !granted.contains(scope)) {
        let description = "one or more scopes are not granted to the client".to_owned();
        return Err(OauthError(400, "invalid_scope", description));
    }
    once(org, call, &claims)?;
    let lifetime_s = org.settings.access_token_lifetime_s;
    let secret = format!("eyJ{}", org.request_dice.text(60));
    let expires_at = call.now_ms + lifetime_s * 1000;
    org.access_tokens
        .retain(|_, token| token.expires_at > call.now_ms);
    let token = AccessToken {
        client_id: claims.sub,
        scopes: scopes.clone(),
        expires_at,
    };
    org.access_tokens.insert(secret.clone(), token);
    let body = json!({
        "token_type": "Bearer", "expires_in": lifetime_s, "access_token": secret, "scope": scopes.join(" "),
    });
    Ok(Reply::json(200, &body))
}

/// The scopes granted to the client, where it may act: one of the settings, or an active app with this key.
fn granted(org: &Org, client_id: &str, kid: &str) -> Option<Vec<String>> {
    let mut own = org.settings.oauth_clients.iter();
    if let Some(app) = own.find(|app| app.client_id == client_id && app.enabled) {
        return Some(app.scopes.clone());
    }
    let app = org.app_of_client(client_id).filter(|app| app.active)?;
    let mut keys = app.client.keys.values();
    let signs = keys.any(|key| key.active && key.usage == "sig" && key.kid == kid);
    let grants = app.client.grants.values();
    signs.then(|| grants.map(|grant| grant.scope.clone()).collect())
}

/// The key's id and the claims of `assertion`.
fn checked_claims(call: &Call, assertion: &str) -> Result<(String, Claims), OauthError> {
    let parts: Vec<&str> = assertion.split('.').collect();
    let [header, claims, signature] = parts[..] else {
        return Err(invalid_client("client_assertion: not a JWT"));
    };
    let header: Header =
        decoded(header).ok_or_else(|| invalid_client("client_assertion: bad header"))?;
    let claims: Claims =
        decoded(claims).ok_or_else(|| invalid_client("client_assertion: bad claims"))?;
    let now_s = call.now_ms / 1000;
    let problem = if signature.is_empty() {
        "client_assertion: not signed"
    } else if !ALGORITHMS.contains(&header.alg.as_str()) || header.kid.is_none() {
        "client_assertion: needs alg RS or ES and a kid"
    } else if claims.iss != claims.sub {
        "client_assertion: iss and sub must both be the client id"
    } else if claims.aud != call.url("/oauth2/v1/token") {
        "client_assertion: aud must be the address of this endpoint"
    } else if claims.exp <= now_s || claims.exp > now_s + ASSERTION_S_MAX {
        "client_assertion: exp must be ahead, by an hour at most"
    } else {
        return Ok((header.kid.unwrap_or_default(), claims));
    };
    Err(invalid_client(problem))
}

/// An assertion with a `jti` works once.
fn once(org: &mut Org, call: &Call, claims: &Claims) -> Result<(), OauthError> {
    org.used_assertions
        .retain(|_, exp| *exp > call.now_ms / 1000);
    let Some(jti) = &claims.jti else {
        return Ok(());
    };
    match org.used_assertions.insert(jti.clone(), claims.exp) {
        None => Ok(()),
        Some(_) => Err(invalid_client("client_assertion: its jti was used before")),
    }
}

fn invalid_client(description: &str) -> OauthError {
    OauthError(401, "invalid_client", description.to_owned())
}

fn decoded<T: for<'de> Deserialize<'de>>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}
