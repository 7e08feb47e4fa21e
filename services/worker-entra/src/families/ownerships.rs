//! What a principal owns: groups, application registrations, service principals.

use serde_json::{Value, json};
use sever_domain::EntitlementKind;
use sever_domain::entitlement::Entitlement;

use super::groups::{GroupSource, may_be_activated, scheduled, source_of};
use super::reading::text;
use super::term;
use crate::edge::Holder;
use crate::tenant::Ask;

/// Objects come whole, and an application can have tens of kilobytes.
const PAGE: &str = "100";

/// The read; `collection` is `users` or `servicePrincipals`.
#[must_use]
pub fn ask(collection: &str, id: &str) -> Ask {
    let path = [collection, id, "ownedObjects"];
    Ask::new("reading what the account owns", "owned_objects", &path).with("$top", PAGE)
}

/// The ownerships; of what else can be owned (devices are a family of their own) there is no relation to end.
/// Without the schedules that of a group may be an activation.
#[must_use]
pub fn entitlements(
    items: &[Value],
    schedules: Option<&[Value]>,
    principal_id: &str,
) -> Vec<Entitlement> {
    let by_schedule = scheduled(schedules.unwrap_or_default(), principal_id, "owner");
    let held = items.iter().filter_map(|item| {
        let holder = match text(item, "@odata.type") {
            "#microsoft.graph.group" => Holder::Group,
            "#microsoft.graph.application" => Holder::Application,
            "#microsoft.graph.servicePrincipal" => Holder::ServicePrincipal,
            _ => return None,
        };
        let id = text(item, "id");
        let assignable = item["isAssignableToRole"] == true;
        let on_premises = holder == Holder::Group && source_of(item) == GroupSource::OnPremises;
        let schedule = by_schedule.get(id).filter(|_| holder == Holder::Group);
        let mut facts = json!({
            "name": item["displayName"],
            "role_assignable": assignable,
            "scheduled": schedule.is_some(),
            "on_premises": on_premises,
        });
        if let Some(schedule) = schedule {
            term::note(&mut facts, schedule);
        }
        let mut held = Entitlement {
            kind: EntitlementKind::Ownership,
            provider_key: format!("{}:{id}", holder.collection()),
            // Who owns an application can make themselves a secret of it.
            privileged: assignable || holder != Holder::Group,
            facts,
        };
        if schedules.is_none() && holder == Holder::Group {
            may_be_activated(&mut held);
        }
        Some(held)
    });
    held.collect()
}

/// Holder and id of an ownership's key.
#[must_use]
pub fn owned(key: &str) -> Option<(Holder, &str)> {
    let (collection, id) = key.split_once(':')?;
    Some((Holder::of(collection)?, id))
}

/// Whether a local directory decides about the owners.
#[must_use]
pub fn is_on_premises(entitlement: &Entitlement) -> bool {
    entitlement.facts["on_premises"] == true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_owned_is_told_by_its_type() {
        let items = [
            json!({"@odata.type": "#microsoft.graph.group", "id": "g"}),
            json!({"@odata.type": "#microsoft.graph.application", "id": "a"}),
            json!({"@odata.type": "#microsoft.graph.device", "id": "d"}),
        ];
        let held = entitlements(&items, Some(&[]), "u");
        let keys: Vec<&str> = held.iter().map(|held| held.provider_key.as_str()).collect();
        assert_eq!(keys, ["groups:g", "applications:a"]);
        assert_eq!(owned(keys[1]), Some((Holder::Application, "a")));
        assert_eq!(owned("devices:d"), None);
    }
}
