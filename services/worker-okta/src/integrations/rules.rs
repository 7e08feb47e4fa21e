//! What Okta's documents let us conclude about integrations where there is no read: the implied rules.

use sever_domain::closing::ImpliedRule;
use sever_domain::{AccountState, EntitlementKind};

/// The rule that closes consents, which no read lists by application.
pub const CONSENTS_NEED_AN_APP: &str = "okta.consents_need_an_active_app";
/// The rule under which everything but credentials of its own stays when an integration is only disabled.
pub const INACTIVE_APP: &str = "okta.inactive_app_uses_nothing";
/// The rule under which the last credential of an application stays.
pub const LAST_CREDENTIAL: &str = "okta.last_credential_of_an_inactive_app";
/// The rule under which an inactive hook stays.
pub const INACTIVE_HOOK: &str = "okta.inactive_hook_is_not_called";

const ABSENT: &[AccountState] = &[AccountState::Absent];

const fn absent(family: EntitlementKind) -> ImpliedRule {
    ImpliedRule {
        name: "okta.integration_absent",
        family,
        account_states: ABSENT,
        after: None,
        says: "Okta answers 404 E0000007 to the object's own id: deleting an application takes its assignments, \
            credentials, grants and roles with it (Applications API 'Delete an application').",
    }
}

/// Every implied rule; at most one for a family and an account state.
pub const IMPLIED: &[ImpliedRule] = &[
    ImpliedRule {
        name: CONSENTS_NEED_AN_APP,
        family: EntitlementKind::Grant,
        account_states: &[AccountState::Deactivated],
        after: None,
        says: "A person's consent lets an application ask for tokens, which the token endpoint gives to active \
            clients only; consents are listed by person, not by application.",
    },
    absent(EntitlementKind::Token),
    absent(EntitlementKind::Grant),
    absent(EntitlementKind::Role),
    absent(EntitlementKind::Permission),
    absent(EntitlementKind::Secret),
    absent(EntitlementKind::Consumer),
    absent(EntitlementKind::Hook),
    absent(EntitlementKind::ApiToken),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integrations::families::ALL;

    #[test]
    fn a_family_and_state_has_at_most_one_rule_and_none_covers_a_live_integration() {
        for family in ALL {
            for state in AccountState::ALL {
                let rules = IMPLIED
                    .iter()
                    .filter(|rule| rule.family == *family && rule.account_states.contains(state));
                assert!(rules.count() <= 1, "{family} {state}");
            }
            let covered = IMPLIED.iter().any(|rule| {
                rule.family == *family && rule.account_states.contains(&AccountState::Absent)
            });
            assert_eq!(covered, *family != EntitlementKind::Account, "{family}");
        }
        let live = |rule: &ImpliedRule| rule.account_states.contains(&AccountState::Live);
        assert!(!IMPLIED.iter().any(live));
    }
}
