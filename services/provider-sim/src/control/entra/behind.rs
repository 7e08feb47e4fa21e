//! Changes with an author: `"by": {"id": "…", "type": "User", "name": "…"}` beside a mutation writes the event into the audit log that
//! Microsoft writes when an administrator, an application or one of its own services does the same. Who gave an Azure role stands at
//! the assignment: that log is another one.

use serde::Deserialize;
use serde_json::{Value, json};

use super::mutate::{self, Mutation, group_of};
use super::seed;
use crate::control::{Answer, Refusal};
use crate::entra::audit_log::{Change, Initiator};
use crate::entra::state::{Kind, Tenant};
use crate::entra::{app_roles, deleted, pim, roles};

/// Who did it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct By {
    /// The id of the user or service principal; not of a service.
    #[serde(default)]
    id: String,
    /// What it is.
    r#type: Author,
    /// The name people see.
    name: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum Author {
    User,
    Application,
    /// A service of Microsoft's: dynamic groups, Privileged Identity Management.
    System,
}

/// One change as it is to be logged.
struct Event {
    category: &'static str,
    activity: &'static str,
    targets: Vec<String>,
    modified: Vec<(&'static str, Value, Value)>,
}

/// Applies a change, and writes its event where somebody did it.
pub fn mutate(tenant: &mut Tenant, mut order: Value, now_ms: i64) -> Answer {
    let by = order.as_object_mut().and_then(|order| order.remove("by"));
    let refused = |error: serde_json::Error| Refusal(400, error.to_string());
    let by: Option<By> = by
        .map(serde_json::from_value)
        .transpose()
        .map_err(refused)?;
    let change: Mutation = serde_json::from_value(order).map_err(refused)?;
    let event = by.as_ref().and_then(|_| event(tenant, &change));
    let author = by.as_ref().map(|by| by.id.as_str());
    let answer = mutate::apply(tenant, change, author, now_ms)?;
    if let (Some(by), Some(event)) = (by, event) {
        let initiator = match by.r#type {
            Author::User => Initiator::User(by.id, by.name),
            Author::Application => Initiator::App(by.id, by.name),
            Author::System => Initiator::System(by.name),
        };
        let logged = Change {
            category: event.category,
            activity: event.activity,
            targets: event.targets.iter().map(String::as_str).collect(),
            modified: event.modified,
            service: None,
        };
        tenant.audit_behind(&initiator, now_ms, &logged);
    }
    Ok(answer)
}

/// The event that is written for a change, as things are before it; `None` where none is.
fn event(tenant: &Tenant, change: &Mutation) -> Option<Event> {
    let principal = |name: &str| seed::principal(tenant, name).ok();
    let plain = |category, activity, targets| {
        Some(Event {
            category,
            activity,
            targets,
            modified: Vec::new(),
        })
    };
    match change {
        Mutation::AddToGroup { user, group } => {
            let targets = vec![principal(user)?, group_of(tenant, group).ok()?];
            plain("GroupManagement", "Add member to group", targets)
        }
        Mutation::RemoveFromGroup { user, group } => {
            let targets = vec![principal(user)?, group_of(tenant, group).ok()?];
            plain("GroupManagement", "Remove member from group", targets)
        }
        Mutation::SetEnabled { user, enabled } => {
            Some(switched(tenant, principal(user)?, *enabled))
        }
        Mutation::Delete { user } => {
            let id = principal(user)?;
            let (category, activity) = match tenant.kind_of(&id) {
                Some(Kind::User) => ("UserManagement", "Delete user"),
                _ => ("ApplicationManagement", "Remove service principal"),
            };
            plain(category, activity, vec![id])
        }
        Mutation::Restore { user } => {
            let (category, activity) = deleted::restored(tenant.deleted_kind(user)?);
            plain(category, activity, vec![user.clone()])
        }
        Mutation::Purge { user } => plain("UserManagement", "Hard Delete user", vec![user.clone()]),
        Mutation::ChangeLogin { user, .. } => {
            plain("UserManagement", "Update user", vec![principal(user)?])
        }
        Mutation::AddLicence { user, .. } => plain(
            "UserManagement",
            "Change user license",
            vec![principal(user)?],
        ),
        given => gift(tenant, given),
    }
}

/// The event of a change that gives a role, an application, a consent or a secret.
fn gift(tenant: &Tenant, change: &Mutation) -> Option<Event> {
    let principal = |name: &str| seed::principal(tenant, name).ok();
    let (category, activity, targets, modified) = match change {
        Mutation::AssignRole { user, role } => {
            let modified = roles::modified(seed::role(role));
            let targets = vec![principal(user)?];
            ("RoleManagement", "Add member to role", targets, modified)
        }
        Mutation::AddEligibleRole { user, role } => {
            let modified = vec![("Role.TemplateId", Value::Null, json!(seed::role(role)))];
            let activity = pim::completed((true, false), false);
            ("RoleManagement", activity, vec![principal(user)?], modified)
        }
        Mutation::AssignApp { user, app } => {
            let user = principal(user)?;
            let (category, activity) = app_roles::added(tenant, &user);
            (category, activity, vec![principal(app)?, user], Vec::new())
        }
        Mutation::Grant { app, .. } => {
            let (category, activity) = ("ApplicationManagement", "Add delegated permission grant");
            (category, activity, vec![principal(app)?], Vec::new())
        }
        Mutation::AddSecret { app, .. } => {
            let app = tenant.id_of(Kind::Application, app).ok()?;
            let activity = "Update application – Certificates and secrets management";
            ("ApplicationManagement", activity, vec![app], Vec::new())
        }
        _ => return None,
    };
    Some(Event {
        category,
        activity,
        targets,
        modified,
    })
}

/// A user or service principal that was enabled or disabled.
fn switched(tenant: &Tenant, id: String, enabled: bool) -> Event {
    let (category, activity) = match (tenant.kind_of(&id), enabled) {
        (Some(Kind::User), true) => ("UserManagement", "Enable account"),
        (Some(Kind::User), false) => ("UserManagement", "Disable account"),
        _ => ("ApplicationManagement", "Update service principal"),
    };
    Event {
        category,
        activity,
        targets: vec![id],
        modified: vec![("AccountEnabled", json!([!enabled]), json!([enabled]))],
    }
}
