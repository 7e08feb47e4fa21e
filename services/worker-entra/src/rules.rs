//! What Microsoft's documents let us conclude where there is no read: the implied rules.

use sever_domain::closing::ImpliedRule;
use sever_domain::{AccountState, Action, EntitlementKind as Kind};

/// The rule that closes the sessions of a disabled account.
pub const SESSIONS_END: &str = "entra.sessions_end_with_disabled_account";
/// The rule that closes what hangs on a deleted user.
pub const DELETED_USER: &str = "entra.deleted_user_cannot_sign_in";
/// The rule that closes Azure roles where the organisation has no Azure.
pub const NO_AZURE: &str = "entra.no_azure_in_the_tenant";
/// The rule that closes what hangs on a deleted application.
pub const DELETED_APPLICATION: &str = "entra.deleted_application_gets_no_token";

const ABSENT: &[AccountState] = &[AccountState::Absent];
const DELETED: &[AccountState] = &[AccountState::Deactivated];

const fn rule(
    name: &'static str,
    family: Kind,
    account_states: &'static [AccountState],
    after: Option<Action>,
    says: &'static str,
) -> ImpliedRule {
    ImpliedRule {
        name,
        family,
        account_states,
        after,
        says,
    }
}

const fn absent(family: Kind) -> ImpliedRule {
    let says = "Graph answers 404 to the object's own id, in the directory and among the deleted items: an object that \
        was deleted for good has no sessions, tokens, memberships, roles, assignments, grants, licences, methods, \
        devices or secrets (directory: deletedItems).";
    rule("entra.account_absent", family, ABSENT, None, says)
}

const fn deleted(family: Kind) -> ImpliedRule {
    let says = "A soft-deleted user cannot sign in or get tokens, and is in no list of what users have; for 30 days only an \
        administrator can bring the account back (directory: deletedItems).";
    rule(DELETED_USER, family, DELETED, None, says)
}

const NO_AZURE_SAYS: &str = "The connection's credential says that the organisation has no Azure subscriptions in this \
    tenant, so that there are no role assignments.";
const ANY_BLOCKED: &[AccountState] = &[AccountState::Contained, AccountState::Deactivated];

/// The implied rules of people; at most one for a family and an account state.
pub const PEOPLE: &[ImpliedRule] = &[
    rule(
        SESSIONS_END,
        Kind::Session,
        &[AccountState::Contained],
        Some(Action::RevokeSessions),
        "Disabling a user blocks new tokens, and revokeSignInSessions that was answered while the user was disabled ends \
            refresh tokens and sessions (users: revoke access in an emergency); none can begin.",
    ),
    deleted(Kind::Session),
    deleted(Kind::Group),
    deleted(Kind::Ownership),
    deleted(Kind::AppAssignment),
    deleted(Kind::Grant),
    deleted(Kind::Licence),
    deleted(Kind::Factor),
    deleted(Kind::Device),
    absent(Kind::Session),
    absent(Kind::Role),
    absent(Kind::EligibleRole),
    absent(Kind::ResourceRole),
    absent(Kind::Group),
    absent(Kind::Ownership),
    absent(Kind::AppAssignment),
    absent(Kind::Grant),
    absent(Kind::Licence),
    absent(Kind::Factor),
    absent(Kind::Device),
    rule(
        NO_AZURE,
        Kind::ResourceRole,
        ANY_BLOCKED,
        None,
        NO_AZURE_SAYS,
    ),
];

/// The implied rules of integrations.
pub const INTEGRATIONS: &[ImpliedRule] = &[
    rule(NO_AZURE, Kind::ResourceRole, DELETED, None, NO_AZURE_SAYS),
    absent(Kind::Secret),
    absent(Kind::Permission),
    absent(Kind::Grant),
    absent(Kind::Role),
    absent(Kind::EligibleRole),
    absent(Kind::ResourceRole),
    absent(Kind::Group),
    absent(Kind::Ownership),
    absent(Kind::Consumer),
    deleted_application(Kind::Secret),
    deleted_application(Kind::Permission),
    deleted_application(Kind::Grant),
    deleted_application(Kind::Group),
    deleted_application(Kind::Ownership),
    deleted_application(Kind::Consumer),
];

const fn deleted_application(family: Kind) -> ImpliedRule {
    let says = "A soft-deleted service principal gets no tokens and lets nobody in; what hung on it is in no list; for 30 \
        days only an administrator can bring it back (directory: deletedItems).";
    rule(DELETED_APPLICATION, family, DELETED, None, says)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_and_state_has_at_most_one_rule_and_a_live_account_none() {
        for (rules, families) in [
            (PEOPLE, crate::families::PEOPLE),
            (INTEGRATIONS, crate::families::INTEGRATIONS),
        ] {
            for family in families {
                for state in AccountState::ALL {
                    let count = rules
                        .iter()
                        .filter(|rule| {
                            rule.family == *family && rule.account_states.contains(state)
                        })
                        .count();
                    assert!(count <= 1, "{family} {state}");
                    assert!(*state != AccountState::Live || count == 0, "{family}");
                    let covered = count == 1 || *state != AccountState::Absent;
                    assert!(covered || *family == Kind::Account, "{family}");
                }
            }
        }
    }
}
