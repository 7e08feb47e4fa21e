//! What is to become of each entitlement of an integration.

use sever_domain::entitlement::Entitlement;
use sever_domain::plan::Disposition;
use sever_domain::{AccountState, EntitlementKind as Kind, Intent};

use crate::disposition::SCHEDULE_OF_DELETED;
use crate::families::groups::{self, GroupSource};
use crate::families::ownerships;

/// The rule under which everything stays with an application that is only disabled.
pub const DISABLED: &str = "entra.disabled_application_uses_nothing";
/// The rule under which a membership stays that Graph cannot end.
pub const RULED_GROUP: &str = "entra.ruled_group_of_a_disabled_application";

/// The fact that an application was among the deleted items when its schedule was read.
pub const OF_DELETED: &str = "of_deleted";

/// What is to become of an entitlement that was read while the application was in this state.
#[must_use]
pub fn disposition(intent: Intent, account: AccountState, held: &Entitlement) -> Disposition {
    let ruled = match held.kind {
        Kind::Group => groups::source(held) != GroupSource::Cloud,
        Kind::Ownership => ownerships::is_on_premises(held),
        _ => false,
    };
    match (intent, held.kind) {
        (_, Kind::Account) => Disposition::MustGo,
        (Intent::Disable, _) => once_disabled(account, DISABLED),
        (Intent::Remove, _) if ruled => once_disabled(account, RULED_GROUP),
        (Intent::Remove, Kind::EligibleRole) if held.facts[OF_DELETED] == true => {
            Disposition::Inert {
                rule: SCHEDULE_OF_DELETED.to_owned(),
            }
        }
        (Intent::Remove, _) => Disposition::MustGo,
    }
}

fn once_disabled(account: AccountState, rule: &str) -> Disposition {
    if account.sign_in_blocked() {
        Disposition::Inert {
            rule: rule.to_owned(),
        }
    } else {
        Disposition::Blocked {
            reason: "it can be used as long as the application gets tokens".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn becomes(intent: Intent, state: AccountState, kind: Kind, facts: Value) -> Disposition {
        let held = Entitlement {
            kind,
            provider_key: "k".into(),
            privileged: false,
            facts,
        };
        disposition(intent, state, &held)
    }

    #[test]
    fn a_removal_strips_and_a_disabling_leaves() {
        use AccountState::{Deactivated, Live};
        let inert = |rule: &str| Disposition::Inert { rule: rule.into() };
        let cloud = json!({"source": "cloud"});
        assert_eq!(
            becomes(Intent::Remove, Live, Kind::Group, cloud.clone()),
            Disposition::MustGo
        );
        assert_eq!(
            becomes(Intent::Disable, Deactivated, Kind::Group, cloud.clone()),
            inert(DISABLED)
        );
        assert!(matches!(
            becomes(Intent::Disable, Live, Kind::Group, cloud),
            Disposition::Blocked { .. }
        ));
        assert_eq!(
            becomes(
                Intent::Remove,
                Deactivated,
                Kind::Group,
                json!({"source": "rule"})
            ),
            inert(RULED_GROUP)
        );
        assert_eq!(
            becomes(
                Intent::Remove,
                Deactivated,
                Kind::EligibleRole,
                json!({"of_deleted": true})
            ),
            inert(SCHEDULE_OF_DELETED)
        );
        assert_eq!(
            becomes(Intent::Remove, Deactivated, Kind::EligibleRole, json!({})),
            Disposition::MustGo
        );
    }
}
