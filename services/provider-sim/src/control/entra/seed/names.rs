//! What the names in a document stand for.

use crate::control::Refusal;
use crate::entra::roles::DEFINITIONS;
use crate::entra::state::{Kind, OWNER_ROLE, Table, Tenant, text};

/// Azure roles by their names.
const AZURE_ROLES: [(&str, &str); 4] = [
    ("Owner", OWNER_ROLE),
    ("Contributor", "b24988ac-6180-42a0-ab88-20f7382dd24c"),
    ("Reader", "acdd72a7-3385-48ef-bd42-f606fba81ae7"),
    (
        "User Access Administrator",
        "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
    ),
];

/// The object of one of `kinds` with this id, login or name.
pub fn object(tenant: &Tenant, kinds: &[Kind], name: &str) -> Result<String, Refusal> {
    for kind in kinds {
        if let Ok(id) = tenant.id_of(*kind, name) {
            return Ok(id);
        }
        let rows = tenant.store.all(kind.table());
        let named = rows
            .into_iter()
            .find(|row| text(&row.record, "displayName") == name);
        if let Some(row) = named {
            return Ok(row.id);
        }
    }
    Err(Refusal::not_found(&format!("{name:?}")))
}

/// A user, group or service principal.
pub fn principal(tenant: &Tenant, name: &str) -> Result<String, Refusal> {
    object(
        tenant,
        &[Kind::User, Kind::Group, Kind::ServicePrincipal],
        name,
    )
}

/// The definition of the directory role with this name or id.
pub fn role(name: &str) -> &str {
    let known = DEFINITIONS.iter().find(|(_, known)| *known == name);
    known.map_or(name, |(id, _)| id)
}

/// The definition of the Azure role with this name or id.
pub fn azure_role(name: &str) -> &str {
    let known = AZURE_ROLES.iter().find(|(known, _)| *known == name);
    known.map_or(name, |(_, id)| id)
}

/// What an owner can own, by id or name.
pub fn ownable(tenant: &Tenant, name: &str) -> Result<(Table, String), Refusal> {
    let kinds = [Kind::Group, Kind::Application, Kind::ServicePrincipal];
    Ok((Table::Owners, object(tenant, &kinds, name)?))
}
