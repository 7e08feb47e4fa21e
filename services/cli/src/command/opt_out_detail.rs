//! How one opt-out is shown: its jobs, and each step with its proof.

use jiff::Timestamp;
use sever_api::job_view::{JobView, StepView};
use sever_api::opt_out_view::OptOutView;
use sever_api::task_view::TaskWordsView;
use sever_domain::StepState;

use crate::output::{pairs, table};
use crate::words::{countdown, or_dash, time, time_or_none};

/// An opt-out with its jobs and steps, for people.
pub(super) fn shown(view: &OptOutView) -> String {
    let head = &view.head;
    let mut parts = vec![pairs(&[
        ("opt-out", Some(head.id.to_string())),
        ("subject", Some(head.subject.to_string())),
        ("integration", head.subject_name.clone()),
        ("status", Some(head.status.to_string())),
        ("state", Some(head.state.to_string())),
        ("intent", Some(head.intent.to_string())),
        ("scope", head.scope.as_ref().map(|names| names.join(" "))),
        ("effective", Some(time(head.effective_at))),
        ("opened", Some(time(head.opened_at))),
        ("closed", time_or_none(head.closed_at)),
        (
            "residual until",
            head.residual_until
                .map(|until| countdown(until, head.as_of)),
        ),
        (
            "weakest proof",
            head.weakest_grade.map(|grade| grade.to_string()),
        ),
        ("as of", Some(time(head.as_of))),
    ])];
    for hold in view.holds.iter().filter(|hold| hold.decided_at.is_none()) {
        parts.push(format!(
            "held: {} since {}; see 'sever hold show {}'",
            hold.reason,
            time(hold.opened_at),
            hold.id
        ));
    }
    parts.push(jobs(&view.jobs));
    for job in view.jobs.iter().filter(|job| !job.steps.is_empty()) {
        let steps = steps(&job.steps, head.as_of);
        parts.push(format!("at {}:\n{steps}", job.connection));
    }
    let tasks = open_tasks(view);
    if !tasks.is_empty() {
        parts.push(format!("open tasks:\n{}", tasks_table(tasks)));
    }
    parts.join("\n\n")
}

/// What people are asked to do, each with the connection.
fn open_tasks(view: &OptOutView) -> Vec<(&JobView, &StepView, &TaskWordsView)> {
    let is_open = |job: &&JobView| job.state.is_open();
    let jobs = view.jobs.iter().filter(is_open);
    let steps = jobs.flat_map(|job| job.steps.iter().map(move |step| (job, step)));
    steps
        .filter(|(_, step)| step.state.waits_for_person())
        .filter_map(|(job, step)| Some((job, step, step.task.as_ref()?)))
        .collect()
}

fn tasks_table(tasks: Vec<(&JobView, &StepView, &TaskWordsView)>) -> String {
    let row = |(job, step, words): (&JobView, &StepView, &TaskWordsView)| {
        vec![
            step.id.to_string(),
            step.state.to_string(),
            words.asked_of.clone(),
            job.connection.clone(),
            words.what.clone(),
            or_dash(words.link.as_ref()),
            time(words.due_at),
        ]
    };
    let head = [
        "task",
        "state",
        "asked of",
        "connection",
        "what",
        "where",
        "due",
    ];
    table(&head, tasks.into_iter().map(row).collect(), "")
}

fn jobs(jobs: &[JobView]) -> String {
    let row = |job: &JobView| {
        let closed = job
            .steps
            .iter()
            .filter(|step| step.state.is_closed())
            .count();
        vec![
            job.connection.clone(),
            job.status.to_string(),
            job.state.to_string(),
            or_dash(job.state_reason.as_ref()),
            format!("{closed}/{}", job.steps.len()),
            or_dash(job.weakest_grade),
            job.attempt.to_string(),
            or_dash(time_or_none(job.due_at)),
            job.id.to_string(),
        ]
    };
    let head = [
        "connection",
        "status",
        "job",
        "reason",
        "steps",
        "weakest proof",
        "attempts",
        "due",
        "job id",
    ];
    table(&head, jobs.iter().map(row).collect(), "no jobs")
}

pub(super) fn steps(steps: &[StepView], now: Timestamp) -> String {
    let row = |step: &StepView| {
        let target = step.label.as_ref().unwrap_or(&step.target_key);
        vec![
            step.action.to_string(),
            format!("{} {target}", step.target_kind),
            if step.privileged { "yes" } else { "-" }.to_owned(),
            step.state.to_string(),
            or_dash(
                step.effect
                    .as_ref()
                    .and_then(|effect| time_or_none(effect.answered_at)),
            ),
            or_dash(step.seen.as_ref()),
            or_dash(time_or_none(step.verified_at)),
            or_dash(step.verified_grade),
            or_dash(remark(step, now)),
        ]
    };
    let head = [
        "step",
        "target",
        "privileged",
        "state",
        "sent and answered",
        "re-read saw",
        "proven",
        "proof",
        "remark",
    ];
    table(&head, steps.iter().map(row).collect(), "")
}

/// What a reader must know of a step beside its state: what can still work, or the rule or reason behind it.
fn remark(step: &StepView, now: Timestamp) -> Option<String> {
    let residual = step.residual_until.filter(|until| *until > now);
    if let Some(until) = residual {
        return Some(format!("residual until {}", countdown(until, now)));
    }
    let words = step.task.as_ref();
    match step.state {
        StepState::Asked => words.map(|words| format!("asked of {}", words.asked_of)),
        StepState::Asserted => words.map(|words| {
            let by = words.done_by.as_deref().unwrap_or_default();
            format!("done by {by}, not confirmed")
        }),
        StepState::Attested => words.map(|words| {
            let by = words.confirmed_by.as_deref().unwrap_or_default();
            format!("confirmed by {by}")
        }),
        StepState::Planned
        | StepState::Applying
        | StepState::Unknown
        | StepState::Applied
        | StepState::Verified
        | StepState::Inert
        | StepState::Blocked => step.rule.clone().or_else(|| step.state_reason.clone()),
    }
}
