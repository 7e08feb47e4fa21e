//! What Okta's documents let us conclude: implied rules, and what is to become of each entitlement.

use sever_domain::closing::ImpliedRule;
use sever_domain::entitlement::Entitlement;
use sever_domain::plan::Disposition;
use sever_domain::{AccountState, Action, EntitlementKind, Intent};

use crate::families::{
    GroupSource, belongs_to_agent, device_is_shared, group_source, role_is_inherited,
    scope_is_group,
};

/// The rule that closes sessions, which no read lists.
pub const SESSIONS_END: &str = "okta.sessions_end_with_sign_in_block";
/// The rule under which the group Everyone stays.
pub const EVERYONE: &str = "okta.everyone_holds_every_user";
/// The rule under which a sourced group of a deactivated account stays.
pub const SOURCED_GROUP: &str = "okta.sourced_group_of_a_deactivated_account";
/// The rule under which what only a group gives may outlast a deactivated account's removal.
pub const GIVEN_BY_GROUP: &str = "okta.given_by_group_to_a_deactivated_account";
/// The rule under which a shared device stays.
pub const SHARED_DEVICE: &str = "okta.shared_device_of_a_deactivated_account";
/// The rule under which everything but credentials stays when an account is only disabled.
pub const BLOCKED_ACCOUNT: &str = "okta.blocked_account_uses_nothing";

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

/// What is to become of an entitlement that was read while the account was in this state.
///
/// Tokens, consents and API tokens always go, because they work without signing in. The rest goes with
/// `remove` and stays, unable to act, with `disable`.
#[must_use]
pub fn disposition(
    intent: Intent,
    account: AccountState,
    entitlement: &Entitlement,
) -> Disposition {
    use EntitlementKind as Kind;
    match entitlement.kind {
        Kind::ApiToken if belongs_to_agent(entitlement) => blocked(
            "an agent (directory, RADIUS) lives off this API token: give the agent a token of a service \
                account, then revoke this one",
        ),
        Kind::Account | Kind::Session | Kind::Token | Kind::Grant | Kind::ApiToken => {
            Disposition::MustGo
        }
        Kind::Role
        | Kind::Group
        | Kind::AppAssignment
        | Kind::Licence
        | Kind::Factor
        | Kind::Device
        | Kind::IdentityLink
        | Kind::Ownership
        | Kind::Secret
        | Kind::Hook => match intent {
            Intent::Disable => while_blocked(account),
            Intent::Remove => when_removed(account, entitlement),
        },
    }
}

fn while_blocked(account: AccountState) -> Disposition {
    if account.sign_in_blocked() {
        inert(BLOCKED_ACCOUNT)
    } else {
        blocked("it can be used as long as the account can sign in")
    }
}

fn when_removed(account: AccountState, entitlement: &Entitlement) -> Disposition {
    let ended = matches!(account, AccountState::Deactivated | AccountState::Absent);
    match entitlement.kind {
        EntitlementKind::Group => match group_source(entitlement) {
            GroupSource::Okta => Disposition::MustGo,
            GroupSource::BuiltIn => inert(EVERYONE),
            GroupSource::Application if ended => inert(SOURCED_GROUP),
            GroupSource::Application => blocked(
                "an application or directory outside Okta decides about this group: end the membership there",
            ),
        },
        EntitlementKind::Role if role_is_inherited(entitlement) && ended => inert(GIVEN_BY_GROUP),
        EntitlementKind::AppAssignment if scope_is_group(entitlement) && ended => {
            inert(GIVEN_BY_GROUP)
        }
        EntitlementKind::Device if device_is_shared(entitlement) && ended => inert(SHARED_DEVICE),
        EntitlementKind::Device if device_is_shared(entitlement) => {
            blocked("other people use this device too: deactivating it would shut them out")
        }
        _ => Disposition::MustGo,
    }
}

fn inert(rule: &str) -> Disposition {
    Disposition::Inert {
        rule: rule.to_owned(),
    }
}

fn blocked(reason: &str) -> Disposition {
    Disposition::Blocked {
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::families::ALL;
    use serde_json::json;

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
                .all(|rule| !rule.account_states.contains(&AccountState::Live))
        );
    }

    #[test]
    fn what_becomes_of_each_kind() {
        use AccountState::{Contained, Deactivated, Live};
        use EntitlementKind::{ApiToken, AppAssignment, Device, Group, Role, Token};
        use Intent::{Disable, Remove};
        for (intent, state, kind, facts, expected) in [
            (
                Remove,
                Contained,
                Group,
                json!({"type": "OKTA_GROUP"}),
                "go",
            ),
            (
                Remove,
                Deactivated,
                Group,
                json!({"type": "OKTA_GROUP"}),
                "go",
            ),
            (Remove, Contained, Group, json!({}), "go"),
            (
                Remove,
                Contained,
                Group,
                json!({"type": "BUILT_IN"}),
                EVERYONE,
            ),
            (
                Remove,
                Contained,
                Group,
                json!({"type": "APP_GROUP"}),
                "blocked",
            ),
            (
                Remove,
                Deactivated,
                Group,
                json!({"type": "APP_GROUP"}),
                SOURCED_GROUP,
            ),
            (
                Remove,
                Contained,
                Role,
                json!({"assignment_type": "GROUP"}),
                "go",
            ),
            (
                Remove,
                Deactivated,
                Role,
                json!({"assignment_type": "GROUP"}),
                GIVEN_BY_GROUP,
            ),
            (
                Remove,
                Deactivated,
                Role,
                json!({"assignment_type": "USER"}),
                "go",
            ),
            (
                Remove,
                Contained,
                AppAssignment,
                json!({"scope": "GROUP"}),
                "go",
            ),
            (
                Remove,
                Deactivated,
                AppAssignment,
                json!({"scope": "USER"}),
                "go",
            ),
            (
                Remove,
                Contained,
                Device,
                json!({"shared": true}),
                "blocked",
            ),
            (
                Remove,
                Deactivated,
                Device,
                json!({"shared": true}),
                SHARED_DEVICE,
            ),
            (Remove, Deactivated, Device, json!({"shared": false}), "go"),
            (Disable, Contained, Group, json!({}), BLOCKED_ACCOUNT),
            (Disable, Live, Group, json!({}), "blocked"),
            (Disable, Contained, Token, json!({}), "go"),
            (
                Remove,
                Contained,
                ApiToken,
                json!({"client_name": "Okta API"}),
                "go",
            ),
            (
                Remove,
                Contained,
                ApiToken,
                json!({"client_name": "Okta AD Agent"}),
                "blocked",
            ),
        ] {
            let entitlement = Entitlement {
                kind,
                provider_key: "k".into(),
                privileged: false,
                facts: facts.clone(),
            };
            let found = match disposition(intent, state, &entitlement) {
                Disposition::MustGo => "go".to_owned(),
                Disposition::Inert { rule } => rule,
                Disposition::Blocked { .. } => "blocked".to_owned(),
            };
            assert_eq!(found, expected, "{intent} {state} {kind} {facts}");
        }
    }
}
