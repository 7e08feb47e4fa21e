//! What the documents let us conclude where there is no read: the implied rules.

use sever_domain::closing::ImpliedRule;
use sever_domain::{AccountState, Action, EntitlementKind};

/// The rule that closes sessions and tokens that nobody shows, after a global token revocation.
pub const ALL_REVOKED: &str = "oidc.global_token_revocation_was_accepted";
/// The rule that closes tokens of which nobody tells, after their revocation.
pub const REVOKED_BY_ANSWER: &str = "oidc.revocation_was_answered";
/// The rule under which everything but credentials stays when an account is only disabled.
pub const DISABLED_ACCOUNT: &str = "keycloak.disabled_account_uses_nothing";

const ABSENT: &[AccountState] = &[AccountState::Absent];
const PRESENT: &[AccountState] = &[
    AccountState::Live,
    AccountState::Contained,
    AccountState::Deactivated,
];

const fn absent(family: EntitlementKind) -> ImpliedRule {
    ImpliedRule {
        name: "keycloak.account_absent",
        family,
        account_states: ABSENT,
        after: None,
        says: "Keycloak answers 404 to the user's own id: a deleted user has no sessions, tokens, consents, roles, \
            memberships, credentials or links.",
    }
}

const fn all_revoked(family: EntitlementKind) -> ImpliedRule {
    ImpliedRule {
        name: ALL_REVOKED,
        family,
        account_states: PRESENT,
        after: Some(Action::RevokeSessions),
        says: "A provider that answers 204 to a global token revocation revokes every refresh token and requires a new \
            sign-in (draft-parecki-oauth-global-token-revocation section 3). That nobody signs in again is the \
            account's own line.",
    }
}

/// The implied rules by the standards alone, where no account is ever read as absent. An answered revocation says nothing of
/// tokens that are not registered, so that it covers no family.
pub const STANDARD: &[ImpliedRule] = &[
    all_revoked(EntitlementKind::Session),
    all_revoked(EntitlementKind::Token),
];

/// The implied rules at Keycloak; at most one for a family and an account state.
pub const KEYCLOAK: &[ImpliedRule] = &[
    ImpliedRule {
        name: REVOKED_BY_ANSWER,
        family: EntitlementKind::Token,
        account_states: PRESENT,
        after: Some(Action::RevokeTokens),
        says: "The provider answered 200 to the revocation: a token is invalid from then on (RFC 7009 section 2.2); it \
            stands in where no introspection tells.",
    },
    absent(EntitlementKind::Session),
    absent(EntitlementKind::Token),
    absent(EntitlementKind::Grant),
    absent(EntitlementKind::Role),
    absent(EntitlementKind::Group),
    absent(EntitlementKind::Factor),
    absent(EntitlementKind::IdentityLink),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people;

    #[test]
    fn a_family_and_state_has_at_most_one_rule() {
        for rules in [STANDARD, KEYCLOAK] {
            for family in people::KEYCLOAK {
                for state in AccountState::ALL {
                    let covers = |rule: &&ImpliedRule| {
                        rule.family == *family && rule.account_states.contains(state)
                    };
                    assert!(rules.iter().filter(covers).count() <= 1, "{family} {state}");
                }
            }
        }
    }

    #[test]
    fn what_covers_a_present_account_needs_an_answered_call() {
        let present = |rule: &&ImpliedRule| rule.account_states != ABSENT;
        assert!(
            [STANDARD, KEYCLOAK]
                .concat()
                .iter()
                .filter(present)
                .all(|rule| rule.after.is_some())
        );
    }
}
