//! Privileged Identity Management of directory roles: what may be activated, what is active, and requests.

use serde_json::{Value, json};

use super::{roles, wanted};
use crate::clock::iso;
use crate::entra::audit_log::Change;
use crate::entra::call::Call;
use crate::entra::error::ApiError;
use crate::entra::page;
use crate::entra::render;
use crate::entra::state::{Record, Table, Tenant, record};
use crate::exchange::Reply;

/// `GET /roleManagement/directory/roleEligibilitySchedules`.
pub fn eligible(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    schedules(tenant, call, Table::EligibleRoles)
}

/// `GET /roleManagement/directory/roleAssignmentSchedules`.
pub fn active(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    schedules(tenant, call, Table::ActiveRoles)
}

/// `GET /roleManagement/directory/roleEligibilityScheduleInstances`: those that come through groups included.
pub fn eligible_instances(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    instances(tenant, call, Table::EligibleRoles)
}

/// `GET /roleManagement/directory/roleAssignmentScheduleInstances`.
pub fn active_instances(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    instances(tenant, call, Table::ActiveRoles)
}

/// `POST /roleManagement/directory/roleEligibilityScheduleRequests`.
pub fn request_eligible(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    request(tenant, call, Table::EligibleRoles)
}

/// `POST /roleManagement/directory/roleAssignmentScheduleRequests`.
pub fn request_active(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    request(tenant, call, Table::ActiveRoles)
}

/// Refuses where Privileged Identity Management is not licensed.
///
/// # Errors
/// 400 or 403 `AadPremiumLicenseRequired`.
pub fn require(tenant: &Tenant) -> Result<(), ApiError> {
    if tenant.settings.pim {
        return Ok(());
    }
    let status = tenant.settings.unconfirmed.pim_unlicensed;
    let message =
        "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license.";
    Err(ApiError::new(status, "AadPremiumLicenseRequired", message))
}

/// There is nothing to remove; said by PIM now and then of what it has just removed.
pub fn absent() -> ApiError {
    ApiError::new(
        400,
        "RoleAssignmentDoesNotExist",
        "The Role assignment does not exist.",
    )
}

fn schedules(tenant: &mut Tenant, call: &Call, table: Table) -> Result<Reply, ApiError> {
    require(tenant)?;
    let items = render::rows(&tenant.store.all(table));
    page::reply(
        &tenant.settings,
        call,
        "roleManagement/directory/schedules",
        items,
    )
}

fn instances(tenant: &mut Tenant, call: &Call, table: Table) -> Result<Reply, ApiError> {
    require(tenant)?;
    let mut items: Vec<Value> = Vec::new();
    for row in tenant.store.all(table) {
        let mut instance = render::shown(&row.record);
        instance["roleAssignmentScheduleId"] = json!(row.id);
        instance["roleAssignmentOriginId"] = json!(row.id);
        for member in tenant.store.owners(Table::Members, &row.owner) {
            let mut through = instance.clone();
            through["id"] = json!(format!("{}-{member}", row.id));
            through["principalId"] = json!(member);
            through["memberType"] = json!("Group");
            items.push(through);
        }
        items.push(instance);
    }
    page::reply(
        &tenant.settings,
        call,
        "roleManagement/directory/instances",
        items,
    )
}

