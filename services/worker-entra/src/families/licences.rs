//! Licences: assigned directly, or by a group.

use serde_json::{Value, json};
use sever_domain::EntitlementKind;
use sever_domain::entitlement::Entitlement;

use super::reading::text;

/// The licences in a user's `licenseAssignmentStates`.
#[must_use]
pub fn entitlements(states: &[Value]) -> Vec<Entitlement> {
    states
        .iter()
        .map(|state| {
            let (sku, group) = (text(state, "skuId"), text(state, "assignedByGroup"));
            let key = match (sku, group) {
                ("", _) => String::new(),
                (sku, "") => sku.to_owned(),
                (sku, group) => format!("{sku}@{group}"),
            };
            Entitlement {
                kind: EntitlementKind::Licence,
                provider_key: key,
                privileged: false,
                facts: json!({ "sku": sku, "group": state["assignedByGroup"], "disabled_plans": state["disabledPlans"] }),
            }
        })
        .collect()
}

/// Whether a group gives it.
#[must_use]
pub fn is_inherited(entitlement: &Entitlement) -> bool {
    entitlement.facts["group"].is_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_licence_can_come_twice() {
        let states = [
            json!({"skuId": "e5", "assignedByGroup": null}),
            json!({"skuId": "e5", "assignedByGroup": "g"}),
        ];
        let held = entitlements(&states);
        assert_eq!(held[0].provider_key, "e5");
        assert!(!is_inherited(&held[0]) && is_inherited(&held[1]));
    }
}
