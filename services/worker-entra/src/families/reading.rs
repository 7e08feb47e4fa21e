//! What a refused read says of its family.

use serde_json::Value;
use sever_domain::EntitlementKind;
use sever_domain::entitlement::{Entitlement, FamilyReading, FamilyResult};
use sever_provider::CallError;
use sever_provider::family::{Refusal, seen_beside};
pub use sever_provider::family::{complete, outcome, unsupported};

use crate::errors::{Meaning, Refused};

impl Refusal for Refused {
    fn result(&self) -> FamilyResult {
        match self.meaning {
            // Where it is not licensed, nothing can be activated.
            Meaning::Unlicensed => FamilyResult::Complete,
            Meaning::Denied => FamilyResult::Forbidden,
            _ => FamilyResult::Failed,
        }
    }

    fn into_error(self) -> CallError {
        self.error
    }
}

/// A family of relations to groups. Where only their schedules may not be read, what the directory shows is kept beside the
/// refusal: it can be ended, and is in the pre-image.
///
/// # Errors
/// As [`outcome`].
pub fn with_schedules(
    family: EntitlementKind,
    items: Result<Vec<Value>, Refused>,
    schedules: &Result<Vec<Value>, Refused>,
    of: impl Fn(&[Value], Option<&[Value]>) -> Vec<Entitlement>,
) -> Result<FamilyReading, CallError> {
    match (items, schedules) {
        (Ok(items), Err(refused)) if refused.meaning == Meaning::Denied => {
            seen_beside(family, of(&items, None), refused.clone())
        }
        (Ok(items), Ok(schedules)) => outcome::<Refused>(family, Ok(of(&items, Some(schedules)))),
        (Err(refused), _) => outcome(family, Err(refused)),
        (Ok(_), Err(refused)) => outcome(family, Err(refused.clone())),
    }
}

/// A text member of an item, empty where it is missing: an entitlement without its key fails its family.
#[must_use]
pub fn text<'a>(item: &'a Value, member: &str) -> &'a str {
    item[member].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use sever_domain::OutcomeClass::Retry;
    use sever_provider::Sent::NotApplied;

    use super::*;
    use crate::service::unusable;

    #[test]
    fn a_refusal_is_told_apart_from_a_missing_licence_and_from_a_fault() {
        use FamilyResult::{Complete, Failed, Forbidden};
        for (meaning, expected) in [
            (Meaning::Denied, Forbidden),
            (Meaning::Unlicensed, Complete),
            (Meaning::Gone, Failed),
            (Meaning::Failed(Retry, NotApplied), Failed),
        ] {
            let error = unusable("reading", "refused".into());
            assert_eq!(Refused { meaning, error }.result(), expected, "{meaning:?}");
        }
    }
}
