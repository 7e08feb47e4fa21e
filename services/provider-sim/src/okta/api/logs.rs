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

/// What a caller asks of the log.
struct Question {
    expression: Option<Expression>,
    descending: bool,
    since: i64,
    until: Option<i64>,
    after: Option<u64>,
    size: usize,
}

/// `GET /logs`. With `until` a bounded question, whose last page has no `next`; without it, and ascending, polling: every
/// answer has a `next`, which shows what came since.
pub fn list(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let question = Question::read(org, call)?;
    let newest = call.now_ms - org.settings.log_lag_ms;
    let wanted = |event: &&Event| event.published <= newest && question.wants(event);
    let enough = question.size + 1;
    let mut found: Vec<&Event> = match question.descending {
        true => org
            .events
            .iter()
            .rev()
            .filter(wanted)
            .take(enough)
            .collect(),
        false => org.events.iter().filter(wanted).take(enough).collect(),
    };
    let more = found.len() > question.size;
    found.truncate(question.size);
    let items: Vec<Value> = found.iter().map(|event| event.to_json()).collect();
    let reply = Reply::json(200, &items).with_header(LINK, &link(&address(call, None), "self"));
    let polls = question.until.is_none() && !question.descending;
    if !more && !polls {
        return Ok(reply);
    }
    let last = found
        .last()
        .map(|event| event.seq)
        .or(question.after)
        .unwrap_or(0);
    let next = format!("{last}_{}", iso(question.since));
    Ok(reply.with_header(LINK, &link(&address(call, Some(&next)), "next")))
}

impl Question {
    fn read(org: &Org, call: &Call) -> Result<Self, ApiError> {
        let expression = call
            .parameter("filter")
            .map(Expression::parse)
            .transpose()?;
        if let Some(expression) = &expression {
            expression.check(&|name, _| filterable(name))?;
        }
        let descending = match call.parameter("sortOrder") {
            None | Some("ASCENDING") => false,
            Some("DESCENDING") => true,
            Some(_) => {
                let cause = "sortOrder: must be ASCENDING or DESCENDING";
                return Err(ApiError::validation("sortOrder", cause));
            }
        };
        Ok(Self {
            expression,
            descending,
            since: moment(call, "since")?.unwrap_or(call.now_ms - WINDOW_MS),
            until: moment(call, "until")?,
            after: cursor(call)?,
            size: size(call, &org.settings, PAGE.0, PAGE.1)?,
        })
    }

    fn wants(&self, event: &Event) -> bool {
        let in_window =
            event.published >= self.since && self.until.is_none_or(|until| event.published < until);
        let beyond = |after: u64| {
            if self.descending {
                event.seq < after
            } else {
                event.seq > after
            }
        };
        let values = |name: &str| event.values_of(name).unwrap_or_default();
        in_window
            && self.after.is_none_or(beyond)
            && self
                .expression
                .as_ref()
                .is_none_or(|expression| expression.holds(&values))
    }
}

/// `published` is not among them: `since` and `until` are for that.
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
