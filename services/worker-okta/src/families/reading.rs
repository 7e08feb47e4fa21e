//! What a refused read says of its family.

use sever_domain::entitlement::FamilyResult;
use sever_provider::CallError;
use sever_provider::family::Refusal;
pub use sever_provider::family::{complete, outcome, unsupported};

use crate::errors::Meaning;
use crate::org::Refused;

impl Refusal for Refused {
    fn result(&self) -> FamilyResult {
        match self.meaning {
            Meaning::Unsupported => FamilyResult::Unsupported,
            Meaning::Forbidden => FamilyResult::Forbidden,
            Meaning::Done
            | Meaning::Gone
            | Meaning::WrongState
            | Meaning::GroupStillGrants
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
    use crate::org::unusable;

    #[test]
    fn a_refusal_is_told_apart_from_a_missing_feature_and_from_a_fault() {
        use FamilyResult::{Failed, Forbidden, Unsupported};
        for (meaning, expected) in [
            (Meaning::Forbidden, Forbidden),
            (Meaning::Unsupported, Unsupported),
            (Meaning::Gone, Failed),
            (Meaning::Failed(Retry, NotApplied), Failed),
        ] {
            let error = unusable("reading", "refused".into());
            assert_eq!(Refused { meaning, error }.result(), expected, "{meaning:?}");
        }
    }
}
