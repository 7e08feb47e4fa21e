//! The credential document of a connection: JSON, because an OpenID provider needs more than one word.
//!
//! | member | meaning |
//! | --- | --- |
//! | `client_id` | our own client |
//! | `client_secret`, or `key` (PEM) and `kid` | how it proves who it is |
//! | `scope` | what it asks for its own access token; nothing by default |
//! | `profile` | `standard` (default) or `keycloak` |
//! | `realm` | with `keycloak`: the realm's name |
//! | `issuer` | the issuer; the base URL by default, with `keycloak` the base URL with `/realms/{realm}` |
//! | `subject` | for global token revocation: `{"member": "sub_id" or "subject", "format": "opaque" or "iss_sub"}` |
//! | `tokens` | tokens that were registered with us, so that they can be revoked: see [`RegisteredToken`] |
//!
//! A token's value never stands in the document, only a reference to it.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sever_config::CredentialReference;
use sever_provider::{ClientKey, UnusableKey};

use crate::client_auth::{ClientAuth, Proof};

/// What can be done at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// What the standards know.
    #[default]
    Standard,
    /// The administration API of Keycloak besides.
    Keycloak,
}

/// How a global token revocation names its subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Subject {
    /// The member of the request.
    pub member: SubjectMember,
    /// The format (RFC 9493).
    pub format: SubjectFormat,
}

/// The member that carries the subject; the drafts changed its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectMember {
    /// `sub_id`, since draft 3.
    #[default]
    SubId,
    /// `subject`, before, and as Okta and Auth0 document it.
    Subject,
}

/// The format of the subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectFormat {
    /// `{"format": "opaque", "id": sub}`.
    Opaque,
    /// `{"format": "iss_sub", "iss": issuer, "sub": sub}`.
    #[default]
    IssSub,
}

/// A token that was registered with us.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisteredToken {
    /// What it is called in plans and audit; no secret.
    pub name: String,
    /// The `sub` of its owner.
    pub account: String,
    /// Where its value is: `env:NAME` or `file:/path`.
    pub token: CredentialReference,
    /// What it is.
    #[serde(default)]
    pub kind: TokenKind,
    /// The client it was given to, where that is not ours: only that client can revoke it.
    #[serde(default)]
    pub client_id: Option<String>,
    /// Where that client's secret is; without one it is a public client.
    #[serde(default)]
    pub client_secret: Option<CredentialReference>,
}

impl RegisteredToken {
    /// Whether it was given to this client, which is ours.
    #[must_use]
    pub fn is_of(&self, client_id: &str) -> bool {
        self.client_id.as_deref().is_none_or(|of| of == client_id)
    }
}

/// A kind of token, as `token_type_hint` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// `refresh_token`
    #[default]
    RefreshToken,
    /// `access_token`
    AccessToken,
}

impl TokenKind {
    /// The word of the hint.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        match self {
            Self::RefreshToken => "refresh_token",
            Self::AccessToken => "access_token",
        }
    }
}

/// A credential document that was read. Prints without its secrets.
#[derive(Debug)]
pub struct Credential {
    /// Our own client.
    pub client: ClientAuth,
    /// The scope of our own access token.
    pub scope: Option<String>,
    /// The realm, with the profile `keycloak`.
    pub realm: Option<String>,
    /// The issuer, where it is not the base URL's.
    pub issuer: Option<String>,
    /// How a global token revocation names its subject.
    pub subject: Subject,
    /// Tokens that were registered with us.
    pub tokens: Vec<RegisteredToken>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    client_id: String,
    #[serde(default)]
    client_secret: Option<SecretString>,
    #[serde(default)]
    key: Option<SecretString>,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    scope: Option<String>,
    #[serde(default)]
    profile: Profile,
    #[serde(default)]
    realm: Option<String>,
    #[serde(default)]
    issuer: Option<String>,
    #[serde(default)]
    subject: Subject,
    #[serde(default)]
    tokens: Vec<RegisteredToken>,
}

impl Credential {
    /// Reads the document.
    ///
    /// # Errors
    /// What is wrong with it, without its values.
    pub fn parse(secret: &SecretString) -> Result<Self, String> {
        let document: Document = serde_json::from_str(secret.expose_secret()).map_err(|error| {
            // The parser's words name fields and positions; of a value they would show a part.
            let at = error.column();
            format!(
                "is not the JSON document of an OpenID provider (line {}, column {at})",
                error.line()
            )
        })?;
        let proof = match (document.client_secret, document.key, document.kid) {
            (Some(secret), None, None) => Proof::Secret(secret),
            (None, Some(key), Some(kid)) => {
                let id = document.client_id.clone();
                let key = ClientKey::from_pem(id, kid, key.expose_secret());
                Proof::Key(key.map_err(|UnusableKey| {
                    "has a key that is no RSA or P-256 private key in PEM form".to_owned()
                })?)
            }
            _ => return Err("needs either client_secret, or key and kid".to_owned()),
        };
        let realm = match (document.profile, document.realm) {
            (Profile::Keycloak, Some(realm)) if !realm.is_empty() => Some(realm),
            (Profile::Standard, None) => None,
            (Profile::Keycloak, _) => return Err("has profile keycloak and no realm".to_owned()),
            (Profile::Standard, Some(_)) => {
                return Err("has a realm without profile keycloak".to_owned());
            }
        };
        let mut names: Vec<&str> = document.tokens.iter().map(|it| it.name.as_str()).collect();
        names.sort_unstable();
        if names.iter().any(|name| name.is_empty()) || names.windows(2).any(|two| two[0] == two[1])
        {
            return Err("has tokens without a name, or with the same".to_owned());
        }
        Ok(Self {
            client: ClientAuth {
                id: document.client_id,
                proof,
            },
            scope: document.scope,
            realm,
            issuer: document.issuer,
            subject: document.subject,
            tokens: document.tokens,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Credential, String> {
        Credential::parse(&text.into())
    }

    #[test]
    fn a_document_is_read_and_never_printed() {
        let credential = parse(
            r#"{"client_id":"sever","client_secret":"hidden","profile":"keycloak","realm":"acme",
                "tokens":[{"name":"ada","account":"u1","token":"env:ADA_TOKEN"}]}"#,
        )
        .unwrap();
        assert_eq!(credential.realm.as_deref(), Some("acme"));
        assert_eq!(credential.tokens[0].kind.hint(), "refresh_token");
        assert!(!format!("{credential:?}").contains("hidden"));
    }

    #[test]
    fn what_cannot_be_used_is_said_without_its_value() {
        for text in [
            "hidden",
            r#"{"client_id":"a"}"#,
            r#"{"client_id":"a","client_secret":"hidden","kid":"k"}"#,
            r#"{"client_id":"a","key":"hidden","kid":"k"}"#,
            r#"{"client_id":"a","client_secret":"hidden","profile":"keycloak"}"#,
            r#"{"client_id":"a","client_secret":"hidden","realm":"x"}"#,
            r#"{"client_id":"a","client_secret":"hidden","secret":"hidden"}"#,
            r#"{"client_id":"a","client_secret":"hidden","tokens":[{"name":"x","account":"u","token":"hidden"}]}"#,
            r#"{"client_id":"a","client_secret":"hidden","tokens":[{"name":"","account":"u","token":"env:A"}]}"#,
        ] {
            let problem = parse(text).unwrap_err();
            assert!(!problem.contains("hidden"), "{problem}");
        }
    }
}
