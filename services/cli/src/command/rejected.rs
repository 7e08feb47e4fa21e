//! `sever rejected`: what could not be taken in.

use std::process::ExitCode;

use clap::Subcommand;
use sever_api::operator_view::{RejectedPage, RejectedView};
use uuid::Uuid;

use crate::client::Client;
use crate::exit::Ended;
use crate::output::{Format, pairs, table};
use crate::words::{or_dash, time};

#[derive(Debug, Subcommand)]
pub(crate) enum RejectedCommand {
    /// List rejected bodies, newest first.
    List {
        /// Where the page before ended.
        #[arg(long, value_name = "ID")]
        before: Option<Uuid>,
        /// Rejected bodies at most, 1 to 200.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Show one with its raw body, which may hold personal data.
    Show {
        /// The rejected body.
        id: Uuid,
    },
}

/// Runs the command.
pub(super) async fn run(command: RejectedCommand, format: Format) -> Ended {
    let client = Client::from_environment()?;
    match command {
        RejectedCommand::List { before, limit } => {
            let mut query = vec![("limit", limit.to_string())];
            query.extend(before.map(|id| ("before", id.to_string())));
            let page: RejectedPage = client.get(&["rejected"], &query).await?;
            format.print(&page, listed)?;
        }
        RejectedCommand::Show { id } => {
            let one: RejectedView = client.get(&["rejected", &id.to_string()], &[]).await?;
            format.print(&one, shown)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn listed(page: &RejectedPage) -> String {
    let row = |one: &RejectedView| {
        vec![
            one.id.to_string(),
            one.source.clone(),
            one.channel.to_string(),
            or_dash(one.field.as_ref()),
            one.reason.clone(),
            one.times.to_string(),
            time(one.last_at),
        ]
    };
    let head = [
        "id", "source", "channel", "field", "reason", "times", "last",
    ];
    let mut text = table(
        &head,
        page.items.iter().map(row).collect(),
        "nothing was rejected",
    );
    if let Some(next) = page.next {
        text.push_str(&format!("\n\nthere are more: --before {next}"));
    }
    text
}

fn shown(one: &RejectedView) -> String {
    let head = pairs(&[
        ("rejected", Some(one.id.to_string())),
        ("source", Some(one.source.clone())),
        ("channel", Some(one.channel.to_string())),
        ("field", one.field.clone()),
        ("reason", Some(one.reason.clone())),
        ("digest", Some(one.digest.clone())),
        ("accepted digest", one.other_digest.clone()),
        ("bytes", Some(one.body_bytes.to_string())),
        ("times", Some(one.times.to_string())),
        ("first", Some(time(one.received_at))),
        ("last", Some(time(one.last_at))),
        ("kept until", Some(time(one.expires_at))),
    ]);
    // What came from outside must not steer the terminal.
    let body: String = one
        .body
        .as_deref()
        .unwrap_or_default()
        .chars()
        .map(|c| {
            if c.is_control() && c != '\n' && c != '\t' {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect();
    format!("{head}\n\n{body}")
}
