//! `GET /monitored-computers`.

use serde_json::json;

use crate::exchange::Reply;
use crate::vanta::call::Call;
use crate::vanta::error::ApiError;
use crate::vanta::page::page;
use crate::vanta::state::Tenant;

/// The computers that agents report.
pub fn list(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    page(
        call,
        &tenant.settings,
        tenant.computers.iter(),
        |computer| {
            json!({
                "id": computer.id, "integrationId": computer.integration, "owner": { "id": computer.owner },
                "serialNumber": computer.serial, "udid": null, "lastCheckDate": null, "operatingSystem": "macOS",
                "diskEncryption": { "outcome": "PASS" }, "screenlock": { "outcome": "PASS" },
                "passwordManager": { "outcome": "PASS" }, "antivirusInstallation": { "outcome": "PASS" },
            })
        },
    )
}
