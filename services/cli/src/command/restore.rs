//! `sever restore`: the way back from an opt-out.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::Args;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sever_api::job_view::StepView;
use sever_api::opt_out_view::OptOutView;
use sever_domain::{Action, EntitlementKind, Reversibility, StepState};
use uuid::Uuid;

use super::watch;
use crate::client::Client;
use crate::exit::{Ended, Failure};
use crate::output::{Format, note, pairs};

#[derive(Debug, Args)]
pub(crate) struct RestoreArguments {
    /// The opt-out that is reversed.
    opt_out: Uuid,
    /// Why, for the record; no personal data.
    #[arg(long)]
    reason: String,
    /// Go on, knowing what cannot come back.
    #[arg(long)]
    yes: bool,
    /// Follow the work until it is settled.
    #[arg(long)]
    wait: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct Restore {
    restore: Uuid,
    jobs: Vec<Uuid>,
}

/// Runs the command.
pub(super) async fn run(arguments: &RestoreArguments, format: Format) -> Ended {
    let client = Client::from_environment()?;
    let id = arguments.opt_out.to_string();
    let opt_out: OptOutView = client.get(&["opt-outs", &id], &[]).await?;
    note(&beforehand(&opt_out));
    if !arguments.yes {
        return Err(Failure::usage(
            "nothing was done: say --yes to go on, knowing what cannot come back",
        ));
    }
    let body = json!({"reason": arguments.reason});
    let restore: Restore = client
        .send_json(Method::POST, &["opt-outs", &id, "restore"], &body)
        .await?;
    if arguments.wait {
        return watch::opt_out(&client, restore.restore, format).await;
    }
    format.print(&restore, shown)?;
    Ok(ExitCode::SUCCESS)
}

fn shown(restore: &Restore) -> String {
    pairs(&[
        ("restore", Some(restore.restore.to_string())),
        ("jobs", Some(restore.jobs.len().to_string())),
        (
            "next",
            Some(format!(
                "follow it with 'sever watch {}'; approvals of privileged entitlements are in 'sever task list'",
                restore.restore
            )),
        ),
    ])
}

/// What comes back and what does not, by kind, from the steps that were done. With an account that was deleted for good, all
/// that hung on it stays away.
fn beforehand(opt_out: &OptOutView) -> String {
    let mut back: BTreeMap<String, usize> = BTreeMap::new();
    let mut lost: BTreeMap<String, usize> = BTreeMap::new();
    for job in &opt_out.jobs {
        let done: Vec<&StepView> = job
            .steps
            .iter()
            .filter(|step| matches!(step.state, StepState::Applied | StepState::Verified))
            .collect();
        let deleted = done.iter().any(|step| {
            step.action == Action::DeleteAccount && step.reversibility == Reversibility::OneWay
        });
        for step in done {
            let stays_away = deleted
                || step.reversibility == Reversibility::OneWay
                || step.target_kind == EntitlementKind::Session;
            let counts = if stays_away { &mut lost } else { &mut back };
            *counts.entry(step.target_kind.to_string()).or_default() += 1;
        }
    }
    format!(
        "tried to be given back: {}\ncannot come back: {}",
        counted(&back),
        counted(&lost)
    )
}

fn counted(counts: &BTreeMap<String, usize>) -> String {
    if counts.is_empty() {
        return "nothing".to_owned();
    }
    let parts: Vec<String> = counts
        .iter()
        .map(|(kind, count)| format!("{kind} {count}"))
        .collect();
    parts.join(", ")
}
