//! Dead letters as people read them.

use sever_api::dead_letter_view::{
    AskedView, AttemptView, CallView, DeadLettersView, DeadView, LetterPage, LetterView, RawView,
};

use super::opt_out_detail;
use crate::output::{pairs, table};
use crate::words::{or_dash, time, time_or_none};

/// What there is, in one look.
pub(super) fn listed(dead: &DeadLettersView) -> String {
    let clusters: Vec<Vec<String>> = dead
        .clusters
        .iter()
        .map(|cluster| {
            vec![
                cluster.fingerprint.clone(),
                cluster.count.to_string(),
                time(cluster.first_at),
                time(cluster.last_at),
                cluster.connections.join(" "),
                if cluster.resolving > 0 {
                    format!("{} read again", cluster.resolving)
                } else {
                    String::new()
                },
            ]
        })
        .collect();
    let head = ["fingerprint", "count", "first", "last", "connections", ""];
    let mut parts = vec![table(&head, clusters, "no dead letters")];
    if !dead.raws.is_empty() {
        let rows = dead.raws.iter().map(|raw| {
            vec![
                raw.id.to_string(),
                raw.queue.clone(),
                raw.problem.clone(),
                raw.bytes.to_string(),
                raw.times.to_string(),
                time(raw.first_at),
                or_dash(raw.discard_asked_by.as_ref()),
            ]
        });
        let head = [
            "dead message",
            "queue",
            "problem",
            "bytes",
            "times",
            "first",
            "discard asked by",
        ];
        parts.push(table(&head, rows.collect(), ""));
    }
    let apart = dead
        .queues
        .iter()
        .filter(|queue| queue.out_of_step_since.is_some());
    for queue in apart {
        parts.push(format!(
            "the queue of {} holds {} messages, {} belong there (since {}); the janitor puts it right",
            queue.queue,
            queue.depth,
            queue.expected,
            or_dash(time_or_none(queue.out_of_step_since))
        ));
    }
    parts.join("\n\n")
}

/// The dead letters of a fingerprint.
pub(super) fn cluster(page: &LetterPage) -> String {
    let rows = page.items.iter().map(|letter| {
        vec![
            letter.id.to_string(),
            letter.state.to_string(),
            letter.connection.clone(),
            time(letter.opened_at),
            letter.opt_out.to_string(),
            letter.finding.as_ref().unwrap_or(&letter.reason).clone(),
        ]
    });
    let head = [
        "dead letter",
        "state",
        "connection",
        "died",
        "opt-out",
        "why",
    ];
    let mut text = table(&head, rows.collect(), "no more dead letters");
    if let Some(next) = page.next {
        text.push_str(&format!("\n\nthere are more: --after {next}"));
    }
    text
}

/// The whole story.
pub(super) fn shown(dead: &DeadView) -> String {
    match (&dead.letter, &dead.raw) {
        (Some(letter), _) => story(letter),
        (None, Some(raw)) => message(raw),
        (None, None) => String::new(),
    }
}

fn story(letter: &LetterView) -> String {
    let mut parts = vec![head(letter)];
    parts.push(format!("what was asked:\n{}", asked(&letter.requests)));
    if let Some(work) = letter.work.as_ref().filter(|work| !work.steps.is_empty()) {
        parts.push(format!(
            "what was done, as last read:\n{}",
            opt_out_detail::steps(&work.steps, letter.opened_at)
        ));
    }
    parts.push(format!("attempts:\n{}", attempts(&letter.attempts)));
    let calls: Vec<(i32, &CallView)> = letter
        .attempts
        .iter()
        .flat_map(|attempt| attempt.calls.iter().map(move |call| (attempt.no, call)))
        .collect();
    if !calls.is_empty() {
        parts.push(format!("calls:\n{}", self::calls(&calls)));
    }
    parts.push(format!("a replay now: {}", letter.replay.what));
    parts.join("\n\n")
}

