//! Devices that a person owns and that are enabled; a disabled device opens nothing.

use serde_json::{Value, json};
use sever_domain::EntitlementKind;
use sever_domain::entitlement::Entitlement;

use super::reading::text;
use crate::batch;
use crate::errors::Refused;
use crate::paging::read_on;
use crate::tenant::{Ask, Tenant};

/// The read of the devices that a person owns.
#[must_use]
pub fn ask(user_id: &str) -> Ask {
    let path = ["users", user_id, "ownedDevices"];
    Ask::new("reading the account's devices", "devices", &path)
}

/// The enabled devices among `items`, with whether other people use them too.
///
/// # Errors
/// As any list.
pub async fn entitlements(
    tenant: &Tenant,
    items: &[Value],
    user_id: &str,
) -> Result<Vec<Entitlement>, Refused> {
    let enabled: Vec<&Value> = items
        .iter()
        .filter(|item| item["accountEnabled"] != false)
        .collect();
    let asks: Vec<Ask> = enabled
        .iter()
        .map(|device| {
            let path = ["devices", text(device, "id"), "registeredUsers"];
            Ask::new("reading who uses a device", "devices", &path).with("$select", "id")
        })
        .collect();
    let mut held = Vec::with_capacity(enabled.len());
    let answers = batch::read_all(tenant, &asks).await?;
    for ((device, ask), answer) in enabled.iter().zip(&asks).zip(answers) {
        let users = read_on(tenant, ask, answer?).await?;
        let shared = users.iter().any(|user| text(user, "id") != user_id);
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
