//! What Vanta's documents let us conclude where there is no read: the implied rules.

use sever_domain::closing::ImpliedRule;
use sever_domain::{AccountState, EntitlementKind};

const ABSENT: &[AccountState] = &[AccountState::Absent];
const DEACTIVATED: &[AccountState] = &[AccountState::Deactivated];

/// The rule that closes sessions, which no read lists.
pub const SESSIONS_END: &str = "vanta.sessions_need_an_active_login";
/// The rule that closes ownerships, which no read lists.
pub const OWNER_MUST_SIGN_IN: &str = "vanta.owner_must_sign_in";

const fn absent(family: EntitlementKind) -> ImpliedRule {
    ImpliedRule {
        name: "vanta.no_such_person",
        family,
        account_states: ABSENT,
        after: None,
        says: "Vanta has no record with this id: there is no group, ownership or offboarding that could hang on it (API \
            reference 'List people'); and no active login has an address that is recorded of the person.",
    }
}

/// Every implied rule; at most one for a family and an account state.
pub const IMPLIED: &[ImpliedRule] = &[
    ImpliedRule {
        name: SESSIONS_END,
        family: EntitlementKind::Session,
        account_states: DEACTIVATED,
        after: None,
        says: "The list of active users does not hold the person, and a user who is not active cannot sign in (API \
            reference 'Deactivate users'). What a session may still do is counted as residual from that read on.",
    },
    ImpliedRule {
        name: OWNER_MUST_SIGN_IN,
        family: EntitlementKind::Ownership,
        account_states: DEACTIVATED,
        after: None,
        says: "An owner of a control, resource or vendor acts by signing in to Vanta; somebody without an active login \
            cannot. No read lists what a user owns.",
    },
    absent(EntitlementKind::Session),
    absent(EntitlementKind::ApiToken),
    absent(EntitlementKind::Group),
    absent(EntitlementKind::Ownership),
    absent(EntitlementKind::MonitoredAccount),
    absent(EntitlementKind::Resource),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::families::ALL;

    #[test]
    fn a_family_and_state_has_at_most_one_rule_and_none_covers_a_live_login() {
        for family in ALL {
            for state in AccountState::ALL {
                let rules = IMPLIED
                    .iter()
                    .filter(|rule| rule.family == *family && rule.account_states.contains(state));
                assert!(rules.count() <= 1, "{family} {state}");
            }
        }
        let live = |rule: &ImpliedRule| rule.account_states.contains(&AccountState::Live);
        assert!(!IMPLIED.iter().any(live));
    }

    #[test]
    fn an_absent_person_is_covered_in_every_family_but_the_account() {
        for family in ALL {
            let covered = IMPLIED.iter().any(|rule| {
                rule.family == *family && rule.account_states.contains(&AccountState::Absent)
            });
            assert_eq!(covered, *family != EntitlementKind::Account, "{family}");
        }
    }
}
