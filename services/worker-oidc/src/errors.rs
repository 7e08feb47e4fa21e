//! What a provider's answers mean: one table over status and `error`.

use serde_json::Value;
use sever_domain::OutcomeClass;
use sever_provider::http::Reply;
use sever_provider::{CallError, Sent};

/// What one answer means, whatever was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// It worked.
    Done,
    /// The object named is not there.
    Gone,
    /// The credential may not do this.
    Forbidden,
    /// The provider does not offer it, or not for this object.
    Unsupported,
    /// Anything else, by class and by whether it can have had its effect.
    Failed(OutcomeClass, Sent),
}

/// The table: RFC 6749 section 5.2, RFC 7009 section 2.2.1, RFC 7662 section 2.3, the draft of global token revocation, and
/// Keycloak's administration API. `invalid_client` is about the credential whatever the status.
#[must_use]
pub fn meaning(status: u16, error: Option<&str>) -> Meaning {
    use Meaning::{Done, Failed, Forbidden, Gone, Unsupported};
    let not_applied = |class| Failed(class, Sent::NotApplied);
    match (status, error.unwrap_or_default()) {
        (200..=299, _) => Done,
        (400 | 401, "invalid_client" | "unauthorized_client") => {
            not_applied(OutcomeClass::Credentials)
        }
        (400, "unsupported_token_type" | "unsupported_grant_type") => Unsupported,
        // The token is another client's: only that client can revoke it.
        (400, "invalid_grant") => not_applied(OutcomeClass::NeedsPerson),
        (401, _) => not_applied(OutcomeClass::Credentials),
        (403, _) => Forbidden,
        (404 | 410, _) => Gone,
        (405 | 501, _) => Unsupported,
        // The account is known and cannot be logged out (draft of global token revocation).
        (422, _) => not_applied(OutcomeClass::NeedsPerson),
        (409 | 412 | 425 | 429, _) => not_applied(OutcomeClass::Retry),
        // Keycloak answers 400 where a user or client could not be changed.
        (400, "unknown_error") => not_applied(OutcomeClass::NeedsPerson),
        (408 | 500..=599, _) => Failed(OutcomeClass::Retry, Sent::MayBeApplied),
        (_, _) => not_applied(OutcomeClass::Permanent),
    }
}

impl Meaning {
    /// The class and effect of this answer where nothing better is known of it than that it was no success.
    #[must_use]
    pub const fn as_failure(self) -> (OutcomeClass, Sent) {
        match self {
            // A success that cannot be used (another account, an unreadable body) needs a person.
            Self::Done => (OutcomeClass::NeedsPerson, Sent::MayBeApplied),
            Self::Failed(class, sent) => (class, sent),
            Self::Gone => (OutcomeClass::Retry, Sent::NotApplied),
            Self::Forbidden | Self::Unsupported => (OutcomeClass::NeedsPerson, Sent::NotApplied),
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Done => "the answer cannot be used",
            Self::Gone => "the object is not there",
            Self::Forbidden => "the client may not do it; give its service account the role",
            Self::Unsupported => "the provider does not offer it",
            Self::Failed(OutcomeClass::Credentials, _) => "the client was refused",
            Self::Failed(OutcomeClass::NeedsPerson, _) => {
                "the provider cannot do it for this object"
            }
            Self::Failed(OutcomeClass::Permanent, _) => {
                "the request was refused as wrong; check the connection's base URL and realm"
            }
            Self::Failed(_, _) => "the provider cannot do it now",
        }
    }
}

/// An answer that was no success, with its meaning; descriptions are not kept, as they may name people.
#[must_use]
pub fn refusal(
    doing: &'static str,
    reply: &Reply,
    provider_request_id: Option<String>,
) -> (Meaning, CallError) {
    let status = reply.status.as_u16();
    let code = error_code(reply);
    let meaning = meaning(status, code.as_deref());
    let (class, sent) = meaning.as_failure();
    let error = CallError {
        doing,
        what: format!("HTTP {status}: {}", meaning.words()),
        class,
        sent,
        status: Some(status),
        code,
        provider_request_id,
        retry_after: None,
    };
    (meaning, error)
}

/// The `error` of a body, where it looks like a code; Keycloak writes sentences there too.
fn error_code(reply: &Reply) -> Option<String> {
    let body: Value = reply.json().ok()?;
    let code = body.get("error")?.as_str()?;
    let plausible = code.len() <= 40
        && code
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    plausible.then(|| code.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use OutcomeClass::{Credentials, NeedsPerson, Permanent, Retry};
    use Sent::{MayBeApplied, NotApplied};

    #[test]
    fn every_documented_answer_has_its_class() {
        for (status, error, expected) in [
            (302, "", (Permanent, NotApplied)),
            (400, "invalid_request", (Permanent, NotApplied)),
            (400, "invalid_client", (Credentials, NotApplied)),
            (401, "invalid_client", (Credentials, NotApplied)),
            (400, "unauthorized_client", (Credentials, NotApplied)),
            (400, "invalid_grant", (NeedsPerson, NotApplied)),
            (400, "unsupported_grant_type", (NeedsPerson, NotApplied)),
            (400, "unsupported_token_type", (NeedsPerson, NotApplied)),
            (400, "invalid_scope", (Permanent, NotApplied)),
            (400, "unknown_error", (NeedsPerson, NotApplied)),
            (401, "", (Credentials, NotApplied)),
            (403, "", (NeedsPerson, NotApplied)),
            (404, "", (Retry, NotApplied)),
            (405, "", (NeedsPerson, NotApplied)),
            (408, "", (Retry, MayBeApplied)),
            (409, "", (Retry, NotApplied)),
            (410, "", (Retry, NotApplied)),
            (412, "", (Retry, NotApplied)),
            (422, "", (NeedsPerson, NotApplied)),
            (429, "", (Retry, NotApplied)),
            (500, "", (Retry, MayBeApplied)),
            (501, "", (NeedsPerson, NotApplied)),
            (502, "", (Retry, MayBeApplied)),
            (503, "", (Retry, MayBeApplied)),
            (504, "", (Retry, MayBeApplied)),
        ] {
            let meaning = meaning(status, Some(error).filter(|word| !word.is_empty()));
            assert_eq!(
                meaning.as_failure(),
                expected,
                "{status} {error}: {meaning:?}"
            );
        }
    }

    #[test]
    fn nothing_but_a_success_is_done() {
        for status in 100..600 {
            let done = meaning(status, None) == Meaning::Done;
            assert_eq!(done, (200..300).contains(&status), "{status}");
        }
    }
}
