//! `sever access`: everything that a person can reach, as far as anybody has looked.

use std::process::ExitCode;

use clap::Args;
use sever_api::drift_view::{AccessView, ReachView};

use crate::client::Client;
use crate::exit::Ended;
use crate::output::{Format, table};
use crate::words::time;

#[derive(Debug, Args)]
pub(crate) struct AccessArguments {
    /// Sever's id of the person, or source:external_id.
    person: String,
}

/// Runs the command.
pub(super) async fn run(arguments: &AccessArguments, format: Format) -> Ended {
    let client = Client::from_environment()?;
    let access: AccessView = client
        .get(&["people", &arguments.person, "access"], &[])
        .await?;
    format.print(&access, shown)?;
    Ok(ExitCode::SUCCESS)
}

fn shown(access: &AccessView) -> String {
    let rows = access.connections.iter().flat_map(rows).collect();
    let head = [
        "connection",
        "account",
        "what",
        "key",
        "privileged",
        "observed",
    ];
    table(&head, rows, "no account is known")
}

fn rows(reach: &ReachView) -> Vec<Vec<String>> {
    if !reach.known {
        let unknown = [reach.connection.as_str(), "-", "unknown", "-", "-", "never"];
        return vec![unknown.map(str::to_owned).to_vec()];
    }
    let accounts = reach.accounts.iter().map(|account| {
        vec![
            reach.connection.clone(),
            account.id.clone(),
            format!("account, {}", account.state),
            "-".to_owned(),
            "-".to_owned(),
            time(account.seen_at),
        ]
    });
    let entitlements = reach.entitlements.iter().map(|entitlement| {
        vec![
            reach.connection.clone(),
            entitlement.account.clone(),
            entitlement.kind.to_string(),
            entitlement.key.clone(),
            if entitlement.privileged { "yes" } else { "-" }.to_owned(),
            time(entitlement.seen_at),
        ]
    });
    accounts.chain(entitlements).collect()
}
