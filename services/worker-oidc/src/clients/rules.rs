//! What is to become of each entitlement of a client, and the rules that say so.

use sever_domain::closing::ImpliedRule;
use sever_domain::entitlement::Entitlement;
use sever_domain::plan::Disposition;
use sever_domain::{AccountState, EntitlementKind, Intent};

/// The rule under which sessions, what was issued, and a secret stay at a disabled client.
pub const DISABLED_RENEWS_NOTHING: &str = "keycloak.disabled_client_renews_nothing";
/// The rule under which roles stay when a client is only disabled.
const DISABLED_USES_NOTHING: &str = "keycloak.disabled_client_uses_nothing";

const fn absent(family: EntitlementKind) -> ImpliedRule {
    ImpliedRule {
        name: "keycloak.client_absent",
        family,
        account_states: &[AccountState::Absent],
        after: None,
        says: "Keycloak answers 404 to the client's own id: a deleted client has no secret, sessions, tokens or service \
            account.",
    }
}

/// Every implied rule.
pub const IMPLIED: &[ImpliedRule] = &[
    absent(EntitlementKind::Secret),
    absent(EntitlementKind::Session),
    absent(EntitlementKind::Token),
    absent(EntitlementKind::Role),
];

/// What is to become of an entitlement that was read while the client was in this state. A secret is there whatever is
/// done, since a new one takes the old one's place, and so is a moment from which on tokens count: at a disabled client
/// neither gives anything (Keycloak refuses its authentication and its refresh tokens).
#[must_use]
pub fn disposition(intent: Intent, client: AccountState, entitlement: &Entitlement) -> Disposition {
    let inert = |rule: &str| Disposition::Inert {
        rule: rule.to_owned(),
    };
    let disabled = client.sign_in_blocked();
    match (entitlement.kind, intent) {
        (EntitlementKind::Secret | EntitlementKind::Session | EntitlementKind::Token, _)
            if disabled =>
        {
            inert(DISABLED_RENEWS_NOTHING)
        }
        (EntitlementKind::Role, Intent::Disable) if disabled => inert(DISABLED_USES_NOTHING),
        (EntitlementKind::Role, Intent::Disable) => Disposition::Blocked {
            reason: "it can be used as long as the client is enabled".to_owned(),
        },
        (_, _) => Disposition::MustGo,
    }
}
