//! Who calls a standard endpoint: `client_secret_basic`, `client_secret_post`, `private_key_jwt` (RFC 6749 section 2.3,
//! RFC 7523), or a public client by its id alone.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded;

use crate::oidc::error::Refusal;
use crate::oidc::state::{Authentication, Realm};
use crate::passage::Call;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const ALGORITHMS: [&str; 7] = [
    "RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "ES512",
];
/// An assertion may run at most this long, in seconds.
const ASSERTION_S_MAX: i64 = 3600;

#[derive(Deserialize)]
struct Header {
    alg: String,
}

#[derive(Deserialize)]
struct Claims {
    aud: Value,
    iss: String,
    sub: String,
    exp: i64,
    #[serde(default)]
    jti: Option<String>,
}

/// The value of a form field; empty where it is missing.
pub fn field<'a>(form: &'a [(String, String)], name: &str) -> &'a str {
    form.iter()
        .find(|(key, _)| key == name)
        .map_or("", |(_, value)| value.as_str())
}

/// The internal id of the client that calls.
///
/// # Errors
/// 401 `invalid_client`.
pub fn authenticated(
    realm: &mut Realm,
    call: &Call,
    form: &[(String, String)],
) -> Result<String, Refusal> {
    if !field(form, "client_assertion").is_empty() {
        return by_assertion(realm, call, form);
    }
    let (id, secret) = match basic(call) {
        Some(pair) => pair,
        None => (
            field(form, "client_id").to_owned(),
            field(form, "client_secret").to_owned(),
        ),
    };
    let client = realm.client_named(&id).filter(|client| client.enabled);
    let client = client.ok_or(Refusal::invalid_client("the client is not known or off"))?;
    let proven = match client.authentication {
        Authentication::ClientSecret => !secret.is_empty() && client.secret == secret,
        Authentication::PrivateKeyJwt => false,
        Authentication::None => secret.is_empty(),
    };
    match proven {
        true => Ok(client.uuid.clone()),
        false => Err(Refusal::invalid_client("the client is not who it says")),
    }
}

/// Both halves are form-encoded before they are joined (RFC 6749 section 2.3.1).
fn basic(call: &Call) -> Option<(String, String)> {
    let (scheme, encoded) = call.header("authorization")?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let decoded = |half: &str| {
        let pair = form_urlencoded::parse(half.as_bytes()).next();
        pair.map(|(key, _)| key.into_owned()).unwrap_or_default()
    };
    Some((decoded(id), decoded(secret)))
}

fn by_assertion(
    realm: &mut Realm,
    call: &Call,
    form: &[(String, String)],
) -> Result<String, Refusal> {
    if field(form, "client_assertion_type") != ASSERTION_TYPE {
        return Err(Refusal::invalid_client("client_assertion_type: is wrong"));
    }
    let claims = checked(realm, call, field(form, "client_assertion"))?;
    let client = realm
        .client_named(&claims.sub)
        .filter(|client| client.enabled && client.authentication == Authentication::PrivateKeyJwt);
    let client = client.ok_or(Refusal::invalid_client("the client is not known or off"))?;
    let uuid = client.uuid.clone();
    let now_s = call.now_ms / 1000;
    realm.used_assertions.retain(|_, exp| *exp > now_s);
    let jti = claims
        .jti
        .ok_or(Refusal::invalid_client("client_assertion: needs a jti"))?;
    match realm.used_assertions.insert(jti, claims.exp) {
        None => Ok(uuid),
        Some(_) => Err(Refusal::invalid_client("client_assertion: was used before")),
    }
}

/// The claims, checked as RFC 7523 section 3 says; the signature is not.
fn checked(realm: &Realm, call: &Call, assertion: &str) -> Result<Claims, Refusal> {
    let parts: Vec<&str> = assertion.split('.').collect();
    let [header, claims, signature] = parts[..] else {
        return Err(Refusal::invalid_client("client_assertion: is no JWT"));
    };
    let header: Header =
        decoded(header).ok_or(Refusal::invalid_client("client_assertion: bad header"))?;
    let claims: Claims =
        decoded(claims).ok_or(Refusal::invalid_client("client_assertion: bad claims"))?;
    let now_s = call.now_ms / 1000;
    let of_realm = format!("{}/realms/{}", call.base, realm.name);
    let named = &realm.settings.issuer;
    let audiences = [
        named.clone().unwrap_or_else(|| call.base.clone()),
        format!("{}{}", call.base, call.path),
        format!("{}/token", call.base),
        named.clone().unwrap_or(of_realm),
        format!(
            "{}/realms/{}/protocol/openid-connect/token",
            call.base, realm.name
        ),
    ];
    let meant = |value: &Value| audiences.iter().any(|own| value == own);
    let for_us = match &claims.aud {
        Value::Array(several) => several.iter().any(meant),
        one => meant(one),
    };
    let problem = if signature.is_empty() {
        "client_assertion: is not signed"
    } else if !ALGORITHMS.contains(&header.alg.as_str()) {
        "client_assertion: alg is not allowed"
    } else if claims.iss != claims.sub {
        "client_assertion: iss and sub must both be the client id"
    } else if !for_us {
        "client_assertion: aud must be the issuer or the endpoint"
    } else if claims.exp <= now_s || claims.exp > now_s + ASSERTION_S_MAX {
        "client_assertion: exp must be ahead, by an hour at most"
    } else {
        return Ok(claims);
    };
    Err(Refusal::invalid_client(problem))
}

fn decoded<T: for<'de> Deserialize<'de>>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}
