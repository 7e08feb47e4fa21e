//! Delegated permission grants.

use serde_json::{Value, json};

use super::wanted;
use crate::entra::call::Call;
use crate::entra::error::ApiError;
use crate::entra::page;
use crate::entra::render;
use crate::entra::state::{Kind, Record, Table, Tenant, record, text};
use crate::exchange::Reply;

/// `GET /oauth2PermissionGrants`.
pub fn list(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let items = render::rows(&tenant.store.all(Table::Grants));
    page::reply(&tenant.settings, call, "oauth2PermissionGrants", items)
}

/// `GET /users/{user}/oauth2PermissionGrants`: those of this user, never those for everybody.
pub fn of_user(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let user = tenant.id_of(Kind::User, call.argument(0))?;
    let mut rows = tenant.store.of(Table::Grants, &user);
    rows.retain(|row| text(&row.record, "principalId") == user);
    page::reply(
        &tenant.settings,
        call,
        "oauth2PermissionGrants",
        render::rows(&rows),
    )
}

/// `GET /servicePrincipals/{principal}/oauth2PermissionGrants`: where it is the client.
pub fn of_client(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let client = tenant.id_of(Kind::ServicePrincipal, call.argument(0))?;
    let items = by_client(tenant, &client);
    page::reply(&tenant.settings, call, "oauth2PermissionGrants", items)
}

/// `GET /oauth2PermissionGrants/{grant}`.
pub fn get(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let id = call.argument(0);
    let row = tenant.store.find(Table::Grants, id);
    let row = row.ok_or_else(|| ApiError::not_found(id))?;
    Ok(render::plain(
        call,
        200,
        "oauth2PermissionGrants/$entity",
        &row.record,
    ))
}

/// `POST /oauth2PermissionGrants`.
pub fn create(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let body = call.json()?;
    let client = wanted(&body, "clientId")?;
    let resource = wanted(&body, "resourceId")?;
    let scope = wanted(&body, "scope")?;
    let principal = match wanted(&body, "consentType")? {
        "AllPrincipals" => None,
        "Principal" => Some(wanted(&body, "principalId")?),
        _ => {
            return Err(ApiError::bad_request(
                "consentType must be AllPrincipals or Principal.",
            ));
        }
    };
    let owner = principal.unwrap_or(client);
    let exists = tenant.store.of(Table::Grants, owner).iter().any(|row| {
        text(&row.record, "clientId") == client && text(&row.record, "resourceId") == resource
    });
    if exists {
        let message = "Permission entry already exists.";
        return Err(ApiError::new(
            409,
            "Request_MultipleObjectsWithSameKeyValue",
            message,
        ));
    }
    let made = give(tenant, client, principal, resource, scope);
    tenant.audit(
        call,
        "ApplicationManagement",
        "Add delegated permission grant",
        &[resource, client],
    );
    Ok(render::plain(
        call,
        201,
        "oauth2PermissionGrants/$entity",
        &made,
    ))
}

/// `DELETE /oauth2PermissionGrants/{grant}`.
pub fn delete(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let id = call.argument(0);
    let row = tenant.store.find(Table::Grants, id);
    let row = row.ok_or_else(|| ApiError::not_found(id))?;
    tenant.store.remove(Table::Grants, &row.owner, id);
    let client = text(&row.record, "clientId");
    tenant.audit(
        call,
        "ApplicationManagement",
        "Remove delegated permission grant",
        &[text(&row.record, "resourceId"), client],
    );
    Ok(Reply::empty(204))
}

/// Makes a grant and returns it.
pub fn give(
    tenant: &mut Tenant,
    client: &str,
    principal: Option<&str>,
    resource: &str,
    scope: &str,
) -> Record {
    let id = tenant.dice.text(43);
    let kind = if principal.is_some() {
        "Principal"
    } else {
        "AllPrincipals"
    };
    let made = record(json!({
        "id": id, "clientId": client, "consentType": kind, "principalId": principal, "resourceId": resource, "scope": scope,
    }));
    let owner = principal.unwrap_or(client);
    tenant.store.put(Table::Grants, owner, &id, made.clone());
    made
}

/// The grants that let `client` act for somebody.
pub fn by_client(tenant: &Tenant, client: &str) -> Vec<Value> {
    let mut rows = tenant.store.all(Table::Grants);
    rows.retain(|row| text(&row.record, "clientId") == client);
    render::rows(&rows)
}
