//! Who gave a role at an Azure scope: each assignment says so itself (`createdBy`, `createdOn`), at once and without a log's delay. The
//! directory's log has nothing of them.

use jiff::Timestamp;
use serde_json::Value;
use sever_domain::{EntitlementKind, OutcomeClass};
use sever_provider::http::Method;
use sever_provider::{CallError, ENTRIES_MAX, LogEntry, LogQuestion};

use crate::errors::Meaning;
use crate::families::{azure, text};
use crate::service::Service;
use crate::tenant::Tenant;

const DOING: &str = "reading who gave an Azure role";
/// What Azure calls the operation that makes an assignment.
const EVENT: &str = "Microsoft.Authorization/roleAssignments/write";

/// What the assignments that were seen say of themselves, those that are as new as was asked for.
///
/// # Errors
/// As any read; an assignment that is gone, or that may not be read, says nothing.
pub(super) async fn of(
    tenant: &Tenant,
    question: LogQuestion<'_>,
) -> Result<Vec<LogEntry>, CallError> {
    let Some(service) = &tenant.azure else {
        return Ok(Vec::new());
    };
    let roles = question.held.iter();
    let roles = roles.filter(|(kind, _)| *kind == EntitlementKind::ResourceRole);
    let mut told = Vec::new();
    for (_, key) in roles.take(ENTRIES_MAX) {
        let item = assignment(tenant, service, key).await?;
        told.extend(item.and_then(|item| entry(&item, question)));
    }
    Ok(told)
}

async fn assignment(
    tenant: &Tenant,
    service: &Service,
    key: &str,
) -> Result<Option<Value>, CallError> {
    // What can be activated is no assignment, and has another key.
    let Ok(url) = azure::assignment_url(service, DOING, key) else {
        return Ok(None);
    };
    let get = (Method::GET, None);
    match tenant.azure(service, DOING, get, url, None).await {
        Ok(reply) => Ok(reply.json().ok()),
        Err(refused) => match refused.meaning {
            Meaning::Gone
            | Meaning::Denied
            | Meaning::Failed(OutcomeClass::Permanent | OutcomeClass::NeedsPerson, _) => Ok(None),
            _ => Err(refused.error),
        },
    }
}

/// What an assignment says of how it came to be; `None` where it is older or another principal's.
fn entry(item: &Value, question: LogQuestion<'_>) -> Option<LogEntry> {
    let properties = &item["properties"];
    let at: Timestamp = text(properties, "createdOn").parse().ok()?;
    let principal = text(properties, "principalId");
    if at < question.since || !principal.eq_ignore_ascii_case(question.provider_id) {
        return None;
    }
    let role = text(properties, "roleDefinitionId");
    let role = role.rsplit('/').next().unwrap_or_default();
    let actor = text(properties, "createdBy").to_owned();
    let known = if actor.is_empty() {
        "unknown"
    } else {
        "Principal"
    };
    Some(LogEntry {
        at,
        event: EVENT.to_owned(),
        actor_kind: known.to_owned(),
        actor,
        given: Some(format!("AzureRole:{role} at {}", text(properties, "scope"))),
        entry: text(item, "id").to_owned(),
        correlation: None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_assignment_says_who_made_it_and_when() {
        let item = json!({"id": "/subscriptions/s/providers/Microsoft.Authorization/roleAssignments/n", "properties": {
            "principalId": "SP-1", "scope": "/subscriptions/s", "createdBy": "u-admin", "createdOn": "2026-11-22T12:00:00.5Z",
            "roleDefinitionId": "/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/owner",
        }});
        let of = |item: &Value, since: &str, provider_id: &str| {
            let since = since.parse().unwrap();
            entry(
                item,
                LogQuestion {
                    provider_id,
                    since,
                    held: &[],
                },
            )
        };
        let told = of(&item, "2026-11-22T12:00:00Z", "sp-1").unwrap();
        assert_eq!(
            (told.actor_kind.as_str(), told.actor.as_str()),
            ("Principal", "u-admin")
        );
        assert_eq!(
            told.given.as_deref(),
            Some("AzureRole:owner at /subscriptions/s")
        );
        assert!(of(&item, "2026-11-22T12:00:01Z", "sp-1").is_none(), "older");
        assert!(
            of(&item, "2026-11-22T12:00:00Z", "sp-2").is_none(),
            "another's"
        );
        let mut silent = item;
        silent["properties"]["createdBy"] = Value::Null;
        let silent = of(&silent, "2026-11-22T12:00:00Z", "sp-1").unwrap();
        assert_eq!(
            (silent.actor_kind.as_str(), silent.actor.as_str()),
            ("unknown", "")
        );
    }
}
