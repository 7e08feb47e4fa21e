//! What Okta's answers mean: one table over status and error code.

use serde::Deserialize;
use sever_domain::OutcomeClass;
use sever_provider::http::Reply;
use sever_provider::{CallError, Sent};

/// What one answer means, whatever was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// It worked.
    Done,
    /// The object named does not exist (E0000007). Okta says so of some calls on a deactivated user too.
    Gone,
    /// The object is not in a state in which this can be done.
    WrongState,
    /// The credential may not do this.
    Forbidden,
    /// The org lacks the feature, or the object does not take the operation.
    Unsupported,
    /// A group still grants what was to be taken; it passes with the group, if that goes.
    GroupStillGrants,
    /// Anything else, by class and by whether it can have had its effect.
    Failed(OutcomeClass, Sent),
}

/// The table (core Okta API reference "Errors"; error code list). Only the code is a contract: a 404
/// without E0000007 means a wrong address, never that something is gone.
#[must_use]
pub fn meaning(status: u16, code: Option<&str>) -> Meaning {
    use Meaning::{Done, Failed, Forbidden, Gone, GroupStillGrants, Unsupported, WrongState};
    let not_applied = |class| Failed(class, Sent::NotApplied);
    match (status, code.unwrap_or_default()) {
        (200..=299, _) => Done,
        (404, "E0000007") => Gone,
        (400, "E0000001") | (403, "E0000016" | "E0000038" | "E0000107") => WrongState,
        (401, "E0000015") | (501, "E0000060") => Unsupported,
        (401, _) | (403, "E0000005") => not_applied(OutcomeClass::Credentials),
        (403, "E0000046") => GroupStillGrants,
        (403, _) => Forbidden,
        (405, "E0000078") => Forbidden,
        (408, _) => Failed(OutcomeClass::Retry, Sent::MayBeApplied),
        (409 | 412 | 425 | 429, _) => not_applied(OutcomeClass::Retry),
        (500..=599, _) => Failed(OutcomeClass::Retry, Sent::MayBeApplied),
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
            Self::GroupStillGrants => (OutcomeClass::Wait, Sent::NotApplied),
            Self::WrongState | Self::Forbidden | Self::Unsupported => {
                (OutcomeClass::NeedsPerson, Sent::NotApplied)
            }
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Done => "the answer cannot be used",
            Self::Gone => "the object is not there",
            Self::WrongState => "the account's or object's state does not allow it",
            Self::Forbidden => "the credential may not do it, or another system owns the object",
            Self::Unsupported => "the organization or the object does not support it",
            Self::GroupStillGrants => "a group still grants the application",
            Self::Failed(OutcomeClass::Credentials, _) => "the credential was refused",
            Self::Failed(OutcomeClass::Permanent, _) => {
                "the request was refused as wrong; check the connection's base URL"
            }
            Self::Failed(_, _) => "the provider cannot do it now",
        }
    }
}

/// Whether Okta says that what was to be given is given already: other conflicts, such as a user who is still being
/// activated, pass.
#[must_use]
pub fn is_there_already(error: &CallError) -> bool {
    error.status == Some(409) && matches!(error.code.as_deref(), Some("E0000062" | "E0000090"))
}

/// An answer that was no success, with its meaning; the body's summary is not kept, as it may name people.
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

/// The error code of a body, where it has one that looks like one. `errorCauses` is not read: it comes as
/// an array or as an object.
fn error_code(reply: &Reply) -> Option<String> {
    #[derive(Deserialize)]
    struct Body {
        #[serde(rename = "errorCode")]
        error_code: String,
    }
    let code = reply.json::<Body>().ok()?.error_code;
    let plausible = code.len() <= 16 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    plausible.then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use OutcomeClass::{Credentials, NeedsPerson, Permanent, Retry, Wait};
    use Sent::{MayBeApplied, NotApplied};

    #[test]
    fn every_documented_code_has_its_class() {
        for (status, code, expected) in [
            (400, "E0000001", (NeedsPerson, NotApplied)),
            (400, "E0000003", (Permanent, NotApplied)),
            (400, "E0000021", (Permanent, NotApplied)),
            (405, "E0000022", (Permanent, NotApplied)),
            (401, "E0000004", (Credentials, NotApplied)),
            (401, "E0000011", (Credentials, NotApplied)),
            (403, "E0000005", (Credentials, NotApplied)),
            (403, "E0000006", (NeedsPerson, NotApplied)),
            (404, "E0000007", (Retry, NotApplied)),
            (404, "E0000008", (Permanent, NotApplied)),
            (404, "", (Permanent, NotApplied)),
            (500, "E0000009", (Retry, MayBeApplied)),
            (503, "E0000010", (Retry, MayBeApplied)),
            (401, "E0000015", (NeedsPerson, NotApplied)),
            (403, "E0000016", (NeedsPerson, NotApplied)),
            (403, "E0000023", (NeedsPerson, NotApplied)),
            (403, "E0000111", (NeedsPerson, NotApplied)),
            (400, "E0000031", (Permanent, NotApplied)),
            (400, "E0000033", (Permanent, NotApplied)),
            (403, "E0000038", (NeedsPerson, NotApplied)),
            (403, "E0000046", (Wait, NotApplied)),
            (429, "E0000047", (Retry, NotApplied)),
            (403, "E0000056", (NeedsPerson, NotApplied)),
            (501, "E0000060", (NeedsPerson, NotApplied)),
            (409, "E0000062", (Retry, NotApplied)),
            (403, "E0000075", (NeedsPerson, NotApplied)),
            (405, "E0000078", (NeedsPerson, NotApplied)),
            (409, "E0000090", (Retry, NotApplied)),
            (403, "E0000107", (NeedsPerson, NotApplied)),
            (409, "E0000112", (Retry, NotApplied)),
            (412, "E0000231", (Retry, NotApplied)),
            (401, "", (Credentials, NotApplied)),
            (403, "", (NeedsPerson, NotApplied)),
            (408, "", (Retry, MayBeApplied)),
            (410, "", (Permanent, NotApplied)),
            (411, "", (Permanent, NotApplied)),
            (412, "", (Retry, NotApplied)),
            (429, "", (Retry, NotApplied)),
            (500, "", (Retry, MayBeApplied)),
            (504, "", (Retry, MayBeApplied)),
            (302, "", (Permanent, NotApplied)),
            (502, "", (Retry, MayBeApplied)),
        ] {
            let meaning = meaning(status, Some(code).filter(|code| !code.is_empty()));
            assert_eq!(
                meaning.as_failure(),
                expected,
                "{status} {code}: {meaning:?}"
            );
        }
    }

    #[test]
    fn only_a_missing_object_is_gone() {
        for status in 100..600 {
            for code in [None, Some("E0000007"), Some("E0000008"), Some("E0000006")] {
                let gone = meaning(status, code) == Meaning::Gone;
                assert_eq!(
                    gone,
                    status == 404 && code == Some("E0000007"),
                    "{status} {code:?}"
                );
            }
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
