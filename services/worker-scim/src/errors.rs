//! What an application's answers mean: one table over status and `scimType` (RFC 7644 section 3.12).

use serde_json::Value;
use sever_domain::OutcomeClass;
use sever_provider::http::Reply;
use sever_provider::{CallError, Sent};

use crate::document::{Document, member, text_of};

/// What one answer means, whatever was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// It worked.
    Done,
    /// Nothing of that id, or no such endpoint: which of them, another read tells.
    Gone,
    /// The path of a PATCH picked nothing.
    NoTarget,
    /// The filter is not taken.
    NoFilter,
    /// The application does not take a request of this form; another form may work.
    WrongForm,
    /// The application has no such method.
    NoMethod,
    /// The credential may not do this.
    Forbidden,
    /// Anything else, by class and by whether it can have had its effect.
    Failed(OutcomeClass, Sent),
}

/// The table.
#[must_use]
pub fn meaning(status: u16, scim_type: Option<&str>) -> Meaning {
    use Meaning::{Done, Failed, Forbidden, Gone, NoFilter, NoMethod, NoTarget, WrongForm};
    let not_applied = |class| Failed(class, Sent::NotApplied);
    let kind = scim_type.unwrap_or_default().to_ascii_lowercase();
    match (status, kind.as_str()) {
        (200..=299, _) => Done,
        (400, "notarget") => NoTarget,
        (400, "invalidfilter" | "toomany") => NoFilter,
        // The list has to be begun anew (RFC 9865).
        (400, "expiredcursor" | "invalidcursor") => not_applied(OutcomeClass::Retry),
        (400 | 409, "uniqueness") | (403, "sensitive") | (413, _) => {
            not_applied(OutcomeClass::Permanent)
        }
        // 428: it takes no write without a version (RFC 6585 section 3), and another form carries one.
        (400 | 415 | 422 | 428, _) => WrongForm,
        (401, _) => not_applied(OutcomeClass::Credentials),
        (403, _) => Forbidden,
        (404 | 410, _) => Gone,
        (405 | 501, _) => NoMethod,
        (409 | 412 | 425 | 429, _) => not_applied(OutcomeClass::Retry),
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
            Self::NoTarget
            | Self::NoFilter
            | Self::WrongForm
            | Self::NoMethod
            | Self::Forbidden => (OutcomeClass::NeedsPerson, Sent::NotApplied),
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Done => "the answer cannot be used",
            Self::Gone => "the object or the endpoint is not there",
            Self::NoTarget => "the value is not there",
            Self::NoFilter => "the application does not take this filter",
            Self::WrongForm => "the application does not take this form of the request",
            Self::NoMethod => "the application has no such method",
            Self::Forbidden => "the credential may not do it",
            Self::Failed(OutcomeClass::Credentials, _) => "the credential was refused",
            Self::Failed(OutcomeClass::Permanent, _) => {
                "the request was refused as wrong; check the connection's base URL"
            }
            Self::Failed(_, _) => "the application cannot do it now",
        }
    }
}

/// An answer that was no success, with its meaning; `detail` is not kept, as it may name people.
#[must_use]
pub fn refusal(
    doing: &'static str,
    reply: &Reply,
    provider_request_id: Option<String>,
) -> (Meaning, CallError) {
    let status = reply.status.as_u16();
    let code = reply.json().ok().and_then(scim_type);
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

/// The `scimType` of an error body; also of one that wraps its errors in a list, as SCIM 1.1 did. `status` is not read:
/// it comes as a string or as a number, and the status line says the same.
fn scim_type(body: Value) -> Option<String> {
    let body = Document::of(body)?;
    let listed = || {
        let first = body.items("Errors")?.first()?.as_object()?;
        member(first, "scimType").and_then(text_of)
    };
    let code = body.text("scimType").or_else(listed)?;
    let plausible = code.len() <= 32 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    plausible.then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use OutcomeClass::{Credentials, NeedsPerson, Permanent, Retry};
    use Sent::{MayBeApplied, NotApplied};
    use serde_json::json;

    #[test]
    fn every_documented_status_has_its_class() {
        for (status, scim_type, expected) in [
            (302, "", (Permanent, NotApplied)),
            (307, "", (Permanent, NotApplied)),
            (308, "", (Permanent, NotApplied)),
            (400, "", (NeedsPerson, NotApplied)),
            (400, "invalidFilter", (NeedsPerson, NotApplied)),
            (400, "tooMany", (NeedsPerson, NotApplied)),
            (400, "uniqueness", (Permanent, NotApplied)),
            (400, "mutability", (NeedsPerson, NotApplied)),
            (400, "invalidSyntax", (NeedsPerson, NotApplied)),
            (400, "invalidPath", (NeedsPerson, NotApplied)),
            (400, "noTarget", (NeedsPerson, NotApplied)),
            (400, "invalidValue", (NeedsPerson, NotApplied)),
            (400, "invalidVers", (NeedsPerson, NotApplied)),
            (400, "expiredCursor", (Retry, NotApplied)),
            (400, "invalidCursor", (Retry, NotApplied)),
            (401, "", (Credentials, NotApplied)),
            (403, "", (NeedsPerson, NotApplied)),
            (403, "sensitive", (Permanent, NotApplied)),
            (404, "", (Retry, NotApplied)),
            (405, "", (NeedsPerson, NotApplied)),
            (408, "", (Retry, MayBeApplied)),
            (409, "", (Retry, NotApplied)),
            (409, "uniqueness", (Permanent, NotApplied)),
            (410, "", (Retry, NotApplied)),
            (412, "", (Retry, NotApplied)),
            (413, "", (Permanent, NotApplied)),
            (428, "", (NeedsPerson, NotApplied)),
            (429, "", (Retry, NotApplied)),
            (500, "", (Retry, MayBeApplied)),
            (501, "", (NeedsPerson, NotApplied)),
            (502, "", (Retry, MayBeApplied)),
            (503, "", (Retry, MayBeApplied)),
            (504, "", (Retry, MayBeApplied)),
        ] {
            let meaning = meaning(status, Some(scim_type).filter(|word| !word.is_empty()));
            assert_eq!(
                meaning.as_failure(),
                expected,
                "{status} {scim_type}: {meaning:?}"
            );
        }
    }

    #[test]
    fn both_shapes_of_errors_are_read() {
        for (body, expected) in [
            (
                json!({"status": "400", "scimType": "invalidPath"}),
                Some("invalidPath"),
            ),
            (
                json!({"status": 400, "SCIMType": "invalidPath"}),
                Some("invalidPath"),
            ),
            (
                json!({"Errors": [{"code": "400", "scimType": "noTarget"}]}),
                Some("noTarget"),
            ),
            (json!({"scimType": "two words and more"}), None),
            (json!(["x"]), None),
        ] {
            assert_eq!(scim_type(body.clone()).as_deref(), expected, "{body}");
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