fn head(letter: &LetterView) -> String {
    let by = |by: &Option<String>, why: &Option<String>| {
        by.as_ref()
            .map(|by| format!("{by}: {}", why.as_deref().unwrap_or("")))
    };
    pairs(&[
        ("dead letter", Some(letter.id.to_string())),
        ("state", Some(letter.state.to_string())),
        ("fingerprint", Some(letter.fingerprint.clone())),
        ("why", Some(letter.reason.clone())),
        ("connection", Some(letter.connection.clone())),
        ("job", Some(letter.job.to_string())),
        ("opt-out", Some(letter.opt_out.to_string())),
        ("subject", Some(letter.subject.to_string())),
        ("died", Some(time(letter.opened_at))),
        (
            "died before",
            (letter.earlier > 0).then(|| format!("{} times", letter.earlier)),
        ),
        ("seen in queue", time_or_none(letter.seen_at)),
        (
            "done by hand",
            by(&letter.resolve_asked_by, &letter.evidence),
        ),
        ("found live", letter.finding.clone()),
        (
            "discard asked by",
            by(&letter.discard_asked_by, &letter.discard_reason),
        ),
        ("closed by", by(&letter.closed_by, &letter.closed_reason)),
        ("closed", time_or_none(letter.closed_at)),
    ])
}

fn asked(requests: &[AskedView]) -> String {
    let row = |request: &AskedView| {
        vec![
            request.kind.clone(),
            or_dash(request.intent.as_ref()),
            request.asked_by.clone(),
            request.channel.clone(),
            time(request.received_at),
            or_dash(time_or_none(request.effective_at)),
            request.reason.clone(),
        ]
    };
    let head = [
        "what",
        "intent",
        "by",
        "over",
        "received",
        "effective",
        "reason",
    ];
    table(
        &head,
        requests.iter().map(row).collect(),
        "nothing is recorded",
    )
}

fn attempts(attempts: &[AttemptView]) -> String {
    let row = |attempt: &AttemptView| {
        vec![
            attempt.no.to_string(),
            time(attempt.started_at),
            or_dash(time_or_none(attempt.ended_at)),
            or_dash(attempt.class.as_ref()),
            or_dash(attempt.detail.as_ref()),
        ]
    };
    let head = ["no", "began", "ended", "class", "what went wrong"];
    table(&head, attempts.iter().map(row).collect(), "none")
}

fn calls(calls: &[(i32, &CallView)]) -> String {
    let row = |(no, call): &(i32, &CallView)| {
        vec![
            no.to_string(),
            call.action.clone(),
            format!("{} {}", call.target_kind, call.target_key),
            call.outcome
                .clone()
                .unwrap_or_else(|| "unanswered".to_owned()),
            or_dash(call.status),
            or_dash(call.code.as_ref()),
            or_dash(call.provider_request_id.as_ref()),
            time(call.intent_at),
        ]
    };
    let head = [
        "attempt",
        "action",
        "target",
        "outcome",
        "status",
        "code",
        "provider's request",
        "intended",
    ];
    table(&head, calls.iter().map(row).collect(), "")
}

fn message(raw: &RawView) -> String {
    let by = |by: &Option<String>, why: &Option<String>| {
        by.as_ref()
            .map(|by| format!("{by}: {}", why.as_deref().unwrap_or("")))
    };
    let facts = pairs(&[
        ("dead message", Some(raw.id.to_string())),
        ("state", Some(raw.state.clone())),
        ("queue", Some(raw.queue.clone())),
        ("problem", Some(raw.problem.clone())),
        ("sha-256", Some(raw.sha256.clone())),
        ("bytes", Some(raw.bytes.to_string())),
        ("times", Some(raw.times.to_string())),
        ("first", Some(time(raw.first_at))),
        ("seen in queue", Some(time(raw.seen_at))),
        ("headers", Some(raw.headers.to_string())),
        ("evidence", raw.evidence.clone()),
        (
            "discard asked by",
            by(&raw.discard_asked_by, &raw.discard_reason),
        ),
        ("closed by", by(&raw.closed_by, &raw.closed_reason)),
    ]);
    if raw.body.is_empty() {
        return facts;
    }
    // A terminal must not obey what a stranger wrote.
    let body: String = raw
        .body
        .chars()
        .map(|c| {
            if c.is_control() && c != '\n' {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect();
    format!("{facts}\n\nbody (may hold personal data):\n{body}")
}
