//! Devices: `GET /users/{id}/devices`, and for each whether other people use it too.

use futures::stream::{StreamExt as _, TryStreamExt as _, iter};
use serde::Deserialize;
use serde_json::json;
use sever_domain::EntitlementKind;
use sever_domain::entitlement::Entitlement;

use crate::org::{Ask, Org, Refused, endpoint};
use crate::paging::{Listed, list};

/// How many devices are read at once; the connection's own cap applies besides.
const AT_ONCE: usize = 8;

#[derive(Debug, Deserialize)]
struct UserDevice {
    device: Device,
}

#[derive(Debug, Deserialize)]
struct Device {
    id: String,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    profile: Profile,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Profile {
    platform: Option<String>,
}

#[derive(Debug, Deserialize)]
struct DeviceUser {
    user: UserId,
}

#[derive(Debug, Deserialize)]
struct UserId {
    id: String,
}

impl Listed for UserDevice {
    fn id(&self) -> &str {
        &self.device.id
    }
}

impl Listed for DeviceUser {
    fn id(&self) -> &str {
        &self.user.id
    }
}

/// Whether others use the device, so that deactivating it would hit them.
#[must_use]
pub fn is_shared(entitlement: &Entitlement) -> bool {
    entitlement.facts["shared"] == true
}

/// Whether the device must be deactivated before it can be deleted.
#[must_use]
pub fn is_active(entitlement: &Entitlement) -> bool {
    entitlement.facts["status"] != "DEACTIVATED"
}

/// Reads the devices; their names, which people choose, are not kept.
///
/// # Errors
/// As any list.
pub async fn read(org: &Org, user_id: &str) -> Result<Vec<Entitlement>, Refused> {
    let ask = Ask {
        doing: "reading the account's devices",
        endpoint: endpoint::USER_DEVICES,
        path: &["users", user_id, "devices"],
        query: &[],
    };
    let devices: Vec<UserDevice> = list(org, ask).await?;
    iter(devices)
        .map(|found| with_users(org, user_id, found.device))
        .buffered(AT_ONCE)
        .try_collect()
        .await
}

async fn with_users(org: &Org, user_id: &str, device: Device) -> Result<Entitlement, Refused> {
    let ask = Ask {
        doing: "reading a device's users",
        endpoint: endpoint::DEVICES,
        path: &["devices", &device.id, "users"],
        query: &[],
    };
    let users: Vec<DeviceUser> = list(org, ask).await?;
    let shared = users.iter().any(|found| found.user.id != user_id);
    Ok(Entitlement {
        kind: EntitlementKind::Device,
        provider_key: device.id,
        privileged: false,
        facts: json!({
            "status": device.status,
            "platform": device.profile.platform,
            "shared": shared,
        }),
    })
}
