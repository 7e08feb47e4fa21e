//! `sever watch`: following the work until all of it is settled.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use sever_api::job_view::JobView;
use sever_api::operator_view::OverviewView;
use sever_api::opt_out_view::OptOutView;
use sever_domain::{JobState, Status};
use uuid::Uuid;

use super::overview::{self, words};
use super::{opt_out_detail, status};
use crate::client::Client;
use crate::exit::{Ended, Failure, Reason};
use crate::output::{self, Format};
use crate::words::countdown;

/// How often the console is asked.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// What to follow.
#[derive(Debug, Args)]
pub(crate) struct WatchArguments {
    /// One opt-out; everything where absent.
    opt_out: Option<Uuid>,
    /// The newest opt-out of an integration, by its name or Sever's id.
    #[arg(long, value_name = "NAME", conflicts_with = "opt_out")]
    integration: Option<String>,
}

/// Follows until nothing runs and nothing that has taken effect waits. Exit code 1 when something then needs a person.
pub(super) async fn run(arguments: &WatchArguments, format: Format) -> Ended {
    let client = Client::from_environment()?;
    match (arguments.opt_out, &arguments.integration) {
        (Some(id), _) => opt_out(&client, id, format).await,
        (None, Some(name)) => integration(&client, name, format).await,
        (None, None) => everything(&client, format).await,
    }
}

/// Follows the newest opt-out of an integration.
async fn integration(client: &Client, name: &str, format: Format) -> Ended {
    let status = status::of_integration(client, name).await?;
    let newest = status.opt_outs.first().ok_or_else(|| {
        let message = format!("nobody has asked to disconnect the integration '{name}'");
        Failure::new(Reason::NotFound, message)
    })?;
    opt_out(client, newest.head.id, format).await
}

/// Follows one opt-out and prints where it ended.
pub(super) async fn opt_out(client: &Client, id: Uuid, format: Format) -> Ended {
    let id = id.to_string();
    let mut progress = Progress::new();
    let view = loop {
        let view: OptOutView = client.get(&["opt-outs", &id], &[]).await?;
        let (line, left) = opt_out_line(&view);
        progress.tell(&line, &left);
        if view.jobs.iter().all(|job| is_settled(job, &view)) {
            break view;
        }
        tokio::time::sleep(ASK_EVERY).await;
    };
    progress.end();
    format.print(&view, opt_out_detail::shown)?;
    Ok(verdict(&view))
}

/// Whether nothing moves by itself any more, or only at a time that lies ahead.
fn is_settled(job: &JobView, view: &OptOutView) -> bool {
    match job.state {
        JobState::Running => false,
        JobState::Waiting => job.effective_at > view.head.as_of || waits_for_task(job),
        JobState::Held
        | JobState::Parked
        | JobState::Dead
        | JobState::Done
        | JobState::Cancelled
        | JobState::Replaced => true,
    }
}

/// Only a person's word moves it on, or the re-read every few minutes.
fn waits_for_task(job: &JobView) -> bool {
    job.state == JobState::Waiting && job.state_reason.as_deref() == Some("task")
}

/// A residual is no problem: everything was revoked, and time does the rest. Nor is an effective time ahead.
fn verdict(view: &OptOutView) -> ExitCode {
    let stuck = view.jobs.iter().any(|job| {
        matches!(
            job.state,
            JobState::Held | JobState::Parked | JobState::Dead
        ) || waits_for_task(job)
    });
    if stuck {
        ExitCode::from(Reason::Problem.code())
    } else {
        ExitCode::SUCCESS
    }
}

/// Where the work stands, and apart from it what runs down by itself.
fn opt_out_line(view: &OptOutView) -> (String, String) {
    let jobs: Vec<String> = view
        .jobs
        .iter()
        .map(|job| {
            let closed = job
                .steps
                .iter()
                .filter(|step| step.state.is_closed())
                .count();
            format!(
                "{} {} {closed}/{} steps",
                job.connection,
                job.state,
                job.steps.len()
            )
        })
        .collect();
    let line = format!("{}: {}", view.head.status, jobs.join(", "));
    let left = match (view.head.status, view.head.residual_until) {
        (Status::PartiallyDisconnected, Some(until)) => {
            format!(", residual until {}", countdown(until, view.head.as_of))
        }
        _ => String::new(),
    };
    (line, left)
}

async fn everything(client: &Client, format: Format) -> Ended {
    let mut progress = Progress::new();
    let now = loop {
        let now: OverviewView = client.get(&["overview"], &[]).await?;
        progress.tell(&overview_line(&now), "");
        if now.unsettled == 0 {
            break now;
        }
        tokio::time::sleep(ASK_EVERY).await;
    };
    progress.end();
    format.print(&now, overview::shown)?;
    let count = |kind: &str, word: &str| {
        let words = now.counts.get(kind);
        words
            .and_then(|words| words.get(word))
            .copied()
            .unwrap_or(0)
    };
    let tasks = count("task", "asked") + count("task", "asserted");
    let stuck = count("job", "held") + count("job", "parked") + count("job", "dead") + tasks;
    Ok(if stuck > 0 {
        ExitCode::from(Reason::Problem.code())
    } else {
        ExitCode::SUCCESS
    })
}

fn overview_line(overview: &OverviewView) -> String {
    let jobs = overview.counts.get("job").map(words).unwrap_or_default();
    let holds = overview.counts.get("hold").map(words).unwrap_or_default();
    let mut line = format!("{} unsettled; jobs: {jobs}", overview.unsettled);
    if !holds.is_empty() {
        line.push_str(&format!("; holds: {holds}"));
    }
    line
}

/// A spinner where somebody watches, a line for each change elsewhere; both on standard error.
struct Progress {
    bar: Option<ProgressBar>,
    last: String,
}

impl Progress {
    fn new() -> Self {
        let bar = output::is_watched().then(|| {
            let style = ProgressStyle::with_template("{spinner} {elapsed_precise} {wide_msg}")
                .expect("the template is well formed");
            let bar = ProgressBar::new_spinner().with_style(style);
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        Self {
            bar,
            last: String::new(),
        }
    }

    /// A countdown is no change: it moves the spinner's text, and makes no further line.
    fn tell(&mut self, line: &str, countdown: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(format!("{line}{countdown}")),
            None if self.last == line => {}
            None => output::note(&format!("{line}{countdown}")),
        }
        line.clone_into(&mut self.last);
    }

    fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
