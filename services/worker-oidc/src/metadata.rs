//! What a provider says of itself (OpenID Connect Discovery 1.0, RFC 8414).

use serde::Deserialize;
use sever_provider::CallError;
use sever_provider::http::BaseUrl;
use url::Url;

use crate::issuer::unusable;

const DOING: &str = "reading the provider's metadata";

/// The members that are used; unknown ones are ignored.
#[derive(Debug, Deserialize)]
struct Document {
    issuer: String,
    #[serde(default)]
    token_endpoint: Option<String>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Vec<String>,
    #[serde(default)]
    revocation_endpoint: Option<String>,
    #[serde(default)]
    revocation_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    introspection_endpoint: Option<String>,
    #[serde(default)]
    introspection_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    global_token_revocation_endpoint: Option<String>,
}

/// An endpoint with the ways in which it takes a client's proof.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Its address, within the connection.
    pub url: Url,
    /// The methods; empty where the provider does not say.
    pub methods: Vec<String>,
}

/// Metadata that were checked.
#[derive(Debug)]
pub struct Metadata {
    /// The issuer, as the provider writes it: where it is named to the provider, every character counts.
    pub issuer: String,
    /// The token endpoint.
    pub token: Option<Endpoint>,
    /// Revocation (RFC 7009).
    pub revocation: Option<Endpoint>,
    /// Introspection (RFC 7662).
    pub introspection: Option<Endpoint>,
    /// Global token revocation.
    pub global_revocation: Option<Url>,
}

impl Metadata {
    /// Checks a document: the issuer is the one that was asked, and every endpoint is within the connection's base URL.
    ///
    /// # Errors
    /// Class `NeedsPerson`, saying which of it is not so.
    pub fn check(body: &[u8], issuer: &str, base: &BaseUrl) -> Result<Self, CallError> {
        let document: Document = serde_json::from_slice(body).map_err(|_| {
            unusable(
                DOING,
                "they are not those of an OpenID provider; check the issuer".to_owned(),
            )
        })?;
        let bare = |issuer: &str| issuer.trim_end_matches('/').to_owned();
        if bare(&document.issuer) != bare(issuer) {
            let what =
                "they name another issuer than the connection; check base URL, realm and issuer";
            return Err(unusable(DOING, what.to_owned()));
        }
        let within = |address: Option<String>| -> Result<Option<Url>, CallError> {
            address
                .map(|address| base.follow(&address))
                .transpose()
                .map_err(|_| {
                    let what = "an endpoint is outside the connection's base URL; set the base URL to what they share, \
                        and issuer to the issuer";
                    unusable(DOING, what.to_owned())
                })
        };
        let defaults = document.token_endpoint_auth_methods_supported;
        let endpoint =
            |address, methods: Option<Vec<String>>| -> Result<Option<Endpoint>, CallError> {
                let methods = methods.unwrap_or_else(|| defaults.clone());
                Ok(within(address)?.map(|url| Endpoint { url, methods }))
            };
        Ok(Self {
            issuer: document.issuer,
            token: endpoint(document.token_endpoint, None)?,
            revocation: endpoint(
                document.revocation_endpoint,
                document.revocation_endpoint_auth_methods_supported,
            )?,
            introspection: endpoint(
                document.introspection_endpoint,
                document.introspection_endpoint_auth_methods_supported,
            )?,
            global_revocation: within(document.global_token_revocation_endpoint)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use sever_provider::http::PlainHttp;

    fn check(document: &Value) -> Result<Metadata, String> {
        let base = BaseUrl::new(
            &"https://op.test/t".parse().unwrap(),
            PlainHttp::LoopbackOnly,
        )
        .unwrap();
        Metadata::check(document.to_string().as_bytes(), "https://op.test/t/", &base)
            .map_err(|error| error.what)
    }

    #[test]
    fn what_is_offered_is_known_and_the_rest_is_not() {
        let metadata = check(&json!({
            "issuer": "https://op.test/t", "token_endpoint": "https://op.test/t/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            "revocation_endpoint": "https://op.test/t/revoke",
            "revocation_endpoint_auth_methods_supported": ["none"], "unknown": {"x": null},
        }))
        .unwrap();
        assert_eq!(metadata.issuer, "https://op.test/t", "not as we write it");
        assert_eq!(metadata.token.unwrap().methods, ["client_secret_post"]);
        assert_eq!(metadata.revocation.unwrap().methods, ["none"]);
        assert!(metadata.introspection.is_none() && metadata.global_revocation.is_none());
    }

    #[test]
    fn another_issuer_and_another_host_are_refused() {
        for document in [
            json!({"issuer": "https://evil.test/t"}),
            json!({"issuer": "https://op.test/other"}),
            json!({"issuer": "https://op.test/t", "token_endpoint": "https://evil.test/token"}),
            json!({"issuer": "https://op.test/t", "introspection_endpoint": "http://op.test/t/x"}),
            json!({"token_endpoint": "https://op.test/t/token"}),
            json!([]),
        ] {
            assert!(check(&document).is_err(), "{document}");
        }
    }
}
