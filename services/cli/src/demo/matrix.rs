//! The matrix: for each subject and system where its access stands, each cell backed by a re-read and compared with the truth.

use std::collections::BTreeMap;

use sever_api::job_view::JobView;
use sever_api::opt_out_view::ConnectionStatusView;
use sever_domain::{JobState, Status};

use super::audience::{Act, Subject};
use super::truth::{Truth, live};
use crate::dev::systems::{SYSTEMS, System};
use crate::output::table;
use crate::words::countdown;

/// How many cells have each status.
pub(super) type Counts = BTreeMap<Status, usize>;

/// One line for each subject, with a column for each system.
pub(super) fn shown(acts: &[Act<'_>]) -> String {
    let mut head = vec!["subject"];
    head.extend(SYSTEMS.map(|system| system.connection));
    head.extend(["overall", ""]);
    table(&head, acts.iter().map(row).collect(), "nobody left")
}

fn row(act: &Act<'_>) -> Vec<String> {
    let mut row = vec![act.subject.name().to_owned()];
    row.extend(SYSTEMS.map(|system| cell(act, system)));
    row.push(act.status.status.to_string());
    row.push(remark(act));
    row
}

/// The status, and how much of what was found there the last re-read saw gone or unable to act.
fn cell(act: &Act<'_>, system: System) -> String {
    let Some(place) = place(act, system) else {
        return "-".to_owned();
    };
    let Some(job) = job(act, system) else {
        return place.status.to_string();
    };
    if !has_account(act, system) {
        return format!("{} (no account)", place.status);
    }
    let ended = job.steps.iter().filter(|step| step.state.is_closed());
    let (ended, all) = (ended.count(), job.steps.len());
    if act.subject.is_restored() {
        // What is left over cannot come back: sessions, tokens, factors.
        return format!("{} ({ended} back)", place.status);
    }
    format!("{} {ended}/{all}", place.status)
}

fn remark(act: &Act<'_>) -> String {
    let label = act.subject.label();
    let residual = act.status.connections.iter();
    let residual = residual.filter_map(|place| place.residual_until).max();
    match residual {
        Some(until) => format!(
            "{label}, residual until {}",
            countdown(until, act.status.as_of)
        ),
        None => label.to_owned(),
    }
}

/// Where the subject stands at a system; `None` where it has nothing to do with it.
fn place<'a>(act: &'a Act<'_>, system: System) -> Option<&'a ConnectionStatusView> {
    let mut places = act.status.connections.iter();
    places.find(|place| place.connection == system.connection)
}

/// The newest job at a system that came to an end by itself.
fn job<'a>(act: &'a Act<'_>, system: System) -> Option<&'a JobView> {
    let jobs = act.opt_outs.iter().flat_map(|opt_out| &opt_out.jobs);
    let mut here = jobs.filter(|job| job.connection == system.connection);
    here.find(|job| job.state != JobState::Replaced)
}

fn has_account(act: &Act<'_>, system: System) -> bool {
    let accounts = act.subject.accounts();
    accounts
        .iter()
        .any(|account| account.provider == system.provider)
}

/// Counts the cells.
pub(super) fn counts(acts: &[Act<'_>]) -> Counts {
    let mut counts = Counts::new();
    for act in acts {
        for status in SYSTEMS
            .iter()
            .filter_map(|system| place(act, *system))
            .map(|place| place.status)
        {
            *counts.entry(status).or_default() += 1;
        }
    }
    counts
}

/// What is wrong: a cell without a re-read after its last call, or one that the simulator contradicts.
pub(super) fn violations(acts: &[Act<'_>], truth: &Truth) -> Vec<String> {
    let mut violations = Vec::new();
    for act in acts {
        for system in SYSTEMS {
            if let Some(place) = place(act, system) {
                violations.extend(contradiction(act, system, place.status, truth));
            }
        }
    }
    violations
}

fn contradiction(act: &Act<'_>, system: System, status: Status, truth: &Truth) -> Option<String> {
    let at = format!("{} at {}", act.subject.name(), system.connection);
    let accounts = act.subject.accounts();
    let left: Vec<String> = accounts
        .iter()
        .filter(|account| account.provider == system.provider)
        .flat_map(|account| live(truth, account))
        .collect();
    let shown = match job(act, system) {
        Some(job) => {
            if !is_read_again(job) && has_account(act, system) {
                return Some(format!(
                    "{at} is {status}, and nothing was read after the last call"
                ));
            }
            status
        }
        None => status,
    };
    match shown {
        Status::FullyRemoved if !left.is_empty() => Some(format!(
            "{at} is shown as {status}, and has {}",
            left.join(", ")
        )),
        Status::Connected if left.is_empty() => {
            Some(format!("{at} is shown as {status}, and has nothing"))
        }
        Status::Unknown if has_account(act, system) => Some(format!("{at} is {status}")),
        _ => None,
    }
}

/// Whether a closing inspection was begun after the last answer to a call.
fn is_read_again(job: &JobView) -> bool {
    let effects = job.steps.iter().filter_map(|step| step.effect.as_ref());
    let last = effects.filter_map(|effect| effect.answered_at).max();
    let mut closing = job
        .inspections
        .iter()
        .filter(|inspection| inspection.purpose == "closing");
    match last {
        Some(last) => closing.any(|inspection| inspection.started_at >= last),
        None => closing.next().is_some() || job.state == JobState::Done,
    }
}

/// Subjects that came back on purpose and are connected again.
pub(super) fn restored(acts: &[Act<'_>]) -> usize {
    let is_back = |act: &&Act<'_>| {
        let leaver = matches!(act.subject, Subject::Leaver(_));
        leaver && act.subject.is_restored() && act.status.status == Status::Connected
    };
    acts.iter().filter(is_back).count()
}
