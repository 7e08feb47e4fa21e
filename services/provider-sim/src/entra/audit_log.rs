//! `/auditLogs/directoryAudits`: who changed what.

use serde_json::{Value, json};

use crate::clock::iso;
use crate::entra::call::Call;
use crate::entra::state::{Tenant, guid};

/// Events that are kept; a tenant with more of them forgets the oldest.
const EVENTS_MAX: usize = 100_000;

/// The events, oldest first.
#[derive(Debug, Default)]
pub struct AuditLog {
    events: Vec<(i64, Value)>,
}

/// Who or what changed something.
#[derive(Debug, Clone)]
pub enum Initiator {
    /// A person: id and name.
    User(String, String),
    /// An application: the id of its service principal, and its name.
    App(String, String),
    /// A service of Microsoft's, which is written as an application without ids.
    System(String),
}

/// One change as it is logged.
#[derive(Debug, Clone, Default)]
pub struct Change<'a> {
    /// The area, `GroupManagement`.
    pub category: &'a str,
    /// The activity, `Add member to group`.
    pub activity: &'a str,
    /// What it concerns, the principal first.
    pub targets: Vec<&'a str>,
    /// What changed of the first target: name, old and new value.
    pub modified: Vec<(&'a str, Value, Value)>,
    /// Which service wrote it; without one the core directory.
    pub service: Option<&'a str>,
}

impl AuditLog {
    /// The events that show at `now_ms`, newest first: those that are not too late to show yet, nor too old to show still.
    pub fn shown(&self, now_ms: i64, lag_ms: i64, keep_ms: i64) -> Vec<Value> {
        let is_shown = |at: i64| at + lag_ms <= now_ms && at + keep_ms > now_ms;
        let shown = self.events.iter().filter(|(at, _)| is_shown(*at));
        shown.rev().map(|(_, event)| event.clone()).collect()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    fn add(&mut self, at: i64, event: Value) {
        if self.events.len() >= EVENTS_MAX {
            self.events.drain(..EVENTS_MAX / 10);
        }
        self.events.push((at, event));
    }
}

impl Initiator {
    fn shown(&self, tenant: &Tenant) -> Value {
        let app = |id: Option<&str>, name: &str| json!({ "appId": null, "displayName": name, "servicePrincipalId": id, "servicePrincipalName": null });
        let (user, app) = match self {
            Self::User(id, name) => {
                let known = tenant.name_of(id);
                let login = format!("{}@example.com", id.to_lowercase());
                let shown = if known.is_empty() { name } else { &known };
                let user = json!({ "id": id, "displayName": shown, "userPrincipalName": login, "ipAddress": "192.0.2.7" });
                (user, Value::Null)
            }
            Self::App(id, name) => (Value::Null, app(Some(id), name)),
            Self::System(name) => (Value::Null, app(None, name)),
        };
        json!({ "user": user, "app": app })
    }
}

impl Tenant {
    /// Notes that `call` did `activity` to `targets`.
    pub fn audit(&mut self, call: &Call, category: &str, activity: &str, targets: &[&str]) {
        let change = Change {
            category,
            activity,
            targets: targets.to_vec(),
            ..Change::default()
        };
        self.audit_change(call, &change);
    }

    /// Notes that `call` made a change.
    pub fn audit_change(&mut self, call: &Call, change: &Change<'_>) {
        let principal = &call.principal;
        let by = Initiator::App(principal.object_id.clone(), principal.name.clone());
        self.write_audit(&by, call.now_ms, &call.request_id, change);
    }

    /// Notes that somebody made a change behind the back of the tenant's clients.
    pub fn audit_behind(&mut self, by: &Initiator, now_ms: i64, change: &Change<'_>) {
        let correlation = guid(&mut self.request_dice);
        self.write_audit(by, now_ms, &correlation, change);
    }

    fn write_audit(&mut self, by: &Initiator, now_ms: i64, correlation: &str, change: &Change<'_>) {
        let targets = change.targets.iter().enumerate();
        let resources: Vec<Value> = targets
            .map(|(at, id)| {
                let kind = self.kind_of(id).map_or("Other", |kind| kind.word());
                let modified = if at == 0 { modified(change) } else { json!([]) };
                json!({ "id": id, "type": kind, "displayName": self.name_of(id), "modifiedProperties": modified })
            })
            .collect();
        let id = guid(&mut self.request_dice);
        let event = json!({
            "id": format!("Directory_{id}"),
            "category": change.category,
            "activityDisplayName": change.activity,
            "activityDateTime": iso(now_ms),
            "correlationId": correlation,
            "result": "success",
            "resultReason": "",
            "loggedByService": change.service.unwrap_or("Core Directory"),
            "operationType": operation(change.activity),
            "initiatedBy": by.shown(self),
            "targetResources": resources,
            "additionalDetails": [],
        });
        self.audits.add(now_ms, event);
    }
}

/// Values are written as JSON inside a text.
fn modified(change: &Change<'_>) -> Value {
    let written = |value: &Value| (!value.is_null()).then(|| value.to_string());
    let modified = change.modified.iter().map(|(name, old, new)| {
        json!({ "displayName": name, "oldValue": written(old), "newValue": written(new) })
    });
    modified.collect()
}

/// The kind of operation that an activity is.
fn operation(activity: &str) -> &'static str {
    const MEMBERSHIPS: [&str; 4] = ["member", "owner", "app role", "grant"];
    let relates = MEMBERSHIPS.iter().any(|word| activity.contains(word));
    match activity.split(' ').next().unwrap_or_default() {
        "Add" if relates => "Assign",
        "Remove" if relates => "Unassign",
        "Add" => "Add",
        "Remove" | "Delete" | "Hard" => "Delete",
        _ => "Update",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_shows_when_it_is_in_time_and_until_it_is_too_old() {
        let mut log = AuditLog::default();
        log.add(100, json!("first"));
        log.add(200, json!("second"));
        for (now_ms, shown) in [
            (149, vec![]),
            (150, vec!["first"]),
            (260, vec!["second", "first"]),
            (1_100, vec!["second"]),
        ] {
            assert_eq!(log.shown(now_ms, 50, 1_000), shown, "{now_ms}");
        }
    }

    #[test]
    fn operations_are_the_documented_ones() {
        for (activity, expected) in [
            ("Add member to group", "Assign"),
            ("Remove owner from group", "Unassign"),
            ("Add user", "Add"),
            ("Hard Delete user", "Delete"),
            ("Enable account", "Update"),
        ] {
            assert_eq!(operation(activity), expected, "{activity}");
        }
    }
}
