//! Changes with an author: `"by": {"id": "00u1", "type": "User", "name": "…"}` beside a mutation writes the events into the System
//! Log that Okta writes when an administrator, a rule or a directory does the same.

use serde::Deserialize;
use serde_json::Value;

use super::mutate::{self, Mutation};
use crate::control::{Answer, Refusal};
use crate::okta::Org;
use crate::okta::state::Status;
use crate::okta::system_log::Target;

/// Who did it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct By {
    /// The actor's id.
    id: String,
    /// `User`, `SystemPrincipal` or `PublicClientApp`.
    r#type: Kind,
    /// The name people see.
    name: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum Kind {
    User,
    SystemPrincipal,
    PublicClientApp,
}

/// Applies a change, and writes its event where somebody did it.
pub fn mutate(org: &mut Org, mut order: Value, now_ms: i64) -> Answer {
    let by = order.as_object_mut().and_then(|order| order.remove("by"));
    let refused = |error: serde_json::Error| Refusal(400, error.to_string());
    let by: Option<By> = by
        .map(serde_json::from_value)
        .transpose()
        .map_err(refused)?;
    let change: Mutation = serde_json::from_value(order).map_err(refused)?;
    let event = by.and_then(|by| Some((by, event(org, &change)?)));
    let answer = mutate::apply(org, change, now_ms)?;
    if let Some((by, (kind, targets))) = event {
        let actor_kind = match by.r#type {
            Kind::User => "User",
            Kind::SystemPrincipal => "SystemPrincipal",
            Kind::PublicClientApp => "PublicClientApp",
        };
        org.log_behind((by.id, actor_kind, by.name), now_ms, kind, targets);
    }
    Ok(answer)
}

/// The event that Okta writes for a change, as it is before it; `None` where it writes none.
fn event(org: &Org, change: &Mutation) -> Option<(&'static str, Vec<Target>)> {
    let user = |name: &str| org.find_user(name).map(|id| org.user_target(&id));
    let group = |name: &str| {
        let found = org
            .groups
            .values()
            .find(|group| group.id == name || group.name == name);
        found.map(|group| org.group_target(&group.id))
    };
    let app = |name: &str| {
        let found = org
            .apps
            .values()
            .find(|app| app.id == name || app.label == name);
        found.map(|app| Target::new("AppInstance", &app.id, &app.label))
    };
    match change {
        Mutation::AddToGroup {
            user: who,
            group: to,
        } => Some(("group.user_membership.add", vec![user(who)?, group(to)?])),
        Mutation::RemoveFromGroup {
            user: who,
            group: of,
        } => Some(("group.user_membership.remove", vec![user(who)?, group(of)?])),
        Mutation::GiveGroupRole { group: to, .. } => {
            Some(("group.privilege.grant", vec![group(to)?]))
        }
        Mutation::SetStatus { user: who, status } => {
            let kind = match status {
                Status::Active => "user.lifecycle.activate",
                Status::Suspended => "user.lifecycle.suspend",
                Status::Deprovisioned => "user.lifecycle.deactivate",
                _ => return None,
            };
            Some((kind, vec![user(who)?]))
        }
        Mutation::Deactivate { user: who } => Some(("user.lifecycle.deactivate", vec![user(who)?])),
        Mutation::Delete { user: who } => {
            Some(("user.lifecycle.delete.initiated", vec![user(who)?]))
        }
        Mutation::SetApp { app: what, active } => {
            let kind = if *active {
                "application.lifecycle.activate"
            } else {
                "application.lifecycle.deactivate"
            };
            Some((kind, vec![app(what)?]))
        }
        Mutation::AssignAppUser {
            app: what,
            user: who,
        } => Some((
            "application.user_membership.add",
            vec![user(who)?, app(what)?],
        )),
        Mutation::AssignAppGroup {
            app: what,
            group: to,
        } => Some((
            "group.application_assignment.add",
            vec![group(to)?, app(what)?],
        )),
        Mutation::AddAppSecret { app: what } => {
            Some(("app.oauth2.credentials.lifecycle.create", vec![app(what)?]))
        }
        Mutation::GrantAppScope { app: what, .. } => {
            Some(("app.oauth2.admin.consent.grant", vec![app(what)?]))
        }
        Mutation::ChangeLogin { .. } | Mutation::AddSessions { .. } => None,
    }
}
