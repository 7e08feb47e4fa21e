//! What a refused read says of its family.

use sever_domain::entitlement::FamilyResult;
use sever_provider::CallError;
use sever_provider::family::Refusal;
pub use sever_provider::family::{complete, outcome, seen, unsupported};

use crate::app::Refused;
use crate::errors::Meaning;

impl Refusal for Refused {
    fn result(&self) -> FamilyResult {
        match self.meaning {
            Meaning::NoMethod | Meaning::Gone => FamilyResult::Unsupported,
            Meaning::Forbidden => FamilyResult::Forbidden,
            Meaning::Done
            | Meaning::NoTarget
            | Meaning::NoFilter
            | Meaning::WrongForm
            | Meaning::Failed(_, _) => FamilyResult::Failed,
        }
    }

    fn into_error(self) -> CallError {
        self.error
    }
}

#[cfg(test)]
mod tests {
    use sever_domain::OutcomeClass::Retry;
    use sever_provider::Sent::NotApplied;

    use super::*;
    use crate::app::unusable;

    #[test]
    fn a_refusal_is_told_apart_from_a_missing_endpoint_and_from_a_fault() {
        use FamilyResult::{Failed, Forbidden, Unsupported};
        for (meaning, expected) in [
            (Meaning::Forbidden, Forbidden),
            (Meaning::NoMethod, Unsupported),
            (Meaning::Gone, Unsupported),
            (Meaning::WrongForm, Failed),
            (Meaning::Failed(Retry, NotApplied), Failed),
        ] {
            let error = unusable("reading", "refused".into());
            assert_eq!(Refused { meaning, error }.result(), expected, "{meaning:?}");
        }
    }
}
