//! The table: for each leaver what was revoked, when, and what the re-read saw.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sever_api::job_view::{JobView, StepView};
use sever_domain::Status;

use super::audience::Act;
use crate::output::table;
use crate::words::or_dash;

/// One line for each leaver and connection.
pub(super) fn shown(acts: &[Act<'_>]) -> String {
    let rows = acts.iter().flat_map(|act| {
        let opt_outs = act.opt_outs.iter();
        opt_outs.flat_map(move |opt_out| opt_out.jobs.iter().map(move |job| row(act, job)))
    });
    let head = [
        "person",
        "at",
        "revoked",
        "first ms",
        "proven ms",
        "the re-read saw",
        "evidence",
        "status",
        "",
    ];
    table(&head, rows.collect(), "nobody left")
}

fn row(act: &Act<'_>, job: &JobView) -> Vec<String> {
    // A leaver dated ahead is accepted long before there is anything to do.
    let due = job.accepted_at.max(job.effective_at);
    let after = |at: Option<Timestamp>| or_dash(at.map(|at| at.duration_since(due).as_millis()));
    let proven = job
        .inspections
        .iter()
        .filter(|inspection| inspection.purpose == "closing")
        .map(|inspection| inspection.ended_at)
        .next_back();
    vec![
        act.leaver.external_id.clone(),
        job.connection.clone(),
        revoked(&job.steps),
        after(job.first_revocation_at),
        after(proven.or(job.settled_at)),
        seen(&job.steps),
        or_dash(job.weakest_grade),
        status(job),
        act.leaver.part.label().to_owned(),
    ]
}

/// What was ended by a call of ours, by kind.
fn revoked(steps: &[StepView]) -> String {
    let done = |step: &&StepView| {
        let outcome = step
            .effect
            .as_ref()
            .and_then(|effect| effect.outcome.as_deref());
        outcome == Some("done")
    };
    counted(steps.iter().filter(done).map(|step| step.action.as_str()))
}

/// What the last re-read of each step found.
fn seen(steps: &[StepView]) -> String {
    counted(steps.iter().filter_map(|step| step.seen.as_deref()))
}

fn counted<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for word in words {
        *counts.entry(word).or_default() += 1;
    }
    if counts.is_empty() {
        return "-".to_owned();
    }
    counts
        .iter()
        .map(|(word, count)| format!("{word} {count}"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn status(job: &JobView) -> String {
    match job.residual_until {
        Some(until) if job.status != Status::FullyRemoved => {
            format!(
                "{}, a token works until {}",
                job.status,
                crate::words::time(until)
            )
        }
        _ => job.status.to_string(),
    }
}
