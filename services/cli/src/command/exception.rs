//! `sever exception`: accounts that no person owns and that may stay until a date.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::json;
use sever_api::exception_view::{ExceptionBody, ExceptionList, ExceptionView};
use sever_api::operator_view::CreatedId;
use uuid::Uuid;

use crate::client::Client;
use crate::exit::Ended;
use crate::output::{Format, table};
use crate::words::time;

#[derive(Debug, Subcommand)]
pub(crate) enum ExceptionCommand {
    /// Except an account until a date, or change what is said of its standing exception.
    Add(AddArguments),
    /// List exceptions, those that run out first first.
    List {
        /// With those that a person ended.
        #[arg(long)]
        ended: bool,
    },
    /// End an exception before its date; it stays in the record.
    End {
        /// The exception.
        id: Uuid,
    },
}

#[derive(Debug, Args)]
pub(crate) struct AddArguments {
    /// The account: connection:provider_id.
    account: String,
    /// What kind of account it is.
    #[arg(long, value_parser = ["service_account", "shared_mailbox", "break_glass"])]
    kind: String,
    /// The role that answers for it; no name and no e-mail address.
    #[arg(long)]
    owner: String,
    /// Why, for the record; no personal data.
    #[arg(long)]
    reason: String,
    /// Until when: 2027-01-31T00:00:00Z; at most 400 days.
    #[arg(long, value_name = "TIME")]
    until: Timestamp,
}

/// Runs the command.
pub(super) async fn run(command: ExceptionCommand, format: Format) -> Ended {
    let client = Client::from_environment()?;
    match command {
        ExceptionCommand::Add(arguments) => {
            let body = ExceptionBody {
                account: arguments.account,
                kind: arguments.kind,
                owner: arguments.owner,
                reason: arguments.reason,
                until: arguments.until,
            };
            let created: CreatedId = client
                .send_json(Method::POST, &["exceptions"], &body)
                .await?;
            format.print(&created, |created| {
                format!("excepted by {}; the next inventory obeys it", created.id)
            })?;
        }
        ExceptionCommand::List { ended } => {
            let query = [("ended", ended.to_string())];
            let list: ExceptionList = client.get(&["exceptions"], &query).await?;
            format.print(&list, listed)?;
        }
        ExceptionCommand::End { id } => {
            client
                .order(&["exceptions", &id.to_string(), "end"])
                .await?;
            format.print(&json!({"ended": id}), |_| {
                format!("exception {id} has ended; the next inventory obeys it")
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn listed(list: &ExceptionList) -> String {
    let row = |one: &ExceptionView| {
        vec![
            one.id.to_string(),
            one.account.clone(),
            one.kind.clone(),
            one.state.clone(),
            time(one.until),
            one.owner.clone(),
            one.reason.clone(),
            one.created_by.clone(),
        ]
    };
    let head = [
        "id", "account", "kind", "state", "until", "owner", "reason", "by",
    ];
    table(
        &head,
        list.items.iter().map(row).collect(),
        "nothing is excepted",
    )
}
