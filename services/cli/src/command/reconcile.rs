//! `sever reconcile`: how connections are observed.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::Method;
use serde::Serialize;
use sever_api::drift_view::{ObservedList, ObservedView, RunAsked, RunRequestBody, RunView};
use sever_domain::{RunKind, RunState};
use uuid::Uuid;

use crate::client::Client;
use crate::exit::{Ended, Failure, Reason};
use crate::output::{Format, note, table};
use crate::words::{one_of, or_dash, time_or_none};

/// How often the console is asked while an inventory is waited for.
const ASK_EVERY: Duration = Duration::from_millis(300);
/// How long inventories are waited for: a large organisation is read within the hour.
const WAIT_MAX: Duration = Duration::from_secs(3600);

#[derive(Debug, Subcommand)]
pub(crate) enum ReconcileCommand {
    /// Ask for an inventory now: of one connection, or of each where none is named.
    Run(RunArguments),
    /// Show how connections are observed, how far their inventories are, and when the next ones are due.
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

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// The connection's name; every connection where absent.
    #[arg(long)]
    connection: Option<String>,
    /// How much is read: full reads everything and proves absence; incremental the accounts that changed since, where the provider tells (entra).
    #[arg(long, default_value = "full", value_parser = one_of::<RunKind>(RunKind::ALL.iter().map(|kind| kind.as_str())))]
    kind: RunKind,
    /// Wait until it was compared, with progress, an hour at most; status 1 where it was not promoted, or not yet.
    #[arg(long)]
    wait: bool,
}