fn request(tenant: &mut Tenant, call: &Call, table: Table) -> Result<Reply, ApiError> {
    require(tenant)?;
    let body = call.json()?;
    let principal = wanted(&body, "principalId")?;
    let role = wanted(&body, "roleDefinitionId")?;
    let scope = wanted(&body, "directoryScopeId")?;
    let action = wanted(&body, "action")?;
    let existing = tenant.store.of(table, principal);
    let existing = roles::same(&existing, role, scope);
    let status = match action {
        "adminRemove" => {
            let row = existing.ok_or_else(absent)?;
            tenant.store.remove(table, principal, &row.id);
            if table == Table::ActiveRoles {
                let held = tenant.store.of(Table::Roles, principal);
                if let Some(held) = roles::same(&held, role, scope) {
                    tenant.store.remove(Table::Roles, principal, &held.id);
                }
            }
            "Revoked"
        }
        "adminAssign" => {
            if existing.is_some() {
                let message = "The Role assignment already exists.";
                return Err(ApiError::new(400, "RoleAssignmentExists", message));
            }
            let term = Term::of_request(&body);
            schedule(tenant, table, principal, role, scope, &term, call.now_ms);
            if table == Table::ActiveRoles {
                roles::give(tenant, principal, role, scope);
            }
            "Provisioned"
        }
        _ => return Err(ApiError::bad_request("The action is not supported here.")),
    };
    let timed = Term::of_request(&body).until.is_some();
    let change = Change {
        category: "RoleManagement",
        activity: completed(
            (status == "Provisioned", table == Table::ActiveRoles),
            timed,
        ),
        targets: vec![principal],
        modified: vec![("Role.TemplateId", Value::Null, json!(role))],
        service: Some("PIM"),
    };
    tenant.audit_change(call, &change);
    if status == "Revoked" && tenant.settings.unconfirmed.pim_gone_on_success {
        return Err(absent());
    }
    let id = tenant.new_id();
    let made = record(json!({
        "id": id, "action": action, "status": status, "principalId": principal, "roleDefinitionId": role,
        "directoryScopeId": scope, "createdDateTime": iso(call.now_ms), "targetScheduleId": null,
    }));
    Ok(render::plain(
        call,
        201,
        "roleManagement/directory/requests/$entity",
        &made,
    ))
}

/// How the audit log calls a request that was carried out: whether it gives, whether at once, and whether until a date.
pub const fn completed((gives, active): (bool, bool), timed: bool) -> &'static str {
    match (gives, active, timed) {
        (true, true, false) => "Add member to role in PIM completed (permanent)",
        (true, true, true) => "Add member to role in PIM completed (timebound)",
        (true, false, false) => "Add eligible member to role in PIM completed (permanent)",
        (true, false, true) => "Add eligible member to role in PIM completed (timebound)",
        (false, true, _) => "Remove member from role in PIM completed (permanent)",
        (false, false, _) => "Remove eligible member from role in PIM completed (permanent)",
    }
}

/// For how long a schedule gives something, and whether an eligible principal took it.
#[derive(Debug, Clone, Default)]
pub struct Term {
    /// Activated rather than assigned.
    pub activated: bool,
    /// Its end; none lasts.
    pub until: Option<String>,
}

impl Term {
    /// The term that a request asks for.
    pub fn of_request(body: &Record) -> Self {
        let info = body.get("scheduleInfo").unwrap_or(&Value::Null);
        Self {
            activated: false,
            until: info["expiration"]["endDateTime"]
                .as_str()
                .map(str::to_owned),
        }
    }

    /// As a schedule shows it.
    pub fn shown(&self, now_ms: i64) -> Value {
        let kind = match self.until {
            Some(_) => "afterDateTime",
            None => "noExpiration",
        };
        json!({ "startDateTime": iso(now_ms), "expiration": { "type": kind, "endDateTime": self.until, "duration": null } })
    }

    /// The kind of an active assignment.
    pub const fn kind(&self) -> &'static str {
        if self.activated {
            "Activated"
        } else {
            "Assigned"
        }
    }
}

/// Makes a schedule and returns it.
pub fn schedule(
    tenant: &mut Tenant,
    table: Table,
    principal: &str,
    role: &str,
    scope: &str,
    term: &Term,
    now_ms: i64,
) -> Record {
    let id = tenant.new_id();
    let mut made = record(json!({
        "id": id, "principalId": principal, "roleDefinitionId": role, "directoryScopeId": scope, "appScopeId": null,
        "memberType": "Direct", "status": "Provisioned", "createdDateTime": iso(now_ms),
        "scheduleInfo": term.shown(now_ms),
    }));
    if table == Table::ActiveRoles {
        made.insert("assignmentType".into(), json!(term.kind()));
    }
    tenant.store.put(table, principal, &id, made.clone());
    made
}
