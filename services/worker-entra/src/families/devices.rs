//! Devices that a person owns or has registered and that are enabled; a disabled device opens nothing.

use serde_json::{Value, json};
use sever_domain::EntitlementKind;
use sever_domain::entitlement::Entitlement;

use super::reading::text;
use crate::batch;
use crate::errors::Refused;
use crate::paging::read_on;
use crate::tenant::{Ask, Tenant};

/// What says whose a device is.
const RELATIONS: [&str; 2] = ["registeredUsers", "registeredOwners"];

/// The read of the devices that a person owns.
#[must_use]
pub fn ask(user_id: &str) -> Ask {
    of_user(user_id, "ownedDevices")
}

/// The read of the devices that a person has registered.
#[must_use]
pub fn ask_registered(user_id: &str) -> Ask {
    of_user(user_id, "registeredDevices")
}

fn of_user(user_id: &str, relation: &str) -> Ask {
    let path = ["users", user_id, relation];
    Ask::new("reading the account's devices", "devices", &path)
}

/// The enabled devices of both lists, with whether they are other people's too.
///
/// # Errors
/// As any list.
pub async fn entitlements(
    tenant: &Tenant,
    owned: &[Value],
    registered: &[Value],
    user_id: &str,
) -> Result<Vec<Entitlement>, Refused> {
    let mut enabled: Vec<&Value> = Vec::new();
    for item in owned.iter().chain(registered) {
        let known = enabled
            .iter()
            .any(|known| text(known, "id") == text(item, "id"));
        if item["accountEnabled"] != false && !known {
            enabled.push(item);
        }
    }
    let asks: Vec<Ask> = enabled
        .iter()
        .flat_map(|device| RELATIONS.map(|relation| (text(device, "id"), relation)))
        .map(|(device, relation)| {
            let path = ["devices", device, relation];
            Ask::new("reading whose a device is", "devices", &path).with("$select", "id")
        })
        .collect();
    let mut answers = batch::read_all(tenant, &asks).await?.into_iter().zip(&asks);
    let mut held = Vec::with_capacity(enabled.len());
    for device in enabled {
        let mut shared = false;
        for (answer, ask) in answers.by_ref().take(RELATIONS.len()) {
            let people = read_on(tenant, ask, answer?).await?;
            shared |= people.iter().any(|person| text(person, "id") != user_id);
        }
        held.push(Entitlement {
            kind: EntitlementKind::Device,
            provider_key: text(device, "id").to_owned(),
            privileged: false,
            facts: json!({ "name": device["displayName"], "shared": shared }),
        });
    }
    Ok(held)
}

/// Whether other people use it too.
#[must_use]
pub fn is_shared(entitlement: &Entitlement) -> bool {
    entitlement.facts["shared"] == true
}