/// Runs the command.
pub(super) async fn run(command: ReconcileCommand, format: Format) -> Ended {
    let client = Client::from_environment()?;
    match command {
        ReconcileCommand::Run(arguments) => return ask(&client, &arguments, format).await,
        ReconcileCommand::Status { connection } => {
            let list = status(&client, connection.as_deref()).await?;
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

async fn status(client: &Client, connection: Option<&str>) -> Result<ObservedList, Failure> {
    let query: Vec<_> = connection
        .map(|name| ("connection", name.to_owned()))
        .into_iter()
        .collect();
    client.get(&["inventories"], &query).await
}

/// The inventories that were asked for.
#[derive(Debug, Serialize)]
struct Asked {
    /// By the connection's name.
    asked: BTreeMap<String, Uuid>,
    /// Connections where one is open already.
    open_already: Vec<String>,
}

async fn ask(client: &Client, arguments: &RunArguments, format: Format) -> Ended {
    let names: Vec<String> = match &arguments.connection {
        Some(name) => vec![name.clone()],
        None => {
            let all = status(client, None).await?.items;
            all.into_iter().map(|view| view.connection).collect()
        }
    };
    let mut asked = Asked {
        asked: BTreeMap::new(),
        open_already: Vec::new(),
    };
    for name in names {
        let body = RunRequestBody {
            connection: name.clone(),
            kind: arguments.kind,
        };
        let run: Result<RunAsked, Failure> = client
            .send_json(Method::POST, &["inventories"], &body)
            .await;
        match run {
            Ok(run) => drop(asked.asked.insert(name, run.run)),
            // Of all connections, the others are still asked for.
            Err(failure) if arguments.connection.is_none() && failure.is(Reason::Refused) => {
                asked.open_already.push(name);
            }
            Err(failure) => return Err(failure),
        }
    }
    if !arguments.wait {
        format.print(&asked, said)?;
        return Ok(ExitCode::SUCCESS);
    }
    let list = wait(client, &asked).await?;
    format.print(&list, observed)?;
    if list.items.iter().any(|view| working(view).is_some()) {
        note(
            "not compared yet: 'sever connection list' shows whether a connection is parked, 'sever doctor' whether its worker runs",
        );
    }
    let promoted = |view: &ObservedView| {
        let last = view.last.as_ref();
        last.is_some_and(|run| matches!(run.state, RunState::Promoted | RunState::Superseded))
    };
    Ok(if list.items.iter().all(promoted) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn said(asked: &Asked) -> String {
    let new = asked
        .asked
        .iter()
        .map(|(name, run)| format!("{name}: inventory {run} is asked for"));
    let old = asked
        .open_already
        .iter()
        .map(|name| format!("{name}: an inventory is open already, or the connection is closed"));
    new.chain(old).collect::<Vec<_>>().join("\n")
}

/// Waits until each inventory that was asked for, or was open already, was compared, held or given up; at most [`WAIT_MAX`].
async fn wait(client: &Client, asked: &Asked) -> Result<ObservedList, Failure> {
    let mut list = status(client, None).await?;
    // Of what could not be asked for, a closed connection has nothing to wait for.
    let open_already = |view: &ObservedView| {
        asked.open_already.contains(&view.connection) && working(view).is_some()
    };
    let waited_for = list
        .items
        .iter()
        .filter(|view| asked.asked.contains_key(&view.connection) || open_already(view))
        .map(|view| view.connection.clone());
    let waited_for: BTreeSet<String> = waited_for.collect();
    let bar = ProgressBar::new(waited_for.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len}  {msg}") {
        bar.set_style(style);
    }
    let begun = Instant::now();
    loop {
        list.items
            .retain(|view| waited_for.contains(&view.connection));
        let working: Vec<String> = list.items.iter().filter_map(working).collect();
        bar.set_position(waited_for.len().saturating_sub(working.len()) as u64);
        bar.set_message(working.join(", "));
        if working.is_empty() || begun.elapsed() >= WAIT_MAX {
            bar.finish_and_clear();
            return Ok(list);
        }
        tokio::time::sleep(ASK_EVERY).await;
        list = status(client, None).await?;
    }
}

/// How far the newest inventory of a connection is; `None` where it is over.
fn working(view: &ObservedView) -> Option<String> {
    let working = view.last.as_ref().is_some_and(is_working);
    working.then(|| format!("{} {}", view.connection, progress(view)))
}

const fn is_working(run: &RunView) -> bool {
    matches!(
        run.state,
        RunState::Waiting | RunState::Running | RunState::Loaded
    )
}

/// How far the newest inventory is: its state, and what part of the one before it has read.
fn progress(view: &ObservedView) -> String {
    let Some(run) = &view.last else {
        return "-".to_owned();
    };
    let before = view.accounts.unwrap_or(0) + view.entitlements.unwrap_or(0);
    let rows = run.accounts + run.entitlements;
    match (run.state, before) {
        (RunState::Running, 1..) if run.kind == RunKind::Full => {
            format!("{} {} %", run.state, (rows * 100 / before).min(99))
        }
        (RunState::Running, _) => format!("{}, {rows} rows", run.state),
        _ => run.state.to_string(),
    }
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
            or_dash(last.map(|run| run.kind)),
            progress(view),
            or_dash(rows),
            or_dash(last.and_then(|run| run.reason.clone())),
            or_dash(time_or_none(view.next_at)),
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
        "kind",
        "state",
        "rows",
        "why",
        "next",
    ];
    table(
        &head,
        list.items.iter().map(row).collect(),
        "there is no connection",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_told_against_the_inventory_before_and_never_whole_while_it_runs() {
        let run = RunView {
            id: Uuid::nil(),
            no: 2,
            kind: RunKind::Full,
            state: RunState::Running,
            reason: None,
            accounts: 20,
            entitlements: 30,
            set_aside: 0,
            started_at: None,
            ended_at: None,
        };
        let mut view = ObservedView {
            connection: "okta-main".into(),
            provider: sever_domain::Provider::Okta,
            observed_at: None,
            accounts: Some(100),
            entitlements: Some(100),
            findings: 0,
            next_at: None,
            last: Some(run),
        };
        assert_eq!(progress(&view), "running 25 %");
        view.accounts = Some(1);
        view.entitlements = Some(1);
        assert_eq!(progress(&view), "running 99 %");
        view.accounts = None;
        view.entitlements = None;
        assert_eq!(progress(&view), "running, 50 rows");
        view.last = None;
        assert_eq!(progress(&view), "-");
    }
}
