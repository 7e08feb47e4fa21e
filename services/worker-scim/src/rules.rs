//! What the standard lets us conclude where there is no read: the implied rules.

use sever_domain::closing::ImpliedRule;
use sever_domain::{AccountState, EntitlementKind};

/// The rule that closes sessions, which SCIM does not know.
pub const SESSIONS_END: &str = "scim.sessions_end_with_the_account";
/// The rule under which memberships that cannot be read stay.
pub const NO_GROUPS: &str = "scim.inactive_account_uses_no_group";
/// The rule under which everything stays when an account is only disabled.
pub const INACTIVE_ACCOUNT: &str = "scim.inactive_account_uses_nothing";
/// The rule under which what another group gives stays.
pub const GIVEN_BY_GROUP: &str = "scim.given_by_group_to_an_inactive_account";

const ABSENT: &[AccountState] = &[AccountState::Absent];
const BLOCKED: &[AccountState] = &[AccountState::Contained, AccountState::Deactivated];

const fn absent(family: EntitlementKind) -> ImpliedRule {
    ImpliedRule {
        name: "scim.account_absent",
        family,
        account_states: ABSENT,
        after: None,
        says: "The application answers 404 to the user's own id: after a deletion every operation on it does, and \
            nothing can act under it (RFC 7644 section 3.6).",
    }
}

/// Every implied rule; at most one for a family and an account state.
pub const IMPLIED: &[ImpliedRule] = &[
    ImpliedRule {
        name: SESSIONS_END,
        family: EntitlementKind::Session,
        account_states: BLOCKED,
        after: None,
        says: "active is the account's administrative status, and false means that it cannot be used (RFC 7643 section \
            4.1.1): no session begins, and one that has begun ends at the latest with the connection's longest token \
            lifetime, which is shown as residual.",
    },
    ImpliedRule {
        name: NO_GROUPS,
        family: EntitlementKind::Group,
        account_states: BLOCKED,
        after: None,
        says: "A membership gives access to an account that can be used; it stands in where the application has no \
            endpoint for groups (404 or 501), or shows the members of none, neither in the group nor to a filter.",
    },
    absent(EntitlementKind::Session),
    absent(EntitlementKind::Role),
    absent(EntitlementKind::Licence),
    absent(EntitlementKind::Group),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::families::ALL;

    #[test]
    fn a_family_and_state_has_at_most_one_rule_and_none_covers_a_live_account() {
        for family in ALL {
            for state in AccountState::ALL {
                let rules = IMPLIED
                    .iter()
                    .filter(|rule| rule.family == *family && rule.account_states.contains(state));
                let most = usize::from(*state != AccountState::Live);
                assert!(rules.count() <= most, "{family} {state}");
            }
        }
    }

    #[test]
    fn an_absent_account_is_covered_in_every_family_but_its_own() {
        for family in ALL {
            let covered = IMPLIED.iter().any(|rule| {
                rule.family == *family && rule.account_states.contains(&AccountState::Absent)
            });
            assert_eq!(covered, *family != EntitlementKind::Account, "{family}");
        }
    }
}
