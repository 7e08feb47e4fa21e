//! `/auditLogs/directoryAudits`: who changed what.

use serde_json::{Value, json};

use crate::clock::iso;
use crate::entra::call::Call;
use crate::entra::state::Tenant;

/// Events that are kept; a tenant with more of them forgets the oldest.
const EVENTS_MAX: usize = 100_000;

/// The events, oldest first.
#[derive(Debug, Default)]
pub struct AuditLog {
    events: Vec<(i64, Value)>,
}

impl AuditLog {
    /// The events that show at `now_ms`, given how late they do, newest first.
    pub fn shown(&self, now_ms: i64, lag_ms: i64) -> Vec<Value> {
        let shown = self.events.iter().filter(|(at, _)| at + lag_ms <= now_ms);
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

impl Tenant {
    /// Notes that `call` did `activity` to `targets`.
    pub fn audit(&mut self, call: &Call, category: &str, activity: &str, targets: &[&str]) {
        let resources: Vec<Value> = targets
            .iter()
            .map(|id| {
                let kind = self.kind_of(id).map_or("Other", |kind| kind.word());
                json!({ "id": id, "type": kind, "displayName": self.name_of(id), "modifiedProperties": [] })
            })
            .collect();
        let id = crate::entra::state::guid(&mut self.request_dice);
        let event = json!({
            "id": format!("Directory_{id}"),
            "category": category,
            "activityDisplayName": activity,
            "activityDateTime": iso(call.now_ms),
            "correlationId": call.request_id,
            "result": "success",
            "resultReason": "",
            "loggedByService": "Core Directory",
            "operationType": call.method,
            "initiatedBy": {
                "user": null,
                "app": { "servicePrincipalId": call.principal.object_id, "displayName": call.principal.name, "appId": null },
            },
            "targetResources": resources,
            "additionalDetails": [],
        });
        self.audits.add(call.now_ms, event);
    }
}
