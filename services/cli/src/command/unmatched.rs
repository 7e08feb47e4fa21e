//! `sever unmatched`: requests about somebody whom nobody knows yet.

use std::process::ExitCode;

use clap::Subcommand;
use sever_api::operator_view::{UnmatchedPage, UnmatchedView};
use uuid::Uuid;

use crate::client::Client;
use crate::exit::Ended;
use crate::output::{Format, table};
use crate::words::{or_dash, time, time_or_none};

#[derive(Debug, Subcommand)]
pub(crate) enum UnmatchedCommand {
    /// List unmatched requests, oldest first. Importing the person matches them.
    List {
        /// Where the page before ended.
        #[arg(long, value_name = "ID")]
        after: Option<Uuid>,
        /// Requests at most, 1 to 200.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
}

/// Runs the command.
pub(super) async fn run(command: UnmatchedCommand, format: Format) -> Ended {
    let UnmatchedCommand::List { after, limit } = command;
    let mut query = vec![("limit", limit.to_string())];
    query.extend(after.map(|id| ("after", id.to_string())));
    let page: UnmatchedPage = Client::from_environment()?
        .get(&["unmatched"], &query)
        .await?;
    format.print(&page, listed)?;
    Ok(ExitCode::SUCCESS)
}

fn listed(page: &UnmatchedPage) -> String {
    let row = |request: &UnmatchedView| {
        vec![
            request.id.to_string(),
            or_dash(request.source.as_ref()),
            or_dash(request.external_id.as_ref()),
            request.kind.clone(),
            request.channel.to_string(),
            time(request.received_at),
            or_dash(time_or_none(request.effective_at)),
            or_dash(time_or_none(request.alerted_at)),
        ]
    };
    let head = [
        "id",
        "source",
        "external id",
        "kind",
        "channel",
        "received",
        "effective",
        "alerted",
    ];
    let mut text = table(
        &head,
        page.items.iter().map(row).collect(),
        "nothing is unmatched",
    );
    if let Some(next) = page.next {
        text.push_str(&format!("\n\nthere are more: --after {next}"));
    }
    text
}
