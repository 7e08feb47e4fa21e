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
use super::status;
use crate::client::Client;
use crate::exit::{Ended, Reason};
use crate::output::{self, Format};
use crate::words::time;

/// How often the console is asked.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// What to follow.
#[derive(Debug, Args)]
pub(crate) struct WatchArguments {
    /// One opt-out; everything where absent.
    opt_out: Option<Uuid>,
}

/// Follows until nothing runs and nothing that has taken effect waits. Exit code 1 when something then needs a person.
pub(super) async fn run(arguments: &WatchArguments, format: Format) -> Ended {
    let client = Client::from_environment()?;
    match arguments.opt_out {
        Some(id) => opt_out(&client, id, format).await,
        None => everything(&client, format).await,
    }
}

/// Follows one opt-out and prints where it ended.
pub(super) async fn opt_out(client: &Client, id: Uuid, format: Format) -> Ended {
    let id = id.to_string();
    let mut progress = Progress::new();
    let view = loop {
        let view: OptOutView = client.get(&["opt-outs", &id], &[]).await?;
        progress.tell(&opt_out_line(&view));
        if view.jobs.iter().all(|job| is_settled(job, &view)) {
            break view;
        }
        tokio::time::sleep(ASK_EVERY).await;
    };
    progress.end();
    format.print(&view, status::shown)?;
    Ok(verdict(&view))
}

/// Whether nothing moves by itself any more, or only at a time that lies ahead.
fn is_settled(job: &JobView, view: &OptOutView) -> bool {
    match job.state {
        JobState::Running => false,
        JobState::Waiting => job.effective_at > view.head.as_of,
        JobState::Held
        | JobState::Parked
        | JobState::Dead
        | JobState::Done
        | JobState::Cancelled
        | JobState::Replaced => true,
    }
}

/// A residual is no problem: everything was revoked, and time does the rest. Nor is an effective time ahead.
fn verdict(view: &OptOutView) -> ExitCode {
    let stuck = view.jobs.iter().any(|job| {
        matches!(
            job.state,
            JobState::Held | JobState::Parked | JobState::Dead
        )
    });
    if stuck {
        ExitCode::from(Reason::Problem.code())
    } else {
        ExitCode::SUCCESS
    }
}

fn opt_out_line(view: &OptOutView) -> String {
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
    let residual = match (view.head.status, view.head.residual_until) {
        (Status::PartiallyDisconnected, Some(until)) => format!(", residual until {}", time(until)),
        _ => String::new(),
    };
    format!("{}{residual}: {}", view.head.status, jobs.join(", "))
}

async fn everything(client: &Client, format: Format) -> Ended {
    let mut progress = Progress::new();
    let now = loop {
        let now: OverviewView = client.get(&["overview"], &[]).await?;
        progress.tell(&overview_line(&now));
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
    let stuck = count("job", "held") + count("job", "parked") + count("job", "dead");
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

    fn tell(&mut self, line: &str) {
        if self.last == line {
            return;
        }
        match &self.bar {
            Some(bar) => bar.set_message(line.to_owned()),
            None => output::note(line),
        }
        line.clone_into(&mut self.last);
    }

    fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
