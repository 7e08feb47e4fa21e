//! What Okta's documents let us conclude where there is no read: the implied rules.

use sever_domain::closing::ImpliedRule;
use sever_domain::{AccountState, Action, EntitlementKind};

/// The rule that closes sessions, which no read lists.
pub const SESSIONS_END: &str = "okta.sessions_end_with_sign_in_block";

const ABSENT: &[AccountState] = &[AccountState::Absent];
const BLOCKED: &[AccountState] = &[AccountState::Contained, AccountState::Deactivated];

const fn absent(family: EntitlementKind) -> ImpliedRule {
    ImpliedRule {
        name: "okta.account_absent",
        family,
        account_states: ABSENT,
        after: None,
        says: "Okta answers 404 E0000007 to the user's own id: a deleted user has no sessions, tokens, \
            memberships, assignments, roles, enrolments, links or ownerships (help page 'Deactivate and \
            delete user accounts').",
    }
}

const fn needs_sign_in(
    name: &'static str,
    family: EntitlementKind,
    says: &'static str,
) -> ImpliedRule {
    ImpliedRule {
        name,
        family,
        account_states: BLOCKED,
        after: None,
        says,
    }
}

/// Every implied rule; at most one for a family and an account state.
pub const IMPLIED: &[ImpliedRule] = &[
    ImpliedRule {
        name: SESSIONS_END,
        family: EntitlementKind::Session,
        account_states: BLOCKED,
        after: Some(Action::RevokeSessions),
        says: "Suspending or deactivating a user blocks sign-in and stops Okta sessions (help page \
            'Deactivate and delete user accounts'); a session revocation that was answered while sign-in \
            was blocked leaves none, and none can begin.",
    },
    needs_sign_in(
        "okta.owner_must_sign_in",
        EntitlementKind::Ownership,
        "A group owner acts by signing in to Okta; a suspended or deactivated user cannot. No read lists \
            a user's ownerships.",
    ),
    needs_sign_in(
        "okta.device_serves_sign_in",
        EntitlementKind::Device,
        "A registered device serves its user's sign-in only; it stands in where the organization has no \
            device feature to read (E0000015).",
    ),
    needs_sign_in(
        "okta.identity_link_serves_sign_in",
        EntitlementKind::IdentityLink,
        "A link to an identity provider serves its user's sign-in only; it stands in where the \
            organization has no identity provider feature to read (E0000015).",
    ),
    absent(EntitlementKind::Session),
    absent(EntitlementKind::Token),
    absent(EntitlementKind::Grant),
    absent(EntitlementKind::ApiToken),
    absent(EntitlementKind::Role),
    absent(EntitlementKind::Group),
    absent(EntitlementKind::AppAssignment),
    absent(EntitlementKind::Factor),
    absent(EntitlementKind::Device),
    absent(EntitlementKind::IdentityLink),
    absent(EntitlementKind::Ownership),
];

/// What holds where a person suspended or deactivated the account: the document names the end of its sessions without a
/// condition, and the state was read after the fact.
pub const IMPLIED_BY_HAND: &[ImpliedRule] = &[ImpliedRule {
    name: "okta.blocked_account_has_no_session",
    family: EntitlementKind::Session,
    account_states: BLOCKED,
    after: None,
    says: "Suspending or deactivating a user blocks sign-in and stops Okta sessions (help page 'Deactivate and \
        delete user accounts'); the account was read so after a person said that it was done by hand.",
}];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::families::ALL;

    #[test]
    fn a_family_and_state_has_at_most_one_rule() {
        for family in ALL {
            for state in AccountState::ALL {
                let rules = IMPLIED
                    .iter()
                    .filter(|rule| rule.family == *family && rule.account_states.contains(state));
                assert!(rules.count() <= 1, "{family} {state}");
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

    #[test]
    fn no_rule_covers_a_live_account() {
        assert!(
            IMPLIED
                .iter()
                .chain(IMPLIED_BY_HAND)
                .all(|rule| !rule.account_states.contains(&AccountState::Live))
        );
    }
}
