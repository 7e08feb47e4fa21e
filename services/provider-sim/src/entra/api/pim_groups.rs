//! Privileged Identity Management of group memberships and ownerships.

use serde_json::json;

use super::pim::{Term, absent, completed, require};
use super::wanted;
use crate::clock::iso;
use crate::entra::audit_log::Change;
use crate::entra::call::Call;
use crate::entra::error::ApiError;
use crate::entra::page;
use crate::entra::query;
use crate::entra::render;
use crate::entra::state::{Row, Table, Tenant, record, text};
use crate::exchange::Reply;

/// `GET /identityGovernance/privilegedAccess/group/eligibilitySchedules` and `.../eligibilityScheduleInstances`.
pub fn eligible(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    list(tenant, call, Table::EligibleGroups)
}

/// `GET /identityGovernance/privilegedAccess/group/assignmentSchedules` and `.../assignmentScheduleInstances`.
pub fn active(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    list(tenant, call, Table::ActiveGroups)
}

/// `POST /identityGovernance/privilegedAccess/group/eligibilityScheduleRequests`.
pub fn request_eligible(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    request(tenant, call, Table::EligibleGroups)
}

/// `POST /identityGovernance/privilegedAccess/group/assignmentScheduleRequests`.
pub fn request_active(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    request(tenant, call, Table::ActiveGroups)
}

/// A filter by principal or group is required.
fn list(tenant: &mut Tenant, call: &Call, table: Table) -> Result<Reply, ApiError> {
    require(tenant)?;
    let filter = query::filter(call, &tenant.settings)?;
    let demands = filter.as_ref().is_some_and(|filter| {
        ["principalId", "groupId"]
            .iter()
            .any(|member| query::demanded(filter, member).is_some())
    });
    if !demands && !tenant.settings.ignore_filter {
        let message = "The required filters PrincipalId or GroupId are missing.";
        return Err(ApiError::new(400, "MissingParameters", message));
    }
    let items = render::rows(&tenant.store.all(table));
    page::reply(
        &tenant.settings,
        call,
        "identityGovernance/schedules",
        items,
    )
}

fn request(tenant: &mut Tenant, call: &Call, table: Table) -> Result<Reply, ApiError> {
    require(tenant)?;
    let body = call.json()?;
    let principal = wanted(&body, "principalId")?;
    let group = wanted(&body, "groupId")?;
    let access = wanted(&body, "accessId")?;
    let edge = edge(access)?;
    let existing = tenant.store.of(table, principal);
    let existing = same(&existing, group, access);
    let status = match wanted(&body, "action")? {
        "adminRemove" => {
            let row = existing.ok_or_else(absent)?;
            tenant.store.remove(table, principal, &row.id);
            if table == Table::ActiveGroups {
                tenant.store.remove(edge, principal, group);
            }
            "Revoked"
        }
        "adminAssign" => {
            let term = Term::of_request(&body);
            schedule(
                tenant,
                table,
                principal,
                (group, access),
                &term,
                call.now_ms,
            );
            if table == Table::ActiveGroups {
                tenant.store.put(edge, principal, group, record(json!({})));
            }
            "Provisioned"
        }
        _ => return Err(ApiError::bad_request("The action is not supported here.")),
    };
    let timed = Term::of_request(&body).until.is_some();
    let change = Change {
        category: "GroupManagement",
        activity: completed(
            (status == "Provisioned", table == Table::ActiveGroups),
            timed,
        ),
        targets: vec![principal, group],
        modified: Vec::new(),
        service: Some("PIM"),
    };
    tenant.audit_change(call, &change);
    if status == "Revoked" && tenant.settings.unconfirmed.pim_gone_on_success {
        return Err(absent());
    }
    let id = tenant.new_id();
    let made = record(json!({
        "id": id, "action": body.get("action"), "status": status, "principalId": principal, "groupId": group,
        "accessId": access, "createdDateTime": iso(call.now_ms),
    }));
    Ok(render::plain(
        call,
        201,
        "identityGovernance/requests/$entity",
        &made,
    ))
}

/// Makes a schedule; its id is that of group, access and principal.
pub fn schedule(
    tenant: &mut Tenant,
    table: Table,
    principal: &str,
    (group, access): (&str, &str),
    term: &Term,
    now_ms: i64,
) {
    let id = format!("{group}_{access}_{}", tenant.new_id());
    let mut made = record(json!({
        "id": id, "principalId": principal, "groupId": group, "accessId": access, "memberType": "direct",
        "status": "Provisioned", "createdDateTime": iso(now_ms), "scheduleInfo": term.shown(now_ms),
    }));
    if table == Table::ActiveGroups {
        made.insert("assignmentType".into(), json!(term.kind().to_lowercase()));
    }
    tenant.store.put(table, principal, &id, made);
}

/// The relation that an active schedule of this access stands for.
pub fn edge(access: &str) -> Result<Table, ApiError> {
    match access {
        "member" => Ok(Table::Members),
        "owner" => Ok(Table::Owners),
        _ => Err(ApiError::bad_request("accessId must be member or owner.")),
    }
}

fn same<'a>(rows: &'a [Row], group: &str, access: &str) -> Option<&'a Row> {
    rows.iter().find(|row| {
        text(&row.record, "groupId") == group && text(&row.record, "accessId") == access
    })
}
