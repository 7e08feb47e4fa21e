//! What the standards do with a token whose value is known: revocation (RFC 7009), introspection (RFC 7662); and with a
//! subject: global token revocation.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use sever_domain::OutcomeClass;
use sever_provider::http::{Call, Method, Priority};
use sever_provider::{Answer, CallError};
use tokio::time::Instant;

use crate::client_auth::ClientAuth;
use crate::credential::{Subject, SubjectFormat, SubjectMember};
use crate::errors::Meaning;
use crate::issuer::{Issuer, Refused, inconsistent, unusable};

/// What introspection says of a token.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct Introspected {
    /// Whether it works.
    pub active: bool,
    /// Whose it is.
    #[serde(default, deserialize_with = "text")]
    sub: Option<String>,
    /// When it was issued, in seconds since the Unix epoch.
    #[serde(default, deserialize_with = "whole_seconds")]
    iat: Option<i64>,
    /// When it ends.
    #[serde(default, deserialize_with = "whole_seconds")]
    exp: Option<i64>,
}

impl Introspected {
    /// Whether it works and is somebody else's than `account`'s. A token whose owner is not told counts as the account's.
    #[must_use]
    pub fn is_of_another(&self, account: &str) -> bool {
        self.active && self.sub.as_deref().is_some_and(|sub| sub != account)
    }

    /// How long it works from its issue, in seconds, where it tells both moments.
    #[must_use]
    pub fn lifetime_s(&self) -> Option<u64> {
        u64::try_from(self.exp?.checked_sub(self.iat?)?).ok()
    }

    /// How long it works from `now` on, in seconds, where it tells when it ends; 0 where that is over.
    #[must_use]
    pub fn ends_in_s(&self, now: Timestamp) -> Option<u64> {
        Some(u64::try_from(self.exp?.saturating_sub(now.as_second())).unwrap_or(0))
    }
}

fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::String(text) => Some(text),
        _ => None,
    })
}

/// A NumericDate (RFC 7519 section 2) may have a fraction, and some providers write it as text; what is neither is not told.
fn whole_seconds<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    let text = match Value::deserialize(from)? {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text,
        _ => return Ok(None),
    };
    let whole = text
        .split_once('.')
        .map_or(text.as_str(), |(whole, _)| whole);
    Ok(whole.parse().ok())
}

/// Asks about a token, as our own client; `None` where the provider offers no introspection.
///
/// # Errors
/// As any read.
pub async fn introspect(
    issuer: &Issuer,
    token: &SecretString,
) -> Result<Option<Introspected>, Refused> {
    const DOING: &str = "introspecting a token";
    let Some(endpoint) = &issuer.metadata().await?.introspection else {
        return Ok(None);
    };
    let fields = [("token", token.expose_secret())];
    let reply = issuer
        .post(
            DOING,
            "introspection",
            endpoint,
            &issuer.client,
            &fields,
            None,
        )
        .await?;
    let told = reply
        .json()
        .map_err(|_| inconsistent(DOING, "the answer does not say whether the token is active"))?;
    Ok(Some(told))
}

/// Revokes a token, as the client it was given to. The provider answers 200 to what it does not know as well: only a read
/// afterwards tells.
///
/// # Errors
/// By what the answer means; class `NeedsPerson` where the provider offers no revocation.
pub async fn revoke(
    issuer: &Issuer,
    client: &ClientAuth,
    token: &SecretString,
    hint: &str,
    until: Instant,
) -> Result<Answer, CallError> {
    const DOING: &str = "revoking a token";
    let metadata = issuer.metadata().await?;
    let endpoint = metadata.revocation.as_ref().ok_or_else(|| {
        let what = "the provider offers no revocation: somebody must end the token there";
        unusable(DOING, what.to_owned())
    })?;
    let fields = [("token", token.expose_secret()), ("token_type_hint", hint)];
    let sent = issuer
        .post(DOING, "revocation", endpoint, client, &fields, Some(until))
        .await;
    match sent {
        Ok(reply) => Ok(issuer.done(&reply)),
        Err(refused) => Err(refused.error),
    }
}

