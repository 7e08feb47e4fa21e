//! Who or what gave access. The directory's audit log tells it of what the directory has (`GET /auditLogs/directoryAudits`), an Azure
//! role assignment of itself.

mod activities;
mod assignments;
mod audit;

use jiff::Timestamp;
use serde_json::Value;
use sever_domain::OutcomeClass;
use sever_provider::{CallError, ENTRIES_MAX, LogEntry, LogQuestion, Provenance};

use crate::errors::{Meaning, Refused};
use crate::paging::Page;
use crate::service::inconsistent;
use crate::tenant::{Ask, Tenant};

const DOING: &str = "reading the audit log about an account";
/// What an event is read for; a page holds nothing else.
const SELECT: &str = "id,activityDateTime,activityDisplayName,correlationId,result,loggedByService,initiatedBy,targetResources";
/// Events of a page, and the most pages that one question reads: the newest events count, and the log's rate is small.
const PAGE: &str = "100";
const PAGES_MAX: usize = 8;
/// What Graph says to a tenant whose licences do not include the log.
const UNLICENSED: &str = "Authentication_RequestFromNonPremiumTenantOrB2CTenant";

/// The newest changes since the instant asked for that gave something to an account or application.
///
/// # Errors
/// As any read; a log that this credential or tenant will never be shown is [`Provenance::NoLog`], unless Azure tells something.
pub async fn of(tenant: &Tenant, question: LogQuestion<'_>) -> Result<Provenance, CallError> {
    let mut told = assignments::of(tenant, question).await?;
    let directory = events(tenant, question).await;
    match directory {
        Ok(events) => told.extend(events),
        Err(refused) => match no_log(&refused) {
            Some(why) if told.is_empty() => return Ok(Provenance::NoLog(why)),
            Some(_) => {}
            None => return Err(refused.error),
        },
    }
    told.sort_by_key(|entry| std::cmp::Reverse(entry.at));
    told.truncate(ENTRIES_MAX);
    Ok(Provenance::Told(told))
}

/// Why there is no log, where asking again would not help.
fn no_log(refused: &Refused) -> Option<&'static str> {
    match refused.meaning {
        _ if refused.error.code.as_deref() == Some(UNLICENSED) => Some("unlicensed"),
        Meaning::Unlicensed => Some("unlicensed"),
        Meaning::Denied => Some("forbidden"),
        Meaning::Gone => Some("unsupported"),
        Meaning::Failed(OutcomeClass::Permanent | OutcomeClass::NeedsPerson, _) => Some("refused"),
        _ => None,
    }
}

/// The directory's events about the target that gave something. Who and when is compared here, whatever the server filtered.
async fn events(tenant: &Tenant, question: LogQuestion<'_>) -> Result<Vec<LogEntry>, Refused> {
    let target = question.provider_id;
    // An object id is letters, digits and hyphens; anything else would change the filter.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if target.is_empty() || !target.bytes().all(is_plain) {
        return Ok(Vec::new());
    }
    match since(tenant, question, Some(question.since)).await {
        // A log may refuse to be asked about a time that is older than its oldest event.
        Err(refused) if refused.error.status == Some(400) => since(tenant, question, None).await,
        answer => answer,
    }
}

/// Reads the events from this instant on, or, without one, from the newest back to the instant that counts.
async fn since(
    tenant: &Tenant,
    question: LogQuestion<'_>,
    from: Option<Timestamp>,
) -> Result<Vec<LogEntry>, Refused> {
    let ask = ask(question.provider_id, from);
    let mut next: Option<String> = None;
    let mut told: Vec<LogEntry> = Vec::new();
    for page in 0..PAGES_MAX {
        let reply = match tenant.log(&ask, next.as_deref()).await {
            // The newest were read: to begin again for the sake of the oldest would never end where the rate is small.
            Err(_) if page > 0 => break,
            reply => reply?,
        };
        let body: Value = reply
            .json()
            .map_err(|_| inconsistent(DOING, "the answer is not JSON"))?;
        let page = Page::of(DOING, body, "@odata.nextLink")?;
        let mut goes_back_far_enough = false;
        // One event that cannot be read says nothing, and hides no other one.
        for event in page.items.into_iter().filter_map(audit::read) {
            goes_back_far_enough |= event.at() < question.since;
            let known = told.iter().any(|entry| entry.entry == event.id());
            let entry = event.into_entry(question.provider_id, question.since);
            told.extend(entry.filter(|_| !known));
        }
        let goes_on = !goes_back_far_enough && told.len() < ENTRIES_MAX && page.next != next;
        match page.next.filter(|_| goes_on) {
            Some(following) => next = Some(following),
            None => break,
        }
    }
    Ok(told)
}

fn ask(target: &str, from: Option<Timestamp>) -> Ask {
    let about = format!("targetResources/any(t:t/id eq '{target}')");
    let filter = match from {
        // Whole seconds, rounded down: what is older is left out here.
        Some(from) => {
            let from = from.strftime("%Y-%m-%dT%H:%M:%SZ");
            format!("activityDateTime ge {from} and {about}")
        }
        None => about,
    };
    Ask::new(DOING, "directory_audits", &["auditLogs", "directoryAudits"])
        .with("$filter", filter)
        .with("$orderby", "activityDateTime desc")
        .with("$select", SELECT)
        .with("$top", PAGE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::errors::refusal;

    #[test]
    fn what_asking_again_would_not_change_is_no_log_with_its_reason() {
        let of = |status, code: &str| {
            let body = serde_json::json!({"error": {"code": code}});
            no_log(&refusal(DOING, status, &body, None))
        };
        assert_eq!(of(403, UNLICENSED), Some("unlicensed"));
        assert_eq!(of(403, "Authorization_RequestDenied"), Some("forbidden"));
        assert_eq!(of(404, "Request_ResourceNotFound"), Some("unsupported"));
        assert_eq!(of(400, "BadRequest"), Some("refused"));
        assert_eq!(of(503, "serviceNotAvailable"), None);
        assert_eq!(of(401, "InvalidAuthenticationToken"), None);
        let late = inconsistent(DOING, "the answer is not JSON");
        assert_eq!(no_log(&late.into()), None);
    }

    #[test]
    fn the_time_is_asked_for_in_whole_seconds() {
        let filter = |from: Option<&str>| {
            let ask = ask("u-1", from.map(|from| from.parse().unwrap()));
            ask.query[0].1.clone()
        };
        assert_eq!(
            filter(Some("2026-11-22T12:00:00.987654Z")),
            "activityDateTime ge 2026-11-22T12:00:00Z and targetResources/any(t:t/id eq 'u-1')"
        );
        assert_eq!(filter(None), "targetResources/any(t:t/id eq 'u-1')");
    }
}
