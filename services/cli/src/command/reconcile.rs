//! `sever reconcile`: how connections are observed.

use std::process::ExitCode;

use clap::Subcommand;
use reqwest::Method;
use sever_api::drift_view::{ObservedList, ObservedView, RunAsked, RunRequestBody};
use uuid::Uuid;

use crate::client::Client;
use crate::exit::Ended;
use crate::output::{Format, table};
use crate::words::or_dash;
use crate::words::time_or_none;

#[derive(Debug, Subcommand)]
pub(crate) enum ReconcileCommand {
    /// Ask for a full inventory of a connection now.
    Run {
        /// The connection's name.
        #[arg(long)]
        connection: String,
    },
    /// Show how connections are observed, and how far their inventories are.
    Status {
        /// Of this connection only.
        #[arg(long)]
        connection: Option<String>,
    },
    /// Let an inventory that the mass guard holds open its findings after all. Never by the one who asked for it.
    Release {
        /// The inventory.
        id: Uuid,
    },
}

/// Runs the command.
pub(super) async fn run(command: ReconcileCommand, format: Format) -> Ended {
    let client = Client::from_environment()?;
    match command {
        ReconcileCommand::Run { connection } => {
            let body = RunRequestBody { connection };
            let asked: RunAsked = client
                .send_json(Method::POST, &["inventories"], &body)
                .await?;
            format.print(&asked, |asked| {
                format!("inventory {} is asked for", asked.run)
            })?;
        }
        ReconcileCommand::Status { connection } => {
            let query: Vec<_> = connection
                .into_iter()
                .map(|name| ("connection", name))
                .collect();
            let list: ObservedList = client.get(&["inventories"], &query).await?;
            format.print(&list, observed)?;
        }
        ReconcileCommand::Release { id } => {
            let path = ["inventories", &id.to_string(), "release"];
            let asked: RunAsked = client
                .send_json(Method::POST, &path, &serde_json::json!({}))
                .await?;
            format.print(&asked, |asked| {
                format!("inventory {} is released", asked.run)
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn observed(list: &ObservedList) -> String {
    let row = |view: &ObservedView| {
        let last = view.last.as_ref();
        let rows = last.map(|run| format!("{} + {}", run.accounts, run.entitlements));
        vec![
            view.connection.clone(),
            view.provider.to_string(),
            or_dash(time_or_none(view.observed_at)),
            or_dash(view.accounts),
            or_dash(view.entitlements),
            view.findings.to_string(),
            or_dash(last.map(|run| run.id)),
            or_dash(last.map(|run| run.state)),
            or_dash(rows),
            or_dash(last.and_then(|run| run.reason.clone())),
        ]
    };
    let head = [
        "connection",
        "provider",
        "observed",
        "accounts",
        "entitlements",
        "findings",
        "last inventory",
        "state",
        "rows",
        "why",
    ];
    table(
        &head,
        list.items.iter().map(row).collect(),
        "there is no connection",
    )
}