/// Ends every session and refresh token of a subject.
///
/// # Errors
/// By what the answer means; class `NeedsPerson` where the provider does not offer it, or knows the subject and cannot.
pub async fn revoke_everything(
    issuer: &Issuer,
    account: &str,
    until: Instant,
) -> Result<Answer, CallError> {
    const DOING: &str = "ending every session and token of the account";
    let metadata = issuer.metadata().await?;
    let url = metadata.global_revocation.clone().ok_or_else(|| {
        let what = "the provider offers no global token revocation";
        unusable(DOING, what.to_owned())
    })?;
    let subject = subject(issuer.subject, &metadata.issuer, account);
    let mut call = Call::new(DOING, "revocation", "revocation", Method::POST, url);
    call.body = Some(("application/json", subject.to_string()));
    let call = call.with_priority(Priority::Containing).until(Some(until));
    match issuer.send(call).await {
        Ok(reply) => {
            issuer.subjects.note(account);
            Ok(issuer.done(&reply))
        }
        // A subject that was known before is gone, and nothing is left to revoke (section 3 of the draft).
        Err(refused) if refused.meaning == Meaning::Gone && issuer.subjects.knows(account) => {
            Ok(refused.already())
        }
        // Nothing else checks what was imported: a wrong subject, a wrong format and a wrong address answer the same.
        Err(refused) if refused.meaning == Meaning::Gone => Err(CallError {
            class: OutcomeClass::NeedsPerson,
            what: "the provider does not know this subject: check the sub that was imported, and the connection's subject \
                format"
                .to_owned(),
            ..refused.error
        }),
        Err(refused) => Err(refused.error),
    }
}

/// The subjects for which the provider has accepted a global revocation, for as long as the process runs.
#[derive(Debug, Default)]
pub struct Subjects(Mutex<HashSet<String>>);

impl Subjects {
    fn note(&self, account: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(account.to_owned());
    }

    fn knows(&self, account: &str) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.contains(account)
    }
}

fn subject(named: Subject, issuer: &str, account: &str) -> Value {
    let identifier = match named.format {
        SubjectFormat::Opaque => json!({ "format": "opaque", "id": account }),
        SubjectFormat::IssSub => json!({ "format": "iss_sub", "iss": issuer, "sub": account }),
    };
    match named.member {
        SubjectMember::SubId => json!({ "sub_id": identifier }),
        SubjectMember::Subject => json!({ "subject": identifier }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_needs_both_moments_and_never_is_negative() {
        let told = |text: &str| -> Introspected { serde_json::from_str(text).unwrap() };
        assert_eq!(
            told(r#"{"active":true,"iat":100,"exp":400,"x":[]}"#).lifetime_s(),
            Some(300)
        );
        assert_eq!(told(r#"{"active":true,"exp":400}"#).lifetime_s(), None);
        assert_eq!(
            told(r#"{"active":true,"iat":400,"exp":100}"#).lifetime_s(),
            None
        );
        assert_eq!(
            told(r#"{"active":true,"iat":100.5,"exp":"400"}"#).lifetime_s(),
            Some(300)
        );
        let soon = told(r#"{"active":true,"exp":400}"#);
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(
            (soon.ends_in_s(at(100)), soon.ends_in_s(at(500))),
            (Some(300), Some(0))
        );
        assert!(!told(r#"{"active":false,"exp":[]}"#).active);
        for (text, expected) in [
            (r#"{"active":true,"sub":"u2"}"#, true),
            (r#"{"active":true,"sub":"u1"}"#, false),
            (r#"{"active":true,"sub":[]}"#, false),
            (r#"{"active":true}"#, false),
            (r#"{"active":false,"sub":"u2"}"#, false),
        ] {
            assert_eq!(told(text).is_of_another("u1"), expected, "{text}");
        }
        assert!(serde_json::from_str::<Introspected>("{}").is_err());
    }
}
