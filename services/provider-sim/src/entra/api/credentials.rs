//! Secrets and federated credentials of applications.

use serde_json::{Value, json};

use super::wanted;
use crate::entra::call::Call;
use crate::entra::error::ApiError;
use crate::entra::page;
use crate::entra::render;
use crate::entra::state::{Kind, Table, Tenant, list as items_of};
use crate::exchange::Reply;

/// `POST /applications/{application}/removePassword`.
pub fn remove_from_application(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    remove(tenant, call, Kind::Application)
}

/// `POST /servicePrincipals/{principal}/removePassword`.
pub fn remove_from_service_principal(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    remove(tenant, call, Kind::ServicePrincipal)
}

fn remove(tenant: &mut Tenant, call: &Call, kind: Kind) -> Result<Reply, ApiError> {
    let (id, object) = tenant.object(kind, call.argument(0))?;
    let body = call.json()?;
    let key_id = wanted(&body, "keyId")?;
    let mut secrets: Vec<Value> = items_of(&object, "passwordCredentials").to_vec();
    let before = secrets.len();
    secrets.retain(|secret| secret["keyId"] != *key_id);
    if secrets.len() == before {
        let message = format!("No password credential found with keyId {key_id}.");
        return Err(match tenant.settings.unconfirmed.remove_absent_password {
            400 => ApiError::bad_request(&message),
            _ => ApiError::new(404, "Request_ResourceNotFound", &message),
        });
    }
    tenant.store.patch(kind.table(), "", &id, |record| {
        record.insert("passwordCredentials".into(), Value::Array(secrets));
    });
    let activity = "Update application – Certificates and secrets management";
    tenant.audit(call, "ApplicationManagement", activity, &[&id]);
    Ok(Reply::empty(204))
}

/// `GET /applications/{application}/federatedIdentityCredentials`.
pub fn list_federated(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let id = tenant.id_of(Kind::Application, call.argument(0))?;
    let items = render::rows(&tenant.store.of(Table::Federated, &id));
    page::reply(
        &tenant.settings,
        call,
        "federatedIdentityCredentials",
        items,
    )
}

/// `POST /applications/{application}/federatedIdentityCredentials`.
pub fn add_federated(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let application = tenant.id_of(Kind::Application, call.argument(0))?;
    let mut made = call.json()?;
    for name in ["name", "issuer", "subject"] {
        wanted(&made, name)?;
    }
    let id = tenant.new_id();
    made.insert("id".into(), json!(id));
    tenant
        .store
        .put(Table::Federated, &application, &id, made.clone());
    Ok(render::plain(
        call,
        201,
        "federatedIdentityCredentials/$entity",
        &made,
    ))
}

/// `DELETE /applications/{application}/federatedIdentityCredentials/{credential}`.
pub fn delete_federated(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let application = tenant.id_of(Kind::Application, call.argument(0))?;
    let id = call.argument(1);
    match tenant.store.remove(Table::Federated, &application, id) {
        Some(_) => Ok(Reply::empty(204)),
        None => Err(ApiError::not_found(id)),
    }
}
