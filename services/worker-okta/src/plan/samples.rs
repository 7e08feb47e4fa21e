//! Readings for the tests of the plan.

use serde_json::{Value, json};
use sever_domain::entitlement::{AccountReading, Entitlement};
use sever_domain::{AccountState, EntitlementKind};

use crate::families;

/// An entitlement with these facts.
pub fn entitlement(kind: EntitlementKind, key: &str, facts: Value) -> Entitlement {
    Entitlement {
        kind,
        provider_key: key.to_owned(),
        privileged: matches!(kind, EntitlementKind::Role | EntitlementKind::ApiToken),
        facts,
    }
}

/// A whole reading of an account `00u1` that holds these entitlements.
pub fn reading(state: AccountState, provider_state: &str, held: &[Entitlement]) -> AccountReading {
    let families = families::ALL.iter().map(|family| match family {
        EntitlementKind::Account => {
            families::complete(*family, vec![entitlement(*family, "00u1", json!({}))])
        }
        EntitlementKind::Session | EntitlementKind::Ownership => {
            families::unsupported(*family, "no read")
        }
        _ => families::complete(
            *family,
            held.iter()
                .filter(|entitlement| entitlement.kind == *family)
                .cloned()
                .collect(),
        ),
    });
    AccountReading {
        account_state: state,
        provider_state: provider_state.to_owned(),
        families: families.collect(),
    }
}

/// A person with some of everything.
pub fn rich() -> Vec<Entitlement> {
    use EntitlementKind as Kind;
    vec![
        entitlement(
            Kind::Token,
            "0oa1",
            json!({"issuers": ["https://a.test/long"]}),
        ),
        entitlement(Kind::Grant, "0oa1", json!({"issuers": []})),
        entitlement(Kind::Grant, "0oa2", json!({"issuers": []})),
        entitlement(Kind::ApiToken, "00T1", json!({"client_name": "Okta API"})),
        entitlement(Kind::Role, "own", json!({"assignment_type": "USER"})),
        entitlement(Kind::Role, "inherited", json!({"assignment_type": "GROUP"})),
        entitlement(Kind::Group, "everyone", json!({"type": "BUILT_IN"})),
        entitlement(Kind::Group, "staff", json!({"type": "OKTA_GROUP"})),
        entitlement(Kind::Group, "directory", json!({"type": "APP_GROUP"})),
        entitlement(Kind::AppAssignment, "direct", json!({"scope": "USER"})),
        entitlement(Kind::AppAssignment, "by_group", json!({"scope": "GROUP"})),
        entitlement(Kind::Factor, "totp", json!({})),
        entitlement(
            Kind::Device,
            "laptop",
            json!({"status": "ACTIVE", "shared": false}),
        ),
        entitlement(
            Kind::Device,
            "kiosk",
            json!({"status": "ACTIVE", "shared": true}),
        ),
        entitlement(Kind::IdentityLink, "idp", json!({})),
    ]
}
