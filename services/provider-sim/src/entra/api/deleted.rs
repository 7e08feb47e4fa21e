//! Deleted items: what can still be restored.

use serde_json::{Value, json};

use crate::entra::call::Call;
use crate::entra::error::ApiError;
use crate::entra::page;
use crate::entra::render;
use crate::entra::state::{Kind, Record, Row, Table, Tenant, text};
use crate::exchange::Reply;

/// `GET /directory/deletedItems/{cast}`: the type is required.
pub fn list(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let cast = call.argument(0);
    let rows = tenant.store.all(Table::Deleted);
    let wanted = rows.iter().filter(|row| text(&row.record, "_kind") == cast);
    let items = wanted.map(|row| shown(tenant, row)).collect();
    page::reply(&tenant.settings, call, "directory/deletedItems", items)
}

/// `GET /directory/deletedItems/{item}`, or a list where the segment is a type.
pub fn get(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let id = call.argument(0);
    if Kind::from_cast(id).is_some() {
        return list(tenant, call);
    }
    let record = tenant.store.object(Table::Deleted, id);
    let record = record.ok_or_else(|| ApiError::not_found(id))?;
    let row = Row {
        owner: String::new(),
        id: id.to_owned(),
        record,
    };
    let mut body = shown(tenant, &row);
    body["@odata.context"] = json!(call.context("directoryObjects/$entity"));
    Ok(Reply::json(200, &body))
}

/// `POST /directory/deletedItems/{item}/restore`.
pub fn restore(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let id = call.argument(0);
    let body = if call.body.is_empty() {
        Record::new()
    } else {
        call.json()?
    };
    tenant.protect_administrator(&call.principal, id)?;
    let new_name = body.get("newUserPrincipalName").and_then(Value::as_str);
    let kind = tenant.restore(id, new_name)?;
    let (category, activity) = restored(kind);
    tenant.audit(call, category, activity, &[id]);
    let (id, record) = tenant.object(kind, id)?;
    let mut value = render::typed(tenant, call, kind, &id, &record);
    value["@odata.context"] = json!(call.context("directoryObjects/$entity"));
    Ok(Reply::json(200, &value))
}

/// `DELETE /directory/deletedItems/{item}`: for good.
pub fn purge(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let id = call.argument(0);
    tenant.audit(call, "UserManagement", "Hard Delete user", &[id]);
    match tenant.hard_delete(id) {
        true => Ok(Reply::empty(204)),
        false => Err(ApiError::not_found(id)),
    }
}

/// How the audit log calls a restore: area and activity.
pub fn restored(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Application => ("ApplicationManagement", "Restore application"),
        Kind::ServicePrincipal => ("ApplicationManagement", "Restore service principal"),
        Kind::Group => ("GroupManagement", "Restore group"),
        Kind::User | Kind::Device => ("UserManagement", "Restore user"),
    }
}

fn shown(tenant: &Tenant, row: &Row) -> Value {
    let mut value = render::shown(&row.record);
    value["@odata.type"] = json!(format!("#{}", text(&row.record, "_kind")));
    let is_user = text(&row.record, "_kind") == Kind::User.cast();
    if is_user && tenant.settings.unconfirmed.deleted_shown_changed {
        let prefix = row.id.replace('-', "");
        value["userPrincipalName"] = json!(format!(
            "{prefix}{}",
            text(&row.record, "userPrincipalName")
        ));
        value["accountEnabled"] = json!(false);
    }
    value
}
