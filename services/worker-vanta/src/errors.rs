//! What Vanta's answers mean: one table over the status. Bodies of errors are not documented and not read.

use sever_domain::OutcomeClass;
use sever_provider::{CallError, Sent};
pub use sever_provider::{inconsistent, unusable};

/// What one answer means, whatever was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// It worked; a bulk answer still says of each item what became of it.
    Done,
    /// The object or the path does not exist; nothing tells which.
    Gone,
    /// The path does not take the method.
    NotOffered,
    /// The application's scopes do not allow it.
    Forbidden,
    /// Anything else, by class and by whether it can have had its effect.
    Failed(OutcomeClass, Sent),
}

/// The table (API overview and FAQ; statuses that public clients have seen).
#[must_use]
pub const fn meaning(status: u16) -> Meaning {
    use Meaning::{Done, Failed, Forbidden, Gone, NotOffered};
    match status {
        200..=299 => Done,
        404 | 410 => Gone,
        405 | 501 => NotOffered,
        401 => Failed(OutcomeClass::Credentials, Sent::NotApplied),
        403 => Forbidden,
        408 => Failed(OutcomeClass::Retry, Sent::MayBeApplied),
        409 | 412 | 425 | 429 => Failed(OutcomeClass::Retry, Sent::NotApplied),
        500..=599 => Failed(OutcomeClass::Retry, Sent::MayBeApplied),
        _ => Failed(OutcomeClass::Permanent, Sent::NotApplied),
    }
}

impl Meaning {
    /// The class and effect of this answer where nothing better is known of it than that it was no success.
    #[must_use]
    pub const fn as_failure(self) -> (OutcomeClass, Sent) {
        match self {
            // A success that cannot be used needs a person.
            Self::Done => (OutcomeClass::NeedsPerson, Sent::MayBeApplied),
            Self::Failed(class, sent) => (class, sent),
            Self::Gone => (OutcomeClass::Retry, Sent::NotApplied),
            Self::NotOffered | Self::Forbidden => (OutcomeClass::NeedsPerson, Sent::NotApplied),
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Done => "the answer cannot be used",
            Self::Gone => "the object, or the path in this tenant, is not there",
            Self::NotOffered => "this tenant does not offer it",
            Self::Forbidden => "the API application's scopes do not allow it",
            Self::Failed(OutcomeClass::Credentials, _) => "the token was refused",
            Self::Failed(OutcomeClass::Permanent, _) => {
                "the request was refused as wrong; check the connection's base URL"
            }
            Self::Failed(_, _) => "the provider cannot do it now",
        }
    }
}

/// The error of an answer with this status, which was no success.
#[must_use]
pub fn refusal(doing: &'static str, status: u16) -> Refused {
    let meaning = meaning(status);
    let (class, sent) = meaning.as_failure();
    let error = CallError {
        class,
        sent,
        status: Some(status),
        ..unusable(doing, format!("HTTP {status}: {}", meaning.words()))
    };
    Refused { meaning, error }
}

/// A call that gave no success: what it means, and the error to hand on.
#[derive(Debug)]
pub struct Refused {
    /// What the answer means; `Failed` where there was none.
    pub meaning: Meaning,
    /// The error.
    pub error: CallError,
}

impl From<CallError> for Refused {
    fn from(error: CallError) -> Self {
        Self {
            meaning: Meaning::Failed(error.class, error.sent),
            error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use OutcomeClass::{Credentials, NeedsPerson, Permanent, Retry};
    use Sent::{MayBeApplied, NotApplied};

    #[test]
    fn every_documented_status_has_its_class() {
        for (status, expected) in [
            (400, (Permanent, NotApplied)),
            (401, (Credentials, NotApplied)),
            (403, (NeedsPerson, NotApplied)),
            (404, (Retry, NotApplied)),
            (405, (NeedsPerson, NotApplied)),
            (408, (Retry, MayBeApplied)),
            (409, (Retry, NotApplied)),
            (410, (Retry, NotApplied)),
            (412, (Retry, NotApplied)),
            (422, (Permanent, NotApplied)),
            (429, (Retry, NotApplied)),
            (500, (Retry, MayBeApplied)),
            (502, (Retry, MayBeApplied)),
            (503, (Retry, MayBeApplied)),
            (504, (Retry, MayBeApplied)),
            (302, (Permanent, NotApplied)),
        ] {
            assert_eq!(meaning(status).as_failure(), expected, "{status}");
        }
    }

    #[test]
    fn nothing_but_a_success_is_done_and_nothing_but_404_and_410_is_gone() {
        for status in 100..600 {
            let meaning = meaning(status);
            assert_eq!(
                meaning == Meaning::Done,
                (200..300).contains(&status),
                "{status}"
            );
            assert_eq!(
                meaning == Meaning::Gone,
                matches!(status, 404 | 410),
                "{status}"
            );
        }
    }

    #[test]
    fn a_refusal_says_what_was_done_and_never_its_body() {
        let refused = refusal("reading the person", 403);
        assert_eq!(
            refused.error.to_string(),
            "reading the person failed: HTTP 403: the API application's scopes do not allow it"
        );
    }
}
