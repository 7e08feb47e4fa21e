//! The token endpoint: `client_credentials` with a secret or with a certificate (RFC 7523).
//!
//! An assertion's claims and thumbprint are checked; its signature is not, as the simulator holds no public keys.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::json;
use url::form_urlencoded;

use crate::clock::iso;
use crate::entra::call::Call;
use crate::entra::error::ApiError;
use crate::entra::settings::App;
use crate::entra::state::{AccessToken, Audience, Table, Tenant, flag, list, text};
use crate::exchange::Reply;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const ALGORITHMS: [&str; 2] = ["PS256", "RS256"];

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    x5t: Option<String>,
    #[serde(default, rename = "x5t#S256")]
    x5t_s256: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    aud: String,
    iss: String,
    sub: String,
    exp: i64,
    #[serde(default)]
    jti: String,
}

/// A refusal: status, `error`, the number after `AADSTS`, and the text after it.
struct Refused(u16, &'static str, u32, &'static str);

/// `POST /{tenant-id}/oauth2/v2.0/token`.
pub fn issue_token(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    Ok(issue(tenant, call).unwrap_or_else(|Refused(status, error, number, text)| {
        let id = &call.request_id;
        let body = json!({
            "error": error,
            "error_description": format!("AADSTS{number}: {text} Trace ID: {id} Correlation ID: {id}"),
            "error_codes": [number], "timestamp": iso(call.now_ms), "trace_id": id, "correlation_id": id,
        });
        Reply::json(status, &body).unchanged()
    }))
}

fn issue(tenant: &mut Tenant, call: &Call) -> Result<Reply, Refused> {
    let form: Vec<(String, String)> = form_urlencoded::parse(&call.body).into_owned().collect();
    let field = |name: &str| {
        form.iter()
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value.as_str())
    };
    let asked = call.argument(0);
    if asked != tenant.id && asked != tenant.name {
        return Err(Refused(400, "invalid_request", 90_002, "Tenant not found."));
    }
    if field("grant_type") != "client_credentials" {
        return Err(Refused(
            400,
            "unsupported_grant_type",
            70_003,
            "The grant type is not supported.",
        ));
    }
    let audience = match field("scope") {
        "https://graph.microsoft.com/.default" => Audience::Graph,
        "https://management.azure.com/.default" => Audience::Arm,
        _ => {
            let text = "The provided value for the input parameter 'scope' is not valid.";
            return Err(Refused(400, "invalid_scope", 70_011, text));
        }
    };
    let client_id = field("client_id").to_owned();
    let permissions = match tenant
        .settings
        .apps
        .iter()
        .find(|app| app.client_id == client_id)
    {
        Some(app) => {
            let app = app.clone();
            if field("client_assertion_type") == ASSERTION_TYPE {
                check_assertion(tenant, call, &app, field("client_assertion"))?;
            } else {
                check_secret(&app, field("client_secret"))?;
            }
            app.permissions
        }
        None => {
            check_registered(tenant, &client_id, field("client_secret"))?;
            Some(Vec::new())
        }
    };
    Ok(granted(tenant, call, client_id, audience, permissions))
}

fn granted(
    tenant: &mut Tenant,
    call: &Call,
    client_id: String,
    audience: Audience,
    permissions: Option<Vec<String>>,
) -> Reply {
    let lifetime_s = tenant.settings.access_token_lifetime_s;
    let secret = format!("eyJ{}", tenant.request_dice.text(60));
    let now_ms = call.now_ms;
    tenant
        .access_tokens
        .retain(|_, token| token.expires_at > now_ms);
    let token = AccessToken {
        client_id,
        audience,
        permissions,
        expires_at: now_ms + lifetime_s * 1000,
    };
    tenant.access_tokens.insert(secret.clone(), token);
    let body = json!({
        "token_type": "Bearer", "expires_in": lifetime_s, "ext_expires_in": lifetime_s, "access_token": secret,
    });
    Reply::json(200, &body)
}

fn check_secret(app: &App, secret: &str) -> Result<(), Refused> {
    if app.secret.as_deref() != Some(secret) {
        return Err(wrong_secret());
    }
    if app.secret_expired {
        let text = "The provided client secret keys for the app are expired.";
        return Err(Refused(401, "invalid_client", 7_000_222, text));
    }
    Ok(())
}

/// An application of the directory, with one of the secrets that it was seeded with and still has.
fn check_registered(tenant: &Tenant, client_id: &str, secret: &str) -> Result<(), Refused> {
    let by_app_id = |table| {
        let rows = tenant.store.all(table);
        rows.into_iter()
            .find(|row| text(&row.record, "appId") == client_id)
    };
    let (Some(app), Some(principal)) = (
        by_app_id(Table::Applications),
        by_app_id(Table::ServicePrincipals),
    ) else {
        let text = "Application was not found in the directory.";
        return Err(Refused(400, "unauthorized_client", 700_016, text));
    };
    if !flag(&principal.record, "accountEnabled") {
        let text = "Application is disabled.";
        return Err(Refused(401, "unauthorized_client", 7_000_112, text));
    }
    let secrets = list(&app.record, "passwordCredentials");
    let held = secrets
        .iter()
        .any(|held| held["_secret"].as_str() == Some(secret));
    if held { Ok(()) } else { Err(wrong_secret()) }
}

fn check_assertion(
    tenant: &mut Tenant,
    call: &Call,
    app: &App,
    assertion: &str,
) -> Result<(), Refused> {
    let parts: Vec<&str> = assertion.split('.').collect();
    let [header, claims, signature] = parts[..] else {
        return Err(bad_assertion());
    };
    let header: Header = decoded(header).ok_or_else(bad_assertion)?;
    let claims: Claims = decoded(claims).ok_or_else(bad_assertion)?;
    let now_s = call.now_ms / 1000;
    let known = [&header.x5t, &header.x5t_s256]
        .into_iter()
        .flatten()
        .any(|thumbprint| app.thumbprints.contains(thumbprint));
    let right = !signature.is_empty()
        && ALGORITHMS.contains(&header.alg.as_str())
        && known
        && claims.iss == app.client_id
        && claims.sub == app.client_id
        && claims.aud == call.url(&call.path)
        && claims.exp > now_s
        && claims.exp <= now_s + 86_400
        && !claims.jti.is_empty();
    if !right {
        return Err(bad_assertion());
    }
    tenant.used_assertions.retain(|_, exp| *exp > now_s);
    match tenant.used_assertions.insert(claims.jti, claims.exp) {
        None => Ok(()),
        Some(_) => Err(bad_assertion()),
    }
}

fn wrong_secret() -> Refused {
    Refused(
        401,
        "invalid_client",
        7_000_215,
        "Invalid client secret provided.",
    )
}

fn bad_assertion() -> Refused {
    Refused(
        401,
        "invalid_client",
        700_027,
        "The client assertion failed validation.",
    )
}

fn decoded<T: for<'de> Deserialize<'de>>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}
