//! `sever source`: the upstreams that report or ask.

use std::process::ExitCode;

use clap::Subcommand;
use reqwest::Method;
use sever_api::operator_view::{SourceBody, SourceList, SourceView};

use crate::client::Client;
use crate::exit::Ended;
use crate::output::{Format, table};
use crate::words::or_dash;

#[derive(Debug, Subcommand)]
pub(crate) enum SourceCommand {
    /// Add a source, or change the one of this name.
    Add {
        /// Its name: lower-case letters, digits, '_' and '-'.
        name: String,
        /// The user name that the broker validates on its messages.
        #[arg(long)]
        broker_user: Option<String>,
        /// Believe the provider ids that it lists, once a read by id finds them.
        #[arg(long)]
        trusted: bool,
    },
    /// List the sources by name.
    List,
}

/// Runs the command.
pub(super) async fn run(command: SourceCommand, format: Format) -> Ended {
    let client = Client::from_environment()?;
    match command {
        SourceCommand::Add {
            name,
            broker_user,
            trusted,
        } => {
            let body = SourceBody {
                broker_user,
                trusted,
            };
            let source: SourceView = client
                .send_json(Method::PUT, &["sources", &name], &body)
                .await?;
            format.print(&source, |source| shown(std::slice::from_ref(source)))?;
        }
        SourceCommand::List => {
            let list: SourceList = client.get(&["sources"], &[]).await?;
            format.print(&list, |list| shown(&list.items))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn shown(sources: &[SourceView]) -> String {
    let row = |source: &SourceView| {
        vec![
            source.name.clone(),
            or_dash(source.broker_user.as_ref()),
            if source.trusted { "yes" } else { "no" }.to_owned(),
        ]
    };
    table(
        &["name", "broker user", "trusted"],
        sources.iter().map(row).collect(),
        "no sources",
    )
}
