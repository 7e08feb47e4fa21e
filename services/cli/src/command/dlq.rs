//! `sever dlq`: what gave up and waits for a person.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use reqwest::Method;
use sever_api::dead_letter_view::{
    DeadLettersView, DeadView, DiscardBody, LetterPage, ResolveBody,
};
use sever_domain::Provider;
use sever_domain::dead_letter::DeadLetterState;
use uuid::Uuid;

use super::dlq_replay::{self, ReplayArguments};
use super::dlq_show;
use crate::client::Client;
use crate::exit::{Ended, Failure, Reason};
use crate::output::{Format, note};
use crate::words::one_of;

/// How often the console is asked whether the re-read has decided.
const ASK_EVERY: Duration = Duration::from_millis(500);
/// How long `--wait` waits for the re-read.
const WAIT_MAX: Duration = Duration::from_secs(600);

#[derive(Debug, Subcommand)]
pub(crate) enum DlqCommand {
    /// List what is dead, equal failures together, and what the queues hold.
    List {
        /// Only of this provider.
        #[arg(long, value_parser = one_of::<Provider>(Provider::ALL.iter().map(|provider| provider.as_str())))]
        provider: Option<Provider>,
    },
    /// Show the dead letters of a fingerprint, or the whole story of one.
    Show {
        /// A fingerprint, or the id of a dead letter, its job, or a dead message.
        which: String,
        /// Of a fingerprint: those after this dead letter.
        #[arg(long)]
        after: Option<Uuid>,
        /// Of a fingerprint: how many.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Send dead letters back to work: shows the plan; with --yes one canary goes, then steps that double.
    Replay(ReplayArguments),
    /// Show how far replays have come.
    Progress {
        /// One replay; all of them where absent.
        replay: Option<Uuid>,
    },
    /// Stop a replay: what was not released stays a dead letter.
    Stop {
        /// The replay.
        replay: Uuid,
        /// Why, for the record; no personal data.
        #[arg(long)]
        reason: String,
    },
    /// Say that it was done by hand: a worker reads everything again, writes nothing, and decides.
    Resolve(ResolveArguments),
    /// Ask to give a dead letter up, or confirm it as the second person. Takes no access away.
    Discard {
        /// The dead letter, its job, or the dead message.
        id: Uuid,
        /// Why, for the record; no personal data.
        #[arg(long)]
        reason: String,
        /// Confirm what another person asked.
        #[arg(long)]
        confirm: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ResolveArguments {
    /// The dead letter, its job, or the dead message.
    id: Uuid,
    /// What shows it, in words or as a reference; no personal data.
    #[arg(long)]
    evidence: String,
    /// Why by hand, for the record; no personal data.
    #[arg(long)]
    reason: String,
    /// Wait until the re-read has decided, ten minutes at most; exit code 1 where it did not agree, or not yet.
    #[arg(long)]
    wait: bool,
}

/// Runs the command.
pub(super) async fn run(command: DlqCommand, format: Format) -> Ended {
    let client = Client::from_environment()?;
    match command {
        DlqCommand::List { provider } => {
            let query: Vec<_> = provider
                .map(|provider| ("provider", provider.to_string()))
                .into_iter()
                .collect();
            let dead: DeadLettersView = client.get(&["dead-letters"], &query).await?;
            format.print(&dead, dlq_show::listed)?;
        }
        DlqCommand::Show {
            which,
            after,
            limit,
        } => return show(&client, &which, after, limit, format).await,
        DlqCommand::Replay(arguments) => {
            return dlq_replay::replay(&client, &arguments, format).await;
        }
        DlqCommand::Progress { replay } => {
            return dlq_replay::progress(&client, replay, format).await;
        }
        DlqCommand::Stop { replay, reason } => {
            return dlq_replay::stop(&client, replay, reason, format).await;
        }
        DlqCommand::Resolve(arguments) => return resolve(&client, arguments, format).await,
        DlqCommand::Discard {
            id,
            reason,
            confirm,
        } => {
            let id = id.to_string();
            let mut path = vec!["dead-letters", &id, "discard"];
            if confirm {
                path.push("confirm");
            }
            let body = DiscardBody { reason };
            let dead: DeadView = client.send_json(Method::POST, &path, &body).await?;
            format.print(&dead, dlq_show::shown)?;
            if !confirm {
                note(&format!(
                    "it stays until a second person confirms: sever dlq discard {id} --confirm --reason '…'"
                ));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(
    client: &Client,
    which: &str,
    after: Option<Uuid>,
    limit: u32,
    format: Format,
) -> Ended {
    if let Ok(id) = which.parse::<Uuid>() {
        let dead: DeadView = client.get(&["dead-letters", &id.to_string()], &[]).await?;
        format.print(&dead, dlq_show::shown)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut query = vec![
        ("fingerprint", which.to_owned()),
        ("limit", limit.to_string()),
    ];
    query.extend(after.map(|id| ("after", id.to_string())));
    let page: LetterPage = client.get(&["dead-letters", "cluster"], &query).await?;
    if page.items.is_empty() && after.is_none() {
        let message = format!("no dead letter with the fingerprint '{which}' stands");
        return Err(Failure::new(Reason::NotFound, message));
    }
    format.print(&page, dlq_show::cluster)?;
    Ok(ExitCode::SUCCESS)
}

async fn resolve(client: &Client, arguments: ResolveArguments, format: Format) -> Ended {
    let id = arguments.id.to_string();
    let body = ResolveBody {
        evidence: arguments.evidence,
        reason: arguments.reason,
    };
    let path = ["dead-letters", &id, "resolve"];
    let mut dead: DeadView = client.send_json(Method::POST, &path, &body).await?;
    let begun = Instant::now();
    let is_resolving = |dead: &DeadView| state(dead) == Some(DeadLetterState::Resolving);
    while arguments.wait && is_resolving(&dead) && begun.elapsed() < WAIT_MAX {
        tokio::time::sleep(ASK_EVERY).await;
        dead = client.get(&["dead-letters", &id], &[]).await?;
    }
    format.print(&dead, dlq_show::shown)?;
    if state(&dead) == Some(DeadLetterState::Open) {
        note("the re-read did not agree that it was done: see 'found live'");
        return Ok(ExitCode::from(Reason::Problem.code()));
    }
    if arguments.wait && is_resolving(&dead) {
        note(
            "the re-read has not come to its end: 'sever connection list' shows whether its connection is parked or blocked",
        );
        return Ok(ExitCode::from(Reason::Problem.code()));
    }
    Ok(ExitCode::SUCCESS)
}

fn state(dead: &DeadView) -> Option<DeadLetterState> {
    dead.letter.as_ref().map(|letter| letter.state)
}
