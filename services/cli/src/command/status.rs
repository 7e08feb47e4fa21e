//! `sever status`: where access stands.

use std::process::ExitCode;

use clap::Args;
use sever_api::job_view::{JobView, StepView};
use sever_api::operator_view::OverviewView;
use sever_api::opt_out_view::{ConnectionStatusView, OptOutView};
use sever_api::person_view::PersonStatusView;
use uuid::Uuid;

use super::{opt_out, overview};
use crate::client::Client;
use crate::exit::{Ended, Failure, Reason};
use crate::output::{Format, pairs, table};
use crate::words::{or_dash, time, time_or_none};

/// Of whom or what.
#[derive(Debug, Args)]
pub(crate) struct StatusArguments {
    /// An opt-out's id, or a person: Sever's id, or source:external_id. The whole fleet where absent.
    of: Option<String>,
}

/// Shows the fleet, or an opt-out where one has this id, else a person's status.
pub(super) async fn run(arguments: &StatusArguments, format: Format) -> Ended {
    let client = Client::from_environment()?;
    let Some(of) = arguments.of.as_deref() else {
        let view: OverviewView = client.get(&["overview"], &[]).await?;
        format.print(&view, overview::shown)?;
        return Ok(ExitCode::SUCCESS);
    };
    if of.parse::<Uuid>().is_ok() {
        let path = ["opt-outs", of];
        match client.get::<OptOutView>(&path, &[]).await {
            Ok(view) => {
                format.print(&view, shown)?;
                return Ok(ExitCode::SUCCESS);
            }
            Err(failure) if failure.is(Reason::NotFound) => {}
            Err(failure) => return Err(failure),
        }
    }
    let path = ["people", of, "status"];
    let status: PersonStatusView = client.get(&path, &[]).await.map_err(|failure| {
        if failure.is(Reason::NotFound) {
            let message = format!("neither an opt-out nor a person is named '{of}'");
            Failure::new(Reason::NotFound, message)
        } else {
            failure
        }
    })?;
    format.print(&status, shown_person)?;
    Ok(ExitCode::SUCCESS)
}

/// An opt-out with its jobs and steps, for people.
pub(super) fn shown(view: &OptOutView) -> String {
    let head = &view.head;
    let mut parts = vec![pairs(&[
        ("opt-out", Some(head.id.to_string())),
        ("subject", Some(head.subject.to_string())),
        ("status", Some(head.status.to_string())),
        ("state", Some(head.state.to_string())),
        ("intent", Some(head.intent.to_string())),
        ("scope", head.scope.as_ref().map(|names| names.join(" "))),
        ("effective", Some(time(head.effective_at))),
        ("opened", Some(time(head.opened_at))),
        ("closed", time_or_none(head.closed_at)),
        ("residual until", time_or_none(head.residual_until)),
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
        parts.push(format!("at {}:\n{}", job.connection, steps(&job.steps)));
    }
    parts.join("\n\n")
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

fn steps(steps: &[StepView]) -> String {
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
            or_dash(step.rule.as_ref().or(step.state_reason.as_ref())),
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
        "rule or reason",
    ];
    table(&head, steps.iter().map(row).collect(), "")
}

fn shown_person(status: &PersonStatusView) -> String {
    let head = pairs(&[
        ("subject", Some(status.subject.to_string())),
        ("status", Some(status.status.to_string())),
        ("as of", Some(time(status.as_of))),
    ]);
    let row = |place: &ConnectionStatusView| {
        vec![
            place.connection.clone(),
            place.provider.to_string(),
            place.status.to_string(),
            or_dash(place.weakest_grade),
            or_dash(time_or_none(place.residual_until)),
        ]
    };
    let places = table(
        &[
            "connection",
            "provider",
            "status",
            "weakest proof",
            "residual until",
        ],
        status.connections.iter().map(row).collect(),
        "nothing is known of this person at any connection",
    );
    let opt_outs = table(
        &[
            "opt-out",
            "status",
            "state",
            "intent",
            "effective",
            "jobs",
            "subject",
        ],
        status.opt_outs.iter().map(opt_out::line).collect(),
        "no opt-outs",
    );
    format!("{head}\n\n{places}\n\n{opt_outs}")
}
