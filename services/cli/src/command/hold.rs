//! `sever hold`: stops that only a person lifts, and never the one who asked.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use reqwest::Method;
use sever_api::hold_view::{DecidedView, DecisionBody, HoldPage, HoldView};
use sever_domain::HoldReason;
use uuid::Uuid;

use crate::client::Client;
use crate::exit::Ended;
use crate::output::{Format, pairs, table};
use crate::words::{one_of, or_dash, time, time_or_none};

#[derive(Debug, Subcommand)]
pub(crate) enum HoldCommand {
    /// List holds, oldest first; the open ones where nothing else is asked.
    List {
        /// In which state.
        #[arg(long, default_value = "open", value_parser = ["open", "released", "rejected", "all"])]
        state: String,
        /// Only for this reason.
        #[arg(long, value_parser = one_of::<HoldReason>(HoldReason::ALL.iter().map(|reason| reason.as_str())))]
        reason: Option<HoldReason>,
        /// Where the page before ended.
        #[arg(long, value_name = "ID")]
        after: Option<Uuid>,
        /// Holds at most, 1 to 200.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Show one hold.
    Show {
        /// The hold.
        id: Uuid,
    },
    /// Let the work go on; every guard is checked anew. Never by the one who asked for it.
    Release(ReleaseArguments),
    /// Call the work off. Never by the one who asked for it.
    Reject {
        /// The hold.
        id: Uuid,
        /// Why, for the record; no personal data.
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ReleaseArguments {
    /// The hold.
    id: Uuid,
    /// Why, for the record; no personal data.
    #[arg(long)]
    reason: String,
    /// Whom a held request means, where it does not say: Sever's id, or source:external_id.
    #[arg(long)]
    person: Option<String>,
}

/// Runs the command.
pub(super) async fn run(command: HoldCommand, format: Format) -> Ended {
    let client = Client::from_environment()?;
    match command {
        HoldCommand::List {
            state,
            reason,
            after,
            limit,
        } => {
            let mut query = vec![("state", state), ("limit", limit.to_string())];
            query.extend(reason.map(|reason| ("reason", reason.to_string())));
            query.extend(after.map(|id| ("after", id.to_string())));
            let page: HoldPage = client.get(&["holds"], &query).await?;
            format.print(&page, listed)?;
        }
        HoldCommand::Show { id } => {
            let hold: HoldView = client.get(&["holds", &id.to_string()], &[]).await?;
            format.print(&hold, shown)?;
        }
        HoldCommand::Release(arguments) => {
            let body = DecisionBody {
                reason: arguments.reason,
                person: arguments.person,
            };
            decide(&client, arguments.id, "release", &body, format).await?;
        }
        HoldCommand::Reject { id, reason } => {
            let body = DecisionBody {
                reason,
                person: None,
            };
            decide(&client, id, "reject", &body, format).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn decide(
    client: &Client,
    id: Uuid,
    verb: &str,
    body: &DecisionBody,
    format: Format,
) -> Result<(), crate::exit::Failure> {
    let path = ["holds", &id.to_string(), verb];
    let decided: DecidedView = client.send_json(Method::POST, &path, body).await?;
    format.print(&decided, |decided| {
        let jobs: Vec<String> = decided.jobs.iter().map(ToString::to_string).collect();
        pairs(&[
            ("hold", Some(decided.hold.to_string())),
            ("state", Some(decided.state.to_string())),
            ("jobs", (!jobs.is_empty()).then(|| jobs.join(" "))),
            ("opt-out", decided.opt_out.map(|id| id.to_string())),
        ])
    })
}

fn listed(page: &HoldPage) -> String {
    let row = |hold: &HoldView| {
        vec![
            hold.id.to_string(),
            hold.reason.to_string(),
            hold.state.to_string(),
            hold.scope.to_string(),
            or_dash(hold.connection.as_ref()),
            hold.policy.to_string(),
            hold.requested_by.clone(),
            time(hold.opened_at),
            or_dash(hold.opt_out),
        ]
    };
    let head = [
        "id",
        "reason",
        "state",
        "stops",
        "connection",
        "allows",
        "requested by",
        "opened",
        "opt-out",
    ];
    let mut text = table(&head, page.items.iter().map(row).collect(), "no holds");
    if let Some(next) = page.next {
        text.push_str(&format!("\n\nthere are more: --after {next}"));
    }
    text
}

fn shown(hold: &HoldView) -> String {
    pairs(&[
        ("hold", Some(hold.id.to_string())),
        ("state", Some(hold.state.to_string())),
        ("reason", Some(hold.reason.to_string())),
        ("stops", Some(format!("{} {}", hold.scope, hold.target))),
        ("connection", hold.connection.clone()),
        ("allows", Some(hold.policy.to_string())),
        ("opt-out", hold.opt_out.map(|id| id.to_string())),
        ("subject", hold.subject.map(|id| id.to_string())),
        ("integration", hold.subject_name.clone()),
        ("requested by", Some(hold.requested_by.clone())),
        ("opened", Some(time(hold.opened_at))),
        ("decided by", hold.decided_by.clone()),
        ("decided", time_or_none(hold.decided_at)),
        ("decision", hold.decision.clone()),
        ("particulars", Some(hold.detail.to_string())),
    ])
}
