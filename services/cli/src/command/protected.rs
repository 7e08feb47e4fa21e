//! `sever protected`: whom no opt-out may touch without a person.

use std::process::ExitCode;

use clap::{ArgGroup, Args, Subcommand};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::json;
use sever_api::operator_view::{CreatedId, ProtectedBody, ProtectedList, ProtectedView};
use uuid::Uuid;

use crate::client::Client;
use crate::exit::Ended;
use crate::output::{Format, table};
use crate::words::{or_dash, time_or_none};

#[derive(Debug, Subcommand)]
pub(crate) enum ProtectedCommand {
    /// Protect a person, an integration or an account, or change what is said of an entry.
    Add(AddArguments),
    /// List the protected, oldest first.
    List,
    /// Take an entry off the list.
    Remove {
        /// The entry.
        id: Uuid,
    },
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("whom").args(["person", "integration", "account"]).required(true)))]
pub(crate) struct AddArguments {
    /// A person: Sever's id, or source:external_id.
    #[arg(long)]
    person: Option<String>,
    /// An integration, by its name.
    #[arg(long)]
    integration: Option<String>,
    /// An account: connection:provider_id.
    #[arg(long)]
    account: Option<String>,
    /// What kind of thing it protects.
    #[arg(long, value_parser = ["break_glass", "service_account", "last_administrator", "other"])]
    kind: String,
    /// Who answers for it; no e-mail address.
    #[arg(long)]
    owner: String,
    /// Why, for the record; no personal data.
    #[arg(long)]
    reason: String,
    /// Until when, as RFC 3339; for ever where absent.
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
}

/// Runs the command.
pub(super) async fn run(command: ProtectedCommand, format: Format) -> Ended {
    let client = Client::from_environment()?;
    match command {
        ProtectedCommand::Add(arguments) => {
            let body = ProtectedBody {
                person: arguments.person,
                integration: arguments.integration,
                account: arguments.account,
                kind: arguments.kind,
                owner: arguments.owner,
                reason: arguments.reason,
                until: arguments.until,
            };
            let created: CreatedId = client
                .send_json(Method::POST, &["protected"], &body)
                .await?;
            format.print(&created, |created| {
                format!("protected by entry {}", created.id)
            })?;
        }
        ProtectedCommand::List => {
            let list: ProtectedList = client.get(&["protected"], &[]).await?;
            format.print(&list, listed)?;
        }
        ProtectedCommand::Remove { id } => {
            client.delete(&["protected", &id.to_string()]).await?;
            format.print(&json!({"removed": id}), |_| {
                format!("entry {id} is off the list")
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn listed(list: &ProtectedList) -> String {
    let row = |entry: &ProtectedView| {
        let integration = entry.integration.as_ref();
        let subject = integration
            .map(|name| format!("integration {name}"))
            .or_else(|| entry.subject.map(|id| id.to_string()));
        vec![
            entry.id.to_string(),
            or_dash(subject.or_else(|| entry.account.clone())),
            entry.kind.clone(),
            entry.owner.clone(),
            entry.reason.clone(),
            or_dash(time_or_none(entry.until)),
        ]
    };
    table(
        &["id", "who or what", "kind", "owner", "reason", "until"],
        list.items.iter().map(row).collect(),
        "nobody is protected",
    )
}
