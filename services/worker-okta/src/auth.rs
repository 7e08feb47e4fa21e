//! Who calls: an SSWS token, or a service app with `private_key_jwt`.

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use sever_domain::OutcomeClass;
use sever_provider::http::ProviderHttp;
use sever_provider::{CallError, TokenRefusals};
use tokio::time::Instant;

use crate::service_app::ServiceApp;

/// The credential of a connection. Prints without its secret.
#[derive(Debug)]
pub enum Credential {
    /// An API token: `Authorization: SSWS …`, with the rights of its creator.
    Ssws(HeaderValue),
    /// A service app; its access tokens live an hour and are minted anew.
    ServiceApp(ServiceApp),
}

/// The header of one call, and when its token was made.
#[derive(Debug, Clone)]
pub struct Authorization {
    /// The header, marked sensitive.
    pub header: HeaderValue,
    /// Of a minted token.
    pub minted_at: Option<Instant>,
    /// What became of such tokens.
    pub refusals: TokenRefusals,
}

impl Credential {
    /// Reads a credential: JSON `{"client_id", "kid", "key", "scopes"?}` is a service app, anything else
    /// an SSWS token.
    ///
    /// # Errors
    /// What is wrong with it, without its value.
    pub fn parse(secret: &SecretString) -> Result<Self, String> {
        let text = secret.expose_secret().trim();
        if text.starts_with('{') {
            return ServiceApp::parse(text).map(Self::ServiceApp);
        }
        if text.is_empty() {
            return Err("is empty; put an API token or a service app's JSON there".to_owned());
        }
        sensitive(&format!("SSWS {text}"))
            .map(Self::Ssws)
            .ok_or_else(|| "holds characters that no API token has".to_owned())
    }

    /// Whether it belongs to a user's account.
    #[must_use]
    pub const fn has_owner(&self) -> bool {
        matches!(self, Self::Ssws(_))
    }

    /// The client id of a service app.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        match self {
            Self::Ssws(_) => None,
            Self::ServiceApp(app) => Some(app.client_id()),
        }
    }

    /// The header for a call; a service app mints a token where it has none, one at a time.
    ///
    /// # Errors
    /// As any call, of the token endpoint.
    pub async fn header(
        &self,
        http: &ProviderHttp,
        until: Option<Instant>,
    ) -> Result<Authorization, CallError> {
        match self {
            Self::Ssws(header) => Ok(Authorization {
                header: header.clone(),
                minted_at: None,
                refusals: TokenRefusals::default(),
            }),
            Self::ServiceApp(app) => app.header(http, until).await,
        }
    }

    /// The class of a 401: a retry with a new token, where another one can be made and was not refused too.
    pub async fn refused(&self, used: &Authorization) -> OutcomeClass {
        match self {
            Self::Ssws(_) => OutcomeClass::Credentials,
            Self::ServiceApp(app) => app.refused(used).await,
        }
    }
}

/// A header that is never printed; `None` where the text cannot be one.
pub fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut header = HeaderValue::from_str(text).ok()?;
    header.set_sensitive(true);
    Some(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_text_is_an_ssws_token_and_is_not_printed() {
        let credential = Credential::parse(&" 00secret\n".into()).unwrap();
        assert!(credential.has_owner());
        assert!(!format!("{credential:?}").contains("00secret"));
    }

    #[test]
    fn what_cannot_be_used_is_said_without_its_value() {
        for secret in [
            "",
            "{\"client_id\":\"x\"}",
            "{\"client_id\":\"a\",\"kid\":\"b\",\"key\":\"secret\"}",
            "a\u{1}b",
        ] {
            let problem = Credential::parse(&secret.into()).unwrap_err();
            assert!(!problem.contains("secret"), "{problem}");
        }
    }
}
