//! From the answers of a family of entitlements to its reading.

use sever_domain::entitlement::{Entitlement, FamilyReading, FamilyResult};
use sever_domain::{EntitlementKind, OutcomeClass};

use crate::call::CallError;

/// The longest key that is stored, in characters.
const KEY_CHARS_MAX: usize = 512;

/// A refused read, as one provider words it.
pub trait Refusal {
    /// What the refusal says of the family: `Complete` where nothing of it can exist (a feature without its
    /// licence), otherwise why it is not known.
    fn result(&self) -> FamilyResult;

    /// The call's error.
    fn into_error(self) -> CallError;
}

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

/// A family whose entitlements were all seen: failed where one has no usable key, as it could neither be
/// removed nor proven gone.
#[must_use]
pub fn seen(family: EntitlementKind, entitlements: Vec<Entitlement>) -> FamilyReading {
    if entitlements.iter().all(has_usable_key) {
        return complete(family, entitlements);
    }
    let detail = "an entitlement has no usable key".to_owned();
    incomplete(family, FamilyResult::Failed, detail)
}

/// What a family's read came to. What no repetition brings is a person's, as what is forbidden: it is not retried for hours.
///
/// # Errors
/// What would stop every other read too: credentials, rate, shutting down.
pub fn outcome<R: Refusal>(
    family: EntitlementKind,
    read: Result<Vec<Entitlement>, R>,
) -> Result<FamilyReading, CallError> {
    let refused = match read {
        Ok(entitlements) => return Ok(seen(family, entitlements)),
        Err(refused) => refused,
    };
    let result = refused.result();
    let error = refused.into_error();
    match error.class {
        OutcomeClass::Credentials | OutcomeClass::RetryAt | OutcomeClass::ShuttingDown => {
            Err(error)
        }
        _ if result == FamilyResult::Complete => Ok(complete(family, Vec::new())),
        OutcomeClass::Permanent | OutcomeClass::NeedsPerson if result == FamilyResult::Failed => {
            let why = match &error.code {
                Some(code) => format!("{} ({code})", error.what),
                None => error.what,
            };
            Ok(incomplete(family, FamilyResult::Forbidden, why))
        }
        _ => Ok(incomplete(family, result, error.code.unwrap_or(error.what))),
    }
}

/// A family of which something was seen, and the rest was refused: what was seen is kept beside the refusal.
///
/// # Errors
/// As [`outcome`].
pub fn seen_beside<R: Refusal>(
    family: EntitlementKind,
    entitlements: Vec<Entitlement>,
    refused: R,
) -> Result<FamilyReading, CallError> {
    let usable = entitlements.into_iter().filter(has_usable_key).collect();
    Ok(FamilyReading {
        entitlements: usable,
        ..outcome(family, Err(refused))?
    })
}

fn has_usable_key(entitlement: &Entitlement) -> bool {
    !entitlement.provider_key.is_empty()
        && entitlement.provider_key.chars().count() <= KEY_CHARS_MAX
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::call::Sent;

    struct Refused(FamilyResult, OutcomeClass);

    impl Refusal for Refused {
        fn result(&self) -> FamilyResult {
            self.0
        }

        fn into_error(self) -> CallError {
            CallError {
                doing: "reading",
                what: "refused".into(),
                class: self.1,
                sent: Sent::NotApplied,
                status: None,
                code: None,
                provider_request_id: None,
                retry_after: None,
            }
        }
    }

    fn refused(result: FamilyResult, class: OutcomeClass) -> Result<FamilyResult, OutcomeClass> {
        outcome(EntitlementKind::Group, Err(Refused(result, class)))
            .map(|reading| reading.result)
            .map_err(|error| error.class)
    }

    #[test]
    fn a_refusal_fails_its_family_and_what_stops_every_read_stops_here() {
        use FamilyResult::{Complete, Failed, Forbidden, Unsupported};
        for result in [Complete, Failed, Forbidden, Unsupported] {
            assert_eq!(refused(result, OutcomeClass::Retry), Ok(result));
            for class in [
                OutcomeClass::Credentials,
                OutcomeClass::RetryAt,
                OutcomeClass::ShuttingDown,
            ] {
                assert_eq!(refused(result, class), Err(class));
            }
        }
    }

    #[test]
    fn what_no_repetition_brings_is_a_persons_and_says_why() {
        for class in [OutcomeClass::Permanent, OutcomeClass::NeedsPerson] {
            let refused = Err(Refused(FamilyResult::Failed, class));
            let reading = outcome(EntitlementKind::Group, refused).unwrap();
            assert_eq!(reading.result, FamilyResult::Forbidden, "{class}");
            assert_eq!(reading.detail.as_deref(), Some("refused"));
        }
    }

    #[test]
    fn what_was_seen_is_kept_beside_a_refusal() {
        let held = |key: &str| Entitlement {
            kind: EntitlementKind::Group,
            provider_key: key.to_owned(),
            privileged: true,
            facts: Value::Null,
        };
        let refused = Refused(FamilyResult::Forbidden, OutcomeClass::NeedsPerson);
        let seen = vec![held("g"), held("")];
        let reading = seen_beside(EntitlementKind::Group, seen, refused).unwrap();
        assert_eq!(reading.result, FamilyResult::Forbidden);
        assert_eq!(reading.entitlements, [held("g")]);
    }

    #[test]
    fn an_entitlement_without_a_usable_key_fails_its_family() {
        for (key, expected) in [
            (String::new(), FamilyResult::Failed),
            ("k".repeat(KEY_CHARS_MAX + 1), FamilyResult::Failed),
            ("k".repeat(KEY_CHARS_MAX), FamilyResult::Complete),
        ] {
            let entitlement = Entitlement {
                kind: EntitlementKind::Group,
                provider_key: key,
                privileged: false,
                facts: Value::Null,
            };
            let reading = seen(EntitlementKind::Group, vec![entitlement]);
            assert_eq!(reading.result, expected);
        }
    }
}
