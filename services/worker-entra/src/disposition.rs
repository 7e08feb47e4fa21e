//! What is to become of each entitlement of a person: it goes, it stays inert by a named rule, or no call can take it.

use sever_domain::entitlement::Entitlement;
use sever_domain::plan::Disposition;
use sever_domain::{AccountState, EntitlementKind as Kind, Intent};

use crate::families::azure_eligible::is_eligible;
use crate::families::groups::GroupSource;
use crate::families::{app_roles, devices, groups, licences, methods, ownerships};

/// The rule under which everything stays when an account is only disabled.
pub const BLOCKED_ACCOUNT: &str = "entra.disabled_account_uses_nothing";
/// The rule under which a membership stays that Graph cannot end.
pub const RULED_GROUP: &str = "entra.ruled_group_of_a_disabled_account";
/// The rule under which what a group gives stays until the membership ends.
pub const GIVEN_BY_GROUP: &str = "entra.given_by_group_to_a_disabled_account";
/// The rule under which a device that others use stays.
pub const SHARED_DEVICE: &str = "entra.shared_device_of_a_disabled_account";
/// The rule under which authentication methods stay.
pub const FACTOR: &str = "entra.authentication_method_of_a_disabled_account";
/// The rule under which schedules of a deleted principal stay, which are listed for some days more.
pub const SCHEDULE_OF_DELETED: &str = "entra.schedule_of_a_deleted_principal";

/// What a connection was told about factors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Whether authentication methods stay with a blocked account.
    pub keep_factors: bool,
}

/// What is to become of an entitlement that was read while the account was in this state.
///
/// With `disable` everything but account and sessions stays, because nothing of it works without signing in.
#[must_use]
pub fn disposition(
    policy: Policy,
    intent: Intent,
    account: AccountState,
    entitlement: &Entitlement,
) -> Disposition {
    match (intent, entitlement.kind) {
        (_, Kind::Account | Kind::Session) => Disposition::MustGo,
        (Intent::Disable, _) => while_blocked(
            account,
            BLOCKED_ACCOUNT,
            "it can be used as long as the account can sign in",
        ),
        (Intent::Remove, _) => when_removed(policy, account, entitlement),
    }
}

fn when_removed(policy: Policy, account: AccountState, held: &Entitlement) -> Disposition {
    match held.kind {
        Kind::EligibleRole if account == AccountState::Deactivated => inert(SCHEDULE_OF_DELETED),
        Kind::ResourceRole
            if account == AccountState::Deactivated && is_eligible(&held.provider_key) =>
        {
            inert(SCHEDULE_OF_DELETED)
        }
        Kind::Group => match groups::source(held) {
            GroupSource::Cloud => Disposition::MustGo,
            GroupSource::Rule => while_blocked(
                account,
                RULED_GROUP,
                "a rule decides about this group: change the rule, or what it looks at",
            ),
            GroupSource::OnPremises => while_blocked(
                account,
                RULED_GROUP,
                "a local directory decides about this group: end the membership there",
            ),
            GroupSource::Exchange => while_blocked(
                account,
                RULED_GROUP,
                "Exchange decides about this group: end the membership there",
            ),
        },
        Kind::Ownership if ownerships::is_on_premises(held) => while_blocked(
            account,
            RULED_GROUP,
            "a local directory decides about this group: end the ownership there",
        ),
        Kind::AppAssignment if app_roles::is_inherited(held) => given_by_group(account),
        Kind::Licence if licences::is_inherited(held) => given_by_group(account),
        Kind::Factor if policy.keep_factors || !methods::is_deletable(held) => while_blocked(
            account,
            FACTOR,
            "it serves to sign in as long as the account can",
        ),
        Kind::Device if devices::is_shared(held) => while_blocked(
            account,
            SHARED_DEVICE,
            "other people use this device too: disabling it would shut them out",
        ),
        _ => Disposition::MustGo,
    }
}

fn given_by_group(account: AccountState) -> Disposition {
    while_blocked(
        account,
        GIVEN_BY_GROUP,
        "a group gives it: it goes with the membership",
    )
}

