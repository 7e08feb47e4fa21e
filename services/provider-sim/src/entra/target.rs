//! Which principal a call concerns, for the journal and the fault rules: a user, a service principal, or an application.

use serde_json::Value;

use crate::entra::api::azure;
use crate::entra::call::Call;
use crate::entra::query::{demanded, parse};
use crate::entra::routes::Route;
use crate::entra::state::{Kind, Table, Tenant};

/// The id of the principal: in the path, as the holder of what the path names, in the body, or in the filter.
pub fn target(tenant: &Tenant, route: &Route, call: &Call) -> Option<String> {
    let argument = |name: &str| Some(call.argument(route.argument(name)?).to_owned());
    let holder = |table: Table, name: &str| {
        let id = argument(name)?;
        Some(tenant.store.find(table, &id).map_or(id, |row| row.owner))
    };
    let named = |kind: Kind, name: &str| {
        let name = argument(name)?;
        Some(tenant.id_of(kind, &name).unwrap_or(name))
    };
    if route.operation.ends_with("azure_role") {
        return azure::principal_of(tenant, call)
            .or_else(|| in_body(call, "/properties/principalId"));
    }
    argument("{member}")
        .or_else(|| named(Kind::User, "{user}"))
        .or_else(|| holder(Table::AppRoles, "{app_role}"))
        .or_else(|| in_body(call, "/principalId"))
        .or_else(|| in_body(call, "/properties/principalId"))
        .or_else(|| referred(call))
        .or_else(|| named(Kind::ServicePrincipal, "{principal}"))
        .or_else(|| named(Kind::Application, "{application}"))
        .or_else(|| of_device(tenant, &argument("{device}")?))
        .or_else(|| holder(Table::Roles, "{role}"))
        .or_else(|| holder(Table::Grants, "{grant}"))
        .or_else(|| argument("{item}").filter(|item| Kind::from_cast(item).is_none()))
        .or_else(|| in_filter(call))
}

/// Whose device it is: who owns it and uses it, else who uses it, else who owns it, else its own id.
fn of_device(tenant: &Tenant, device: &str) -> Option<String> {
    let users = tenant.store.owners(Table::DeviceUsers, device);
    let owners = tenant.store.owners(Table::DeviceOwners, device);
    let both = owners.iter().find(|owner| users.contains(owner));
    let found = both.or(users.first()).or(owners.first());
    Some(found.cloned().unwrap_or_else(|| device.to_owned()))
}

fn in_body(call: &Call, pointer: &str) -> Option<String> {
    let body: Value = serde_json::from_slice(&call.body).ok()?;
    body.pointer(pointer)?.as_str().map(str::to_owned)
}

fn referred(call: &Call) -> Option<String> {
    let body: Value = serde_json::from_slice(&call.body).ok()?;
    let address = body.get("@odata.id")?.as_str()?;
    address.rsplit('/').next().map(str::to_owned)
}

fn in_filter(call: &Call) -> Option<String> {
    if call.path.starts_with("/arm") {
        return azure::asked_of(call);
    }
    let filter = parse(call.parameter("$filter")?)?;
    ["principalId", "clientId"]
        .iter()
        .find_map(|member| demanded(&filter, member))
        .map(str::to_owned)
}
