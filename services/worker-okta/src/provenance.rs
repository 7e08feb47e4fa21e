//! Who or what gave access: the System Log's events about one target (`GET /api/v1/logs`).

use jiff::Timestamp;
use serde::Deserialize;
use sever_domain::OutcomeClass;
use sever_provider::{CallError, ENTRIES_MAX, LogEntry, Provenance};

use crate::errors::Meaning;
use crate::org::{Ask, Org, endpoint, inconsistent};

/// The events after which somebody or something can do more than before.
const GIVES: [&str; 14] = [
    "user.lifecycle.create",
    "user.lifecycle.activate",
    "user.lifecycle.reactivate",
    "user.lifecycle.unsuspend",
    "user.account.unlock",
    "user.account.privilege.grant",
    "group.user_membership.add",
    "group.application_assignment.add",
    "application.user_membership.add",
    "application.lifecycle.activate",
    "system.api_token.create",
    "app.oauth2.admin.consent.grant",
    "app.oauth2.credentials.lifecycle.create",
    "app.oauth2.credentials.lifecycle.activate",
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    uuid: String,
    published: Timestamp,
    event_type: String,
    #[serde(default)]
    actor: Option<Party>,
    #[serde(default)]
    target: Option<Vec<Party>>,
    #[serde(default)]
    transaction: Option<Transaction>,
}

#[derive(Debug, Deserialize)]
struct Transaction {
    #[serde(default)]
    id: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Party {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    r#type: Option<String>,
}

/// The newest events since `since` that gave something to `target`. One page, newest first: the log is asked about one target,
/// and the events that count are compared here, whatever the server filtered.
///
/// # Errors
/// As any read; a credential that may not read the log is [`Provenance::NoLog`].
pub async fn of(org: &Org, target: &str, since: Timestamp) -> Result<Provenance, CallError> {
    let doing = "reading the System Log about an account";
    // An id of Okta is letters and digits; anything else would change the filter.
    if target.is_empty() || !target.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(Provenance::Told(Vec::new()));
    }
    let (filter, since_text) = (format!("target.id eq \"{target}\""), since.to_string());
    let ask = Ask {
        doing,
        endpoint: endpoint::LOGS,
        path: &["logs"],
        query: &[
            ("since", &since_text),
            ("filter", &filter),
            ("sortOrder", "DESCENDING"),
            ("limit", "100"),
        ],
    };
    let reply = match org.get(ask, None).await {
        Ok(reply) => reply,
        Err(refused) => {
            return match refused.meaning {
                Meaning::Forbidden => Ok(Provenance::NoLog("forbidden")),
                Meaning::Unsupported => Ok(Provenance::NoLog("unsupported")),
                _ if refused.error.class == OutcomeClass::Permanent => {
                    Ok(Provenance::NoLog("refused"))
                }
                _ => Err(refused.error),
            };
        }
    };
    let events: Vec<serde_json::Value> = reply
        .json()
        .map_err(|_| inconsistent(doing, "the answer is not the list that was asked for"))?;
    // One event that cannot be read says nothing, and hides no other one.
    let events = events
        .into_iter()
        .filter_map(|event| serde_json::from_value::<Event>(event).ok());
    let entries = events.filter_map(|event| entry(event, target, since));
    Ok(Provenance::Told(entries.take(ENTRIES_MAX).collect()))
}

/// What an event gave to the target; `None` where it is about something else, is older, or gave nothing.
fn entry(event: Event, target: &str, since: Timestamp) -> Option<LogEntry> {
    let targets = event.target.unwrap_or_default();
    let about = |party: &Party| party.id.as_deref() == Some(target);
    if event.published < since
        || !GIVES.contains(&event.event_type.as_str())
        || !targets.iter().any(about)
    {
        return None;
    }
    let word = |party: &Party| {
        let kind = party.r#type.as_deref().unwrap_or("thing");
        party.id.as_ref().map(|id| format!("{kind}:{id}"))
    };
    let given = targets.iter().filter(|party| !about(party)).find_map(word);
    let actor = event.actor.unwrap_or(Party {
        id: None,
        r#type: None,
    });
    Some(LogEntry {
        at: event.published,
        event: event.event_type,
        actor_kind: actor.r#type.unwrap_or_else(|| "unknown".to_owned()),
        actor: actor.id.unwrap_or_default(),
        given,
        entry: event.uuid,
        correlation: event.transaction.and_then(|one| one.id),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(event: serde_json::Value) -> Option<LogEntry> {
        let since = "2026-11-22T12:00:00Z".parse().unwrap();
        entry(serde_json::from_value(event).unwrap(), "00u1", since)
    }

    fn event(kind: &str, published: &str, target: &str) -> serde_json::Value {
        json!({
            "uuid": "e1", "published": published, "eventType": kind,
            "transaction": {"id": "t1", "type": "WEB"},
            "actor": {"id": "00ua", "type": "User", "alternateId": "admin@example.com", "displayName": "Admin"},
            "target": [{"id": target, "type": "User"}, {"id": "00g1", "type": "UserGroup"}],
        })
    }

    #[test]
    fn an_event_names_who_gave_what_without_a_name() {
        let told = read(event(
            "group.user_membership.add",
            "2026-11-22T12:00:01Z",
            "00u1",
        ))
        .unwrap();
        assert_eq!(
            (told.actor.as_str(), told.actor_kind.as_str()),
            ("00ua", "User")
        );
        assert_eq!(told.given.as_deref(), Some("UserGroup:00g1"));
        assert_eq!(told.correlation.as_deref(), Some("t1"));
        let text = serde_json::to_string(&told).unwrap();
        assert!(
            !text.contains("admin@") && !text.contains("Admin"),
            "{text}"
        );
    }

    #[test]
    fn what_is_older_is_about_another_or_takes_access_away_is_no_provenance() {
        let late = "2026-11-22T12:00:01Z";
        assert!(
            read(event(
                "group.user_membership.add",
                "2026-11-22T11:59:59Z",
                "00u1"
            ))
            .is_none()
        );
        assert!(read(event("group.user_membership.add", late, "00u2")).is_none());
        assert!(read(event("user.lifecycle.suspend", late, "00u1")).is_none());
        let nobody = json!({"uuid": "e2", "published": late, "eventType": "user.lifecycle.activate", "target": [{"id": "00u1"}]});
        assert_eq!(read(nobody).unwrap().actor_kind, "unknown");
    }
}
