//! From the answers of a family to its reading.

use serde_json::Value;
use sever_domain::entitlement::{Entitlement, FamilyReading, FamilyResult};
use sever_domain::{EntitlementKind, OutcomeClass};
use sever_provider::CallError;

use crate::errors::{Meaning, Refused};

/// The longest key that is stored.
const KEY_CHARS_MAX: usize = 512;

/// A family that was read whole.
#[must_use]
pub fn complete(family: EntitlementKind, entitlements: Vec<Entitlement>) -> FamilyReading {
    FamilyReading {
        family,
        result: FamilyResult::Complete,
        detail: None,
        entitlements,
    }
}

/// A family for which there is no read.
#[must_use]
pub fn unsupported(family: EntitlementKind, detail: &str) -> FamilyReading {
    incomplete(family, FamilyResult::Unsupported, detail.to_owned())
}

fn incomplete(family: EntitlementKind, result: FamilyResult, detail: String) -> FamilyReading {
    FamilyReading {
        family,
        result,
        detail: Some(detail),
        entitlements: Vec::new(),
    }
}

/// What a family's read came to.
///
/// # Errors
/// What would stop every other read too: credentials, rate, shutting down.
pub fn outcome(
    family: EntitlementKind,
    read: Result<Vec<Entitlement>, Refused>,
) -> Result<FamilyReading, CallError> {
    let refused = match read {
        Ok(entitlements) if entitlements.iter().all(has_usable_key) => {
            return Ok(complete(family, entitlements));
        }
        Ok(_) => {
            let detail = "an entitlement has no usable key".to_owned();
            return Ok(incomplete(family, FamilyResult::Failed, detail));
        }
        Err(refused) => refused,
    };
    if matches!(
        refused.error.class,
        OutcomeClass::Credentials | OutcomeClass::RetryAt | OutcomeClass::ShuttingDown
    ) {
        return Err(refused.error);
    }
    let result = match refused.meaning {
        // Where it is not licensed, nothing can be activated.
        Meaning::Unlicensed => return Ok(complete(family, Vec::new())),
        Meaning::Denied => FamilyResult::Forbidden,
        _ => FamilyResult::Failed,
    };
    let detail = refused.error.code.unwrap_or(refused.error.what);
    Ok(incomplete(family, result, detail))
}

fn has_usable_key(entitlement: &Entitlement) -> bool {
    !entitlement.provider_key.is_empty()
        && entitlement.provider_key.chars().count() <= KEY_CHARS_MAX
}

/// A text member of an item, empty where it is missing: an entitlement without its key fails its family.
#[must_use]
pub fn text<'a>(item: &'a Value, member: &str) -> &'a str {
    item[member].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::unusable;

    fn read(meaning: Meaning) -> Result<FamilyResult, OutcomeClass> {
        let (class, sent) = meaning.as_failure();
        let error = CallError {
            class,
            sent,
            ..unusable("reading", "refused".into())
        };
        outcome(EntitlementKind::Group, Err(Refused { meaning, error }))
            .map(|reading| reading.result)
            .map_err(|error| error.class)
    }

    #[test]
    fn a_refusal_is_told_apart_from_a_missing_licence_and_from_a_fault() {
        use sever_provider::Sent::NotApplied;
        assert_eq!(read(Meaning::Denied), Ok(FamilyResult::Forbidden));
        assert_eq!(read(Meaning::Unlicensed), Ok(FamilyResult::Complete));
        assert_eq!(read(Meaning::Gone), Ok(FamilyResult::Failed));
        assert_eq!(
            read(Meaning::Failed(OutcomeClass::Retry, NotApplied)),
            Ok(FamilyResult::Failed)
        );
        assert_eq!(
            read(Meaning::Failed(OutcomeClass::Credentials, NotApplied)),
            Err(OutcomeClass::Credentials)
        );
    }

    #[test]
    fn an_entitlement_without_a_key_fails_its_family() {
        let nameless = Entitlement {
            kind: EntitlementKind::Group,
            provider_key: String::new(),
            privileged: false,
            facts: Value::Null,
        };
        let reading = outcome(EntitlementKind::Group, Ok(vec![nameless])).unwrap();
        assert_eq!(
            (reading.result, reading.entitlements.len()),
            (FamilyResult::Failed, 0)
        );
    }
}
