//! What is to become of each entitlement: it goes, or it stays inert by a named rule.

use sever_domain::entitlement::Entitlement;
use sever_domain::plan::Disposition;
use sever_domain::{AccountState, EntitlementKind, Intent};

use crate::families::is_indirect;
use crate::rules::{GIVEN_BY_GROUP, INACTIVE_ACCOUNT};

/// What is to become of an entitlement that was read while the account was in this state.
#[must_use]
pub fn disposition(
    intent: Intent,
    account: AccountState,
    entitlement: &Entitlement,
) -> Disposition {
    let inert = |rule: &str| Disposition::Inert {
        rule: rule.to_owned(),
    };
    match (entitlement.kind, intent) {
        (EntitlementKind::Account | EntitlementKind::Session, _) => Disposition::MustGo,
        (_, Intent::Disable) if account.sign_in_blocked() => inert(INACTIVE_ACCOUNT),
        (_, Intent::Disable) => Disposition::Blocked {
            reason: "it can be used as long as the account can sign in".to_owned(),
        },
        (EntitlementKind::Group, Intent::Remove)
            if is_indirect(entitlement) && account.sign_in_blocked() =>
        {
            inert(GIVEN_BY_GROUP)
        }
        (_, Intent::Remove) => Disposition::MustGo,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use AccountState::{Contained, Live};
    use Intent::{Disable, Remove};
    use serde_json::json;

    #[test]
    fn what_stays_has_a_rule() {
        for (intent, state, indirect, expected) in [
            (Remove, Contained, false, "go"),
            (Remove, Contained, true, GIVEN_BY_GROUP),
            (Remove, Live, true, "go"),
            (Disable, Contained, false, INACTIVE_ACCOUNT),
            (Disable, Live, false, "blocked"),
        ] {
            let entitlement = Entitlement {
                kind: EntitlementKind::Group,
                provider_key: "g".into(),
                privileged: false,
                facts: json!({ "indirect": indirect }),
            };
            let found = match disposition(intent, state, &entitlement) {
                Disposition::MustGo => "go".to_owned(),
                Disposition::Inert { rule } => rule,
                Disposition::Blocked { .. } => "blocked".to_owned(),
                Disposition::Manual { .. } => "manual".to_owned(),
            };
            assert_eq!(found, expected, "{intent} {state} {indirect}");
        }
    }
}
