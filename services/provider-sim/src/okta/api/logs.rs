//! The System Log.

use hyper::header::LINK;
use serde_json::Value;

use crate::clock::{iso, parse_iso};
use crate::exchange::Reply;
use crate::okta::call::Call;
use crate::okta::error::ApiError;
use crate::okta::filter::Expression;
use crate::okta::page::{address, link, size};
use crate::okta::state::Org;
use crate::okta::system_log::Event;

/// Default and largest page.
const PAGE: (usize, usize) = (100, 1000);
/// What is listed where `since` is not given.
const WINDOW_MS: i64 = 7 * 24 * 3600 * 1000;

/// `GET /logs`. With `until` a bounded question, whose last page has no `next`; without it, and ascending, polling: every
/// answer has a `next`, which shows what came since.
pub fn list(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let expression = call
        .parameter("filter")
        .map(Expression::parse)
        .transpose()?;
    if let Some(expression) = &expression {
        expression.check(&|name, _| name != "published" && filterable(name))?;
    }
    let descending = match call.parameter("sortOrder") {
        None | Some("ASCENDING") => false,
        Some("DESCENDING") => true,
        Some(_) => {
            return Err(ApiError::validation(
                "sortOrder",
                "sortOrder: must be ASCENDING or DESCENDING",
            ));
        }
    };
    let since = moment(call, "since")?.unwrap_or(call.now_ms - WINDOW_MS);
    let until = moment(call, "until")?;
    let after = cursor(call)?;
    let size = size(call, &org.settings, PAGE.0, PAGE.1)?;
    let shown_until =
        (call.now_ms - org.settings.log_lag_ms).min(until.map_or(i64::MAX, |until| until - 1));
    let wanted = |event: &&Event| {
        (since..=shown_until).contains(&event.published)
            && after.is_none_or(|after| {
                if descending {
                    event.seq < after
                } else {
                    event.seq > after
                }
            })
            && expression.as_ref().is_none_or(|expression| {
                expression.holds(&|name| event.values_of(name).unwrap_or_default())
            })
    };
    let mut found: Vec<&Event> = match descending {
        true => org
            .events
            .iter()
            .rev()
            .filter(wanted)
            .take(size + 1)
            .collect(),
        false => org.events.iter().filter(wanted).take(size + 1).collect(),
    };
    let more = found.len() > size;
    found.truncate(size);
    let items: Vec<Value> = found.iter().map(|event| event.to_json()).collect();
    let reply = Reply::json(200, &items).with_header(LINK, &link(&address(call, None), "self"));
    let polls = until.is_none() && !descending;
    if !more && !polls {
        return Ok(reply);
    }
    let last = found.last().map(|event| event.seq).or(after).unwrap_or(0);
    let next = format!("{last}_{}", iso(since));
    Ok(reply.with_header(LINK, &link(&address(call, Some(&next)), "next")))
}

fn filterable(attribute: &str) -> bool {
    const NAMES: [&str; 11] = [
        "eventType",
        "uuid",
        "actor.id",
        "actor.alternateId",
        "outcome.result",
        "severity",
        "transaction.id",
        "debugContext.debugData.requestId",
        "target.id",
        "target.alternateId",
        "target.type",
    ];
    NAMES.contains(&attribute)
}

fn moment(call: &Call, name: &str) -> Result<Option<i64>, ApiError> {
    let Some(text) = call.parameter(name) else {
        return Ok(None);
    };
    let moment = parse_iso(text)
        .ok_or_else(|| ApiError::validation(name, &format!("{name}: must be ISO 8601")))?;
    Ok(Some(moment))
}

fn cursor(call: &Call) -> Result<Option<u64>, ApiError> {
    let Some(text) = call.parameter("after") else {
        return Ok(None);
    };
    let seq = text.split('_').next().and_then(|seq| seq.parse().ok());
    seq.map(Some)
        .ok_or_else(|| ApiError::validation("after", "after: is not a cursor of this list"))
}
