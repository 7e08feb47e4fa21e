//! How the whole fleet is shown: jobs, workers, and what waits for a person.

use std::collections::BTreeMap;

use sever_api::operator_view::{DeadJobView, OverviewView, WorkerView};

use crate::output::{pairs, table};
use crate::words::time;

/// Everything on one screen, for people.
pub(super) fn shown(view: &OverviewView) -> String {
    let mut parts = vec![counts(view), jobs(view), workers(&view.workers)];
    if !view.dead_jobs.is_empty() {
        parts.push(dead_jobs(&view.dead_jobs));
    }
    parts.join("\n\n")
}

/// Words with their counts in one line.
pub(super) fn words(counts: &BTreeMap<String, i64>) -> String {
    let parts: Vec<String> = counts
        .iter()
        .map(|(word, count)| format!("{word} {count}"))
        .collect();
    parts.join(", ")
}

fn counts(view: &OverviewView) -> String {
    let line = |kind: &str| {
        let counts = view.counts.get(kind).map(words);
        Some(counts.unwrap_or_else(|| "none".to_owned()))
    };
    let count = |kind: &str, word: &str| {
        let words = view.counts.get(kind);
        words
            .and_then(|words| words.get(word))
            .copied()
            .unwrap_or(0)
            .to_string()
    };
    pairs(&[
        ("as of", Some(time(view.as_of))),
        ("unsettled opt-outs", Some(view.unsettled.to_string())),
        ("opt-outs", line("opt_out")),
        ("open holds", line("hold")),
        ("open tasks", line("task")),
        ("unmatched requests", Some(count("request", "unmatched"))),
        ("rejected bodies", Some(count("rejected", "kept"))),
        ("connections", line("connection")),
        ("bells to publish", Some(count("outbox", "rows"))),
        ("people", line("person")),
    ])
}

fn jobs(view: &OverviewView) -> String {
    let row = |(provider, counts): (&String, &BTreeMap<String, i64>)| {
        vec![provider.clone(), words(counts)]
    };
    table(
        &["provider", "open jobs"],
        view.jobs.iter().map(row).collect(),
        "no open jobs",
    )
}

fn workers(workers: &[WorkerView]) -> String {
    let row = |worker: &WorkerView| {
        vec![
            worker.service.clone(),
            if worker.dead { "dead" } else { "alive" }.to_owned(),
            format!("{} s ago", worker.heartbeat_age_s),
            time(worker.started_at),
            worker.id.to_string(),
        ]
    };
    table(
        &["worker", "state", "heartbeat", "started", "instance"],
        workers.iter().map(row).collect(),
        "no workers",
    )
}

fn dead_jobs(jobs: &[DeadJobView]) -> String {
    let row = |job: &DeadJobView| {
        vec![
            job.connection.clone(),
            job.reason.clone(),
            job.fingerprint.clone(),
            time(job.since),
            job.opt_out.to_string(),
            job.job.to_string(),
        ]
    };
    table(
        &["dead at", "reason", "failure", "since", "opt-out", "job"],
        jobs.iter().map(row).collect(),
        "",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_screen_names_dead_workers_and_dead_jobs() {
        let at = "2026-11-22T12:00:00Z".parse().unwrap();
        let id = uuid::Uuid::nil();
        let one = |word: &str| BTreeMap::from([(word.to_owned(), 2)]);
        let view = OverviewView {
            counts: BTreeMap::from([
                ("hold".to_owned(), one("mass_guard")),
                ("request".to_owned(), one("unmatched")),
                ("connection".to_owned(), one("parked")),
            ]),
            jobs: BTreeMap::from([("okta".to_owned(), one("dead"))]),
            workers: vec![WorkerView {
                id,
                service: "worker-okta".to_owned(),
                started_at: at,
                heartbeat_age_s: 61,
                dead: true,
            }],
            dead_jobs: vec![DeadJobView {
                job: id,
                opt_out: id,
                connection: "okta-main".to_owned(),
                provider: "okta".to_owned(),
                reason: "permanent".to_owned(),
                fingerprint: "okta:leave:permanent:E0000006".to_owned(),
                since: at,
            }],
            unsettled: 0,
            as_of: at,
        };
        let text = shown(&view);
        for expected in [
            "mass_guard 2",
            "unmatched requests  2",
            "parked 2",
            "dead 2",
            "61 s ago",
            "okta:leave:permanent:E0000006",
        ] {
            assert!(text.contains(expected), "{expected} is missing in:\n{text}");
        }
    }
}
