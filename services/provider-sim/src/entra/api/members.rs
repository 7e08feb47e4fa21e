//! Members of groups. The address of a removal ends in `/$ref`; without it the member itself is deleted.

use serde_json::{Value, json};

use super::wanted;
use crate::entra::call::Call;
use crate::entra::error::ApiError;
use crate::entra::page;
use crate::entra::render;
use crate::entra::settings::RepeatedRemoval;
use crate::entra::state::{Kind, Record, Ruled, Table, Tenant, flag, record, ruled_by};
use crate::exchange::Reply;

const ADDED_EXISTS: &str = "One or more added object references already exist for the following modified properties: 'members'.";
const MAIL_ENABLED: &str = "Cannot Update a mail-enabled security groups and or distribution list.";

/// `GET /groups/{group}/members`.
pub fn list(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let group = tenant.id_of(Kind::Group, call.argument(0))?;
    let items = principals(tenant, call, Table::Members, &group);
    page::reply(&tenant.settings, call, "directoryObjects", items)
}

/// `POST /groups/{group}/members/$ref`.
pub fn add(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let (group, group_record) = tenant.object(Kind::Group, call.argument(0))?;
    let member = referred(tenant, call)?;
    refuse_change(tenant, call, &group_record)?;
    if tenant.store.get(Table::Members, &member, &group).is_some() {
        return Err(ApiError::bad_request(ADDED_EXISTS));
    }
    tenant
        .store
        .put(Table::Members, &member, &group, record(json!({})));
    tenant.audit(
        call,
        "GroupManagement",
        "Add member to group",
        &[&member, &group],
    );
    Ok(Reply::empty(204))
}

/// `DELETE /groups/{group}/members/{member}/$ref`.
pub fn remove(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let (group, member) = (call.argument(0), call.argument(1));
    let Ok((group, group_record)) = tenant.object(Kind::Group, group) else {
        return Err(ApiError::not_found(group));
    };
    if tenant.store.get(Table::Members, member, &group).is_none() {
        return Err(absent(tenant, &group, "members"));
    }
    refuse_change(tenant, call, &group_record)?;
    tenant.audit(
        call,
        "GroupManagement",
        "Remove member from group",
        &[member, &group],
    );
    tenant.store.remove(Table::Members, member, &group);
    Ok(Reply::empty(204))
}

/// `DELETE /groups/{group}/members/{member}` without `/$ref`: deletes the member, not the membership.
pub fn delete_object(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let (group, member) = (call.argument(0).to_owned(), call.argument(1).to_owned());
    if tenant.store.get(Table::Members, &member, &group).is_none() {
        return Err(ApiError::not_found(&member));
    }
    let kind = tenant
        .kind_of(&member)
        .ok_or_else(|| ApiError::not_found(&member))?;
    if kind == Kind::User
        && !call
            .principal
            .holds(&["User.ReadWrite.All", "User.DeleteRestore.All"])
    {
        return Err(ApiError::denied());
    }
    tenant.protect_administrator(&call.principal, &member)?;
    tenant.audit(call, "UserManagement", "Delete user", &[&member]);
    tenant.soft_delete(kind, &member, call.now_ms);
    Ok(Reply::empty(204))
}

/// The principals at the other end of `table`, as typed objects; deleted ones are not shown.
pub fn principals(tenant: &Tenant, call: &Call, table: Table, id: &str) -> Vec<Value> {
    let ids = tenant.store.owners(table, id);
    ids.iter()
        .filter_map(|id| {
            let kind = tenant.kind_of(id)?;
            let record = tenant.store.object(kind.table(), id)?;
            Some(render::typed(tenant, call, kind, id, &record))
        })
        .collect()
}

/// The object that the body of a `$ref` call names.
pub fn referred(tenant: &Tenant, call: &Call) -> Result<String, ApiError> {
    let body = call.json()?;
    let address = wanted(&body, "@odata.id")?;
    let id = address.rsplit('/').next().unwrap_or_default().to_owned();
    match tenant.kind_of(&id) {
        Some(_) => Ok(id),
        None => Err(ApiError::not_found(&id)),
    }
}

/// What is said of the removal of a reference that is not there. Two shapes are seen; the 404 names the group.
pub fn absent(tenant: &mut Tenant, group: &str, property: &str) -> ApiError {
    tenant.repeats += 1;
    let bad_request = match tenant.settings.unconfirmed.repeated_removal {
        RepeatedRemoval::NotFound => false,
        RepeatedRemoval::BadRequest => true,
        RepeatedRemoval::Alternating => tenant.repeats.is_multiple_of(2),
    };
    if bad_request {
        ApiError::bad_request(&format!(
            "One or more removed object references do not exist for the following modified properties: '{property}'."
        ))
    } else {
        ApiError::not_found(group)
    }
}

fn refuse_change(tenant: &Tenant, call: &Call, group: &Record) -> Result<(), ApiError> {
    let assignable = flag(group, "isAssignableToRole");
    if assignable
        && !call
            .principal
            .holds(&["RoleManagement.ReadWrite.Directory"])
    {
        return Err(ApiError::denied());
    }
    match ruled_by(group) {
        None => Ok(()),
        Some(Ruled::Dynamic) if tenant.settings.unconfirmed.dynamic_removal == 400 => Err(
            ApiError::bad_request("Members of a dynamic group cannot be changed."),
        ),
        Some(Ruled::Dynamic) => Err(ApiError::denied()),
        Some(Ruled::Synced) => Err(ApiError::on_premises()),
        Some(Ruled::MailEnabled) => Err(ApiError::bad_request(MAIL_ENABLED)),
    }
}
