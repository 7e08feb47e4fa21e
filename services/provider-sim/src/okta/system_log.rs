//! The System Log: an event for each accepted write, as Okta records them.

use std::collections::VecDeque;

use serde_json::{Value, json};

use crate::clock::iso;
use crate::okta::call::Call;

/// Older events are dropped; Okta keeps 90 days.
const EVENTS_MAX: usize = 200_000;

/// One event.
#[derive(Debug, Clone)]
pub struct Event {
    /// Position in the order of persistence, from 1.
    pub seq: u64,
    /// Its id.
    pub uuid: String,
    /// When it happened, in milliseconds since the Unix epoch.
    pub published: i64,
    /// For instance `user.lifecycle.suspend`.
    pub kind: &'static str,
    /// Who did it: id, type and name.
    pub actor: (String, &'static str, String),
    /// What it was done to.
    pub targets: Vec<Target>,
    /// The request that did it.
    pub request_id: String,
    /// The path of that request.
    pub request_uri: String,
    /// The id of the SSWS token that was used, where one was.
    pub token_id: Option<String>,
}

/// Something an event was done to.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its id.
    pub id: String,
    /// `User`, `UserGroup`, `AppInstance` and so on.
    pub kind: &'static str,
    /// For a user the login.
    pub alternate_id: String,
    /// The name people see.
    pub display_name: String,
}

impl Target {
    /// Something that has no names of its own.
    pub fn new(kind: &'static str, id: &str, name: &str) -> Self {
        Self {
            id: id.to_owned(),
            kind,
            alternate_id: name.to_owned(),
            display_name: name.to_owned(),
        }
    }
}

/// The newest events of an org.
#[derive(Debug, Default)]
pub struct EventLog {
    events: VecDeque<Event>,
    last_seq: u64,
}

impl EventLog {
    /// Appends what `call` did.
    pub fn record(&mut self, call: &Call, uuid: String, kind: &'static str, targets: Vec<Target>) {
        self.last_seq += 1;
        if self.events.len() == EVENTS_MAX {
            self.events.pop_front();
        }
        let principal = &call.principal;
        self.events.push_back(Event {
            seq: self.last_seq,
            uuid,
            published: call.now_ms,
            kind,
            actor: (
                principal.actor_id.clone(),
                principal.actor_kind,
                principal.name.clone(),
            ),
            targets,
            request_id: call.request_id.clone(),
            request_uri: call.path.clone(),
            token_id: principal.token_id.clone(),
        });
    }

    /// Appends what somebody did at `now_ms` behind the back of the org's clients: `actor` is id, type and name.
    pub fn record_behind(
        &mut self,
        actor: (String, &'static str, String),
        now_ms: i64,
        uuid: String,
        kind: &'static str,
        targets: Vec<Target>,
    ) {
        self.last_seq += 1;
        if self.events.len() == EVENTS_MAX {
            self.events.pop_front();
        }
        self.events.push_back(Event {
            seq: self.last_seq,
            request_id: uuid.clone(),
            uuid,
            published: now_ms,
            kind,
            actor,
            targets,
            request_uri: "/admin".to_owned(),
            token_id: None,
        });
    }

    /// The events, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Event> {
        self.events.iter()
    }

    /// The position of the newest event.
    pub fn last_seq(&self) -> u64 {
        self.last_seq
    }
}

impl Event {
    /// The event as the API writes it.
    pub fn to_json(&self) -> Value {
        let targets: Vec<Value> = self.targets.iter().map(Target::to_json).collect();
        json!({
            "uuid": self.uuid,
            "published": iso(self.published),
            "eventType": self.kind,
            "version": "0",
            "severity": "INFO",
            "displayMessage": self.kind,
            "outcome": { "result": "SUCCESS", "reason": null },
            "actor": { "id": self.actor.0, "type": self.actor.1, "alternateId": self.actor.2, "displayName": self.actor.2 },
            "target": targets,
            "transaction": {
                "id": self.request_id,
                "type": "WEB",
                "detail": self.token_id.as_ref().map_or_else(|| json!({}), |id| json!({ "requestApiTokenId": id })),
            },
            "debugContext": { "debugData": { "requestId": self.request_id, "requestUri": self.request_uri } },
        })
    }

    /// The values of `attribute`, as a filter sees them; `None`: it cannot be filtered by.
    pub fn values_of(&self, attribute: &str) -> Option<Vec<String>> {
        let target = |get: fn(&Target) -> &String| {
            Some(
                self.targets
                    .iter()
                    .map(|target| get(target).clone())
                    .collect(),
            )
        };
        match attribute {
            "eventType" => Some(vec![self.kind.to_owned()]),
            "uuid" => Some(vec![self.uuid.clone()]),
            "actor.id" => Some(vec![self.actor.0.clone()]),
            "actor.alternateId" => Some(vec![self.actor.2.clone()]),
            "outcome.result" => Some(vec!["SUCCESS".to_owned()]),
            "severity" => Some(vec!["INFO".to_owned()]),
            "transaction.id" | "debugContext.debugData.requestId" => {
                Some(vec![self.request_id.clone()])
            }
            "target.id" => target(|target| &target.id),
            "target.alternateId" => target(|target| &target.alternate_id),
            "target.type" => Some(
                self.targets
                    .iter()
                    .map(|target| target.kind.to_owned())
                    .collect(),
            ),
            _ => None,
        }
    }
}

impl Target {
    fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "type": self.kind,
            "alternateId": self.alternate_id,
            "displayName": self.display_name,
            "changeDetails": null,
        })
    }
}