fn while_blocked(account: AccountState, rule: &str, otherwise: &str) -> Disposition {
    if account.sign_in_blocked() {
        inert(rule)
    } else {
        Disposition::Blocked {
            reason: otherwise.to_owned(),
        }
    }
}

fn inert(rule: &str) -> Disposition {
    Disposition::Inert {
        rule: rule.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use AccountState::{Contained, Deactivated, Live};
    use Intent::{Disable, Remove};
    use serde_json::{Value, json};

    fn becomes(
        keep_factors: bool,
        intent: Intent,
        state: AccountState,
        kind: Kind,
        facts: Value,
    ) -> String {
        let held = Entitlement {
            kind,
            provider_key: "k".into(),
            privileged: false,
            facts,
        };
        match disposition(Policy { keep_factors }, intent, state, &held) {
            Disposition::MustGo => "go".to_owned(),
            Disposition::Inert { rule } => rule,
            Disposition::Blocked { .. } => "blocked".to_owned(),
            Disposition::Manual { .. } => "manual".to_owned(),
        }
    }

    #[test]
    fn a_removal_takes_what_graph_lets_it_take() {
        for (state, kind, facts, expected) in [
            (Contained, Kind::Group, json!({"source": "cloud"}), "go"),
            (Live, Kind::Group, json!({"source": "cloud"}), "go"),
            (Live, Kind::Group, json!({"source": "rule"}), "blocked"),
            (
                Contained,
                Kind::Group,
                json!({"source": "rule"}),
                RULED_GROUP,
            ),
            (
                Contained,
                Kind::Group,
                json!({"source": "on_premises"}),
                RULED_GROUP,
            ),
            (
                Contained,
                Kind::Group,
                json!({"source": "exchange"}),
                RULED_GROUP,
            ),
            (Contained, Kind::AppAssignment, json!({"own": true}), "go"),
            (
                Contained,
                Kind::AppAssignment,
                json!({"own": false}),
                GIVEN_BY_GROUP,
            ),
            (
                Contained,
                Kind::Licence,
                json!({"group": "g"}),
                GIVEN_BY_GROUP,
            ),
            (Contained, Kind::Licence, json!({"group": null}), "go"),
            (Live, Kind::Licence, json!({"group": "g"}), "blocked"),
            (
                Contained,
                Kind::Factor,
                json!({"collection": "fido2Methods"}),
                "go",
            ),
            (Contained, Kind::Factor, json!({"collection": null}), FACTOR),
            (
                Contained,
                Kind::Device,
                json!({"shared": true}),
                SHARED_DEVICE,
            ),
            (Contained, Kind::Device, json!({"shared": false}), "go"),
            (Contained, Kind::Role, json!({}), "go"),
            (Deactivated, Kind::Role, json!({}), "go"),
            (Contained, Kind::EligibleRole, json!({}), "go"),
            (
                Deactivated,
                Kind::EligibleRole,
                json!({}),
                SCHEDULE_OF_DELETED,
            ),
            (Deactivated, Kind::ResourceRole, json!({}), "go"),
            (
                Contained,
                Kind::Ownership,
                json!({"on_premises": true}),
                RULED_GROUP,
            ),
        ] {
            assert_eq!(
                becomes(false, Remove, state, kind, facts.clone()),
                expected,
                "{state} {kind} {facts}"
            );
        }
        let factor = json!({"collection": "fido2Methods"});
        assert_eq!(
            becomes(true, Remove, Contained, Kind::Factor, factor),
            FACTOR
        );
    }

    #[test]
    fn disabling_leaves_everything_that_needs_sign_in() {
        for kind in [Kind::Role, Kind::Group, Kind::Grant, Kind::ResourceRole] {
            assert_eq!(
                becomes(false, Disable, Contained, kind, json!({})),
                BLOCKED_ACCOUNT
            );
            assert_eq!(becomes(false, Disable, Live, kind, json!({})), "blocked");
        }
        assert_eq!(
            becomes(false, Disable, Contained, Kind::Session, json!({})),
            "go"
        );
    }
}
