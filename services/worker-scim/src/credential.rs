//! The credential document of a connection: who calls, and what the organisation decided about the application.
//!
//! A plain text is a bearer token. A JSON object has one of `token`, or `username` and `password`, and may have:
//! - `final_state`: `deleted` (default): a removal ends with DELETE; `inactive`: with `active` false, where the
//!   organisation keeps accounts;
//! - `replaces_members`: true where a group's members may be written as a whole list though the application gives no
//!   versions; a change by somebody else in the same moment could then be lost.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// In which state a removal leaves an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinalState {
    /// It does not exist any more.
    #[default]
    Deleted,
    /// It is inactive.
    Inactive,
}

/// A credential document that was read. Prints without its secret.
#[derive(Debug)]
pub struct Credential {
    /// The header of every call, marked sensitive.
    pub authorization: HeaderValue,
    /// In which state a removal leaves an account.
    pub final_state: FinalState,
    /// Whether members may be written as a whole list without a version.
    pub replaces_members: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    token: Option<SecretString>,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    password: Option<SecretString>,
    #[serde(default)]
    final_state: FinalState,
    #[serde(default)]
    replaces_members: bool,
}

impl Credential {
    /// Reads a credential.
    ///
    /// # Errors
    /// What is wrong with it, without its value.
    pub fn parse(secret: &SecretString) -> Result<Self, String> {
        let text = secret.expose_secret().trim();
        if text.is_empty() {
            return Err("is empty; put a bearer token or a JSON document there".to_owned());
        }
        let document = match text.starts_with('{') {
            true => serde_json::from_str(text).map_err(|_| {
                "is not JSON with token, or username and password, and perhaps final_state and replaces_members"
                    .to_owned()
            })?,
            false => Document {
                token: Some(text.into()),
                username: None,
                password: None,
                final_state: FinalState::default(),
                replaces_members: false,
            },
        };
        let header = match (&document.token, &document.username, &document.password) {
            (Some(token), None, None) => format!("Bearer {}", token.expose_secret()),
            (None, Some(username), Some(password)) => {
                let pair = format!("{username}:{}", password.expose_secret());
                format!("Basic {}", STANDARD.encode(pair))
            }
            _ => return Err("needs either token, or username and password".to_owned()),
        };
        let mut authorization = HeaderValue::from_str(&header)
            .map_err(|_| "holds characters that no credential has".to_owned())?;
        authorization.set_sensitive(true);
        Ok(Self {
            authorization,
            final_state: document.final_state,
            replaces_members: document.replaces_members,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> Result<String, String> {
        let credential = Credential::parse(&text.into())?;
        assert!(!format!("{credential:?}").contains("secret"));
        Ok(credential.authorization.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_text_and_a_document_are_read_and_never_printed() {
        assert_eq!(header(" secret\n").unwrap(), "Bearer secret");
        assert_eq!(
            header(r#"{"token":"secret","final_state":"inactive"}"#).unwrap(),
            "Bearer secret"
        );
        assert_eq!(
            header(r#"{"username":"a","password":"secret"}"#).unwrap(),
            "Basic YTpzZWNyZXQ="
        );
    }

    #[test]
    fn what_cannot_be_used_is_said_without_its_value() {
        for text in [
            "",
            "{}",
            r#"{"token":"secret","username":"a"}"#,
            r#"{"tokn":"secret"}"#,
            "secret\u{1}",
        ] {
            let problem = header(text).unwrap_err();
            assert!(!problem.contains("secret"), "{problem}");
        }
    }
}
