//! Administrative roles of an application: `GET /oauth2/v1/clients/{id}/roles`.

use sever_domain::entitlement::Entitlement;

use crate::errors::Meaning;
use crate::families::{assigned_roles, role_entitlement};
use crate::org::{Org, Refused, endpoint};

/// Reads the roles; an application that is no client has none.
///
/// # Errors
/// As any list.
pub async fn read(org: &Org, client_id: &str) -> Result<Vec<Entitlement>, Refused> {
    let doing = "reading the application's administrative roles";
    let read = assigned_roles(org, doing, endpoint::CLIENT_ROLES, ["clients", client_id]).await;
    let roles = match read {
        Err(Refused {
            meaning: Meaning::Gone,
            ..
        }) => Vec::new(),
        read => read?,
    };
    let of_client = |role| {
        let mut held = role_entitlement(role);
        held.facts["client_id"] = client_id.into();
        held
    };
    Ok(roles.iter().map(of_client).collect())
}
