//! What is to become of each entitlement: it goes, it stays inert by a named rule, or no call can take it.

use sever_domain::entitlement::Entitlement;
use sever_domain::plan::Disposition;
use sever_domain::{AccountState, EntitlementKind, Intent};

use crate::families::{
    GroupSource, belongs_to_agent, device_is_shared, group_source, role_is_inherited,
    scope_is_group,
};

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
        | Kind::Hook
        | Kind::EligibleRole
        | Kind::ResourceRole
        | Kind::Permission
        | Kind::Consumer
        | Kind::MonitoredAccount
        | Kind::Resource => match intent {
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
    use AccountState::{Contained, Deactivated, Live};
    use EntitlementKind::{ApiToken, AppAssignment, Device, Group, Role, Token};
    use Intent::{Disable, Remove};
    use serde_json::{Value, json};

    fn becomes(intent: Intent, state: AccountState, kind: EntitlementKind, facts: Value) -> String {
        let entitlement = Entitlement {
            kind,
            provider_key: "k".into(),
            privileged: false,
            facts,
        };
        match disposition(intent, state, &entitlement) {
            Disposition::MustGo => "go".to_owned(),
            Disposition::Inert { rule } => rule,
            Disposition::Blocked { .. } => "blocked".to_owned(),
            Disposition::Manual { .. } => "manual".to_owned(),
        }
    }

    #[test]
    fn groups_by_who_decides_about_them() {
        for (state, source, expected) in [
            (Contained, "OKTA_GROUP", "go"),
            (Deactivated, "OKTA_GROUP", "go"),
            (Contained, "A_NEW_WORD", "go"),
            (Contained, "BUILT_IN", EVERYONE),
            (Contained, "APP_GROUP", "blocked"),
            (Deactivated, "APP_GROUP", SOURCED_GROUP),
        ] {
            let found = becomes(Remove, state, Group, json!({ "type": source }));
            assert_eq!(found, expected, "{state} {source}");
        }
    }

    #[test]
    fn what_a_group_gives_goes_with_the_group_or_is_inert_after_the_end() {
        for (state, given_by, expected) in [
            (Contained, "GROUP", "go"),
            (Deactivated, "GROUP", GIVEN_BY_GROUP),
            (Contained, "USER", "go"),
            (Deactivated, "USER", "go"),
        ] {
            let role = becomes(Remove, state, Role, json!({ "assignment_type": given_by }));
            let app = becomes(Remove, state, AppAssignment, json!({ "scope": given_by }));
            assert_eq!(
                (role.as_str(), app.as_str()),
                (expected, expected),
                "{state}"
            );
        }
    }

    #[test]
    fn a_device_of_several_people_is_not_taken() {
        for (state, shared, expected) in [
            (Contained, true, "blocked"),
            (Deactivated, true, SHARED_DEVICE),
            (Contained, false, "go"),
            (Deactivated, false, "go"),
        ] {
            let found = becomes(Remove, state, Device, json!({ "shared": shared }));
            assert_eq!(found, expected, "{state} {shared}");
        }
    }

    #[test]
    fn disabling_leaves_what_needs_sign_in_and_takes_what_does_not() {
        assert_eq!(
            becomes(Disable, Contained, Group, json!({})),
            BLOCKED_ACCOUNT
        );
        assert_eq!(becomes(Disable, Live, Group, json!({})), "blocked");
        assert_eq!(becomes(Disable, Contained, Token, json!({})), "go");
    }

    #[test]
    fn an_agents_token_is_a_persons_business() {
        let token = |client| {
            becomes(
                Remove,
                Contained,
                ApiToken,
                json!({ "client_name": client }),
            )
        };
        assert_eq!(token("Okta API"), "go");
        assert_eq!(token("Okta AD Agent"), "blocked");
    }
}
