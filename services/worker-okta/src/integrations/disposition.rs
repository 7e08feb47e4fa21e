//! What is to become of each entitlement of an integration.

use sever_domain::entitlement::Entitlement;
use sever_domain::plan::{Disposition, ManualTask};
use sever_domain::{AccountState, EntitlementKind, Intent};

use super::families::{is_candidate, must_stay};
use super::rules::{INACTIVE_APP, INACTIVE_HOOK, LAST_CREDENTIAL};

/// Seconds until a look at a hook or token is overdue: two days.
const LOOK_DUE_S: i64 = 2 * 24 * 3600;

/// What is to become of an entitlement that was read while the integration was in this state.
///
/// Tokens and API tokens always go, because they work without the application. What only looks as if it belonged to it is
/// a person's to look at. The rest goes with `remove` and stays, unable to act, with `disable`.
#[must_use]
pub fn disposition(
    intent: Intent,
    _account: AccountState,
    entitlement: &Entitlement,
) -> Disposition {
    use EntitlementKind as Kind;
    match entitlement.kind {
        Kind::Hook | Kind::ApiToken if is_candidate(entitlement) => look(entitlement),
        Kind::Account | Kind::Token | Kind::ApiToken => Disposition::MustGo,
        Kind::Secret if must_stay(entitlement) => inert(LAST_CREDENTIAL),
        Kind::Hook if intent == Intent::Disable => inert(INACTIVE_HOOK),
        _ if intent == Intent::Disable => inert(INACTIVE_APP),
        _ => Disposition::MustGo,
    }
}

fn inert(rule: &str) -> Disposition {
    Disposition::Inert {
        rule: rule.to_owned(),
    }
}

fn look(entitlement: &Entitlement) -> Disposition {
    let id = &entitlement.provider_key;
    let (thing, why) = match entitlement.kind {
        EntitlementKind::Hook => ("hook", "sends to a host of this application"),
        _ => ("API token", "bears this application's name"),
    };
    Disposition::Manual {
        task: ManualTask {
            asked_of: "okta-admin".to_owned(),
            what: format!(
                "The {thing} {id} {why}, and nothing at Okta says whose it is. If it belongs to the integration, bind it to it by this id and ask for its removal again, or end it yourself; if not, say so."
            ),
            link: None,
            evidence: format!("whose the {thing} is, and what became of it"),
            due_s: LOOK_DUE_S,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Intent::{Disable, Remove};
    use serde_json::{Value, json};

    fn becomes(intent: Intent, kind: EntitlementKind, facts: Value) -> String {
        let held = Entitlement {
            kind,
            provider_key: "who1".into(),
            privileged: false,
            facts,
        };
        match disposition(intent, AccountState::Deactivated, &held) {
            Disposition::MustGo => "go".to_owned(),
            Disposition::Inert { rule } => rule,
            Disposition::Blocked { .. } => "blocked".to_owned(),
            Disposition::Manual { .. } => "task".to_owned(),
        }
    }

    #[test]
    fn what_works_without_the_application_always_goes() {
        use EntitlementKind::{ApiToken, Token};
        for intent in [Disable, Remove] {
            assert_eq!(becomes(intent, Token, json!({})), "go");
            assert_eq!(becomes(intent, ApiToken, json!({})), "go");
        }
    }

    #[test]
    fn the_rest_goes_with_a_removal_and_stays_with_a_disabling() {
        use EntitlementKind::{Consumer, Hook, Permission, Role, Secret};
        for kind in [Consumer, Permission, Role, Secret] {
            assert_eq!(becomes(Remove, kind, json!({})), "go", "{kind}");
            assert_eq!(becomes(Disable, kind, json!({})), INACTIVE_APP, "{kind}");
        }
        assert_eq!(becomes(Disable, Hook, json!({})), INACTIVE_HOOK);
        assert_eq!(
            becomes(Remove, Secret, json!({ "stays": true })),
            LAST_CREDENTIAL
        );
    }

    #[test]
    fn what_only_looks_like_the_applications_own_is_a_persons_to_look_at() {
        use EntitlementKind::{ApiToken, Hook};
        for intent in [Disable, Remove] {
            for kind in [Hook, ApiToken] {
                assert_eq!(becomes(intent, kind, json!({ "candidate": true })), "task");
            }
        }
    }
}
