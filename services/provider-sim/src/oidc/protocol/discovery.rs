//! Metadata and keys (OpenID Connect Discovery 1.0, RFC 8414).

use serde_json::{Value, json};

use crate::exchange::Reply;
use crate::oidc::error::Refusal;
use crate::oidc::state::Realm;
use crate::passage::Call;

const METHODS: [&str; 3] = [
    "client_secret_basic",
    "client_secret_post",
    "private_key_jwt",
];

/// `/.well-known/openid-configuration` of the root.
pub fn metadata(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    let base = &call.base;
    let mut metadata = described(realm, base, base, "/token", "/revoke", "/introspect");
    metadata["jwks_uri"] = json!(format!("{base}/jwks"));
    if realm.settings.global_token_revocation.is_some() {
        metadata["global_token_revocation_endpoint"] =
            json!(format!("{base}/global-token-revocation"));
    }
    Ok(Reply::json(200, &metadata))
}

/// The same where Keycloak has it.
pub fn keycloak_metadata(realm: &mut Realm, call: &Call) -> Result<Reply, Refusal> {
    let issuer = format!("{}/realms/{}", call.base, realm.name);
    let base = format!("{issuer}/protocol/openid-connect");
    let mut metadata = described(
        realm,
        &issuer,
        &base,
        "/token",
        "/revoke",
        "/token/introspect",
    );
    metadata["jwks_uri"] = json!(format!("{base}/certs"));
    metadata["end_session_endpoint"] = json!(format!("{base}/logout"));
    metadata["backchannel_logout_supported"] = json!(true);
    Ok(Reply::json(200, &metadata))
}

fn described(
    realm: &Realm,
    issuer: &str,
    base: &str,
    token: &str,
    revoke: &str,
    introspect: &str,
) -> Value {
    let settings = &realm.settings;
    let mut metadata = json!({
        "issuer": settings.issuer.as_deref().unwrap_or(issuer),
        "authorization_endpoint": format!("{base}/auth"),
        "token_endpoint": format!("{base}{token}"),
        "token_endpoint_auth_methods_supported": METHODS,
        "grant_types_supported": ["client_credentials", "refresh_token", "authorization_code"],
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    });
    if settings.revocation {
        metadata["revocation_endpoint"] = json!(format!("{base}{revoke}"));
        metadata["revocation_endpoint_auth_methods_supported"] = json!(METHODS);
    }
    if settings.introspection {
        metadata["introspection_endpoint"] = json!(format!("{base}{introspect}"));
        metadata["introspection_endpoint_auth_methods_supported"] = json!(METHODS);
    }
    if settings.unknown_members {
        metadata["vendor_settings"] = json!({ "issuer": "https://other.example" });
    }
    metadata
}

/// The signing keys: none, because nothing is signed here.
pub fn keys(_: &mut Realm, _: &Call) -> Result<Reply, Refusal> {
    Ok(Reply::json(200, &json!({ "keys": [] })))
}
