//! `sever connection`: the instances of external systems.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use reqwest::Method;
use sever_api::connection_view::{
    AppliedView, BreakerClosedView, CloseBreakerBody, ConnectionList, ConnectionView,
    ConnectionsBody, ReconcileBody,
};
use sever_domain::Situation;

use crate::client::Client;
use crate::exit::{Ended, Failure, Reason};
use crate::output::{Format, pairs, table};
use crate::toml_file;
use crate::words::{or_dash, time, time_or_none};

#[derive(Debug, Subcommand)]
pub(crate) enum ConnectionCommand {
    /// Make connections what a file says, all or none. A parked one is opened, and its jobs wait again.
    ///
    /// The file is TOML, a table 'connection' for each: name, provider, base_url, credential ("env:NAME" or "file:/path", as the
    /// worker sees them), access_token_lifetime ("1h"), and where they differ from the usual clock_skew ("30s"), in_flight_max (8),
    /// jobs_max (64; Vanta: always 1), closed (false) and a table access_token_lifetime_by_issuer. A fence before one-way steps: fence_delay ("2h",
    /// at most 30d), fence_approval (true: a second person releases them).
    ///
    /// A table 'reconcile' says how it is looked at again: full_every ("24h"), incremental_every ("5m", entra only; none), findings_max (10000),
    /// findings_percent (1), findings_min (50), sample (100), directory_of (a source), credential_expires (a time), a table policy (residual = "report"; report, repair or hold for each
    /// situation) and a list correlate ({ mail = true, name = true }): what must agree for an account without a binding to be somebody's.
    Apply {
        /// The file.
        file: PathBuf,
    },
    /// List the connections by name.
    List,
    /// Show one connection.
    Show {
        /// Its name.
        name: String,
    },
    /// The circuit breaker of a connection whose provider does not answer.
    #[command(subcommand)]
    Breaker(BreakerCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum BreakerCommand {
    /// Close it now, without waiting for its probes. It opens again where the provider still does not answer.
    Close {
        /// The connection's name.
        name: String,
        /// Why, for the record.
        #[arg(long)]
        reason: String,
    },
}

/// Runs the command.
pub(super) async fn run(command: ConnectionCommand, format: Format) -> Ended {
    match command {
        ConnectionCommand::Apply { file } => {
            let body: ConnectionsBody = toml_file::read(&file)?;
            let client = Client::from_environment()?;
            let applied: AppliedView = client
                .send_json(Method::PUT, &["connections"], &body)
                .await?;
            format.print(&applied, shown_applied)?;
        }
        ConnectionCommand::List => {
            let list: ConnectionList = Client::from_environment()?
                .get(&["connections"], &[])
                .await?;
            format.print(&list, |list| listed(&list.items))?;
        }
        ConnectionCommand::Show { name } => {
            let list: ConnectionList = Client::from_environment()?
                .get(&["connections"], &[])
                .await?;
            let found = list
                .items
                .into_iter()
                .find(|connection| connection.configured.name == name);
            let missing =
                || Failure::new(Reason::NotFound, format!("there is no connection '{name}'"));
            format.print(&found.ok_or_else(missing)?, shown)?;
        }
        ConnectionCommand::Breaker(BreakerCommand::Close { name, reason }) => {
            let body = CloseBreakerBody { reason };
            let closed: BreakerClosedView = Client::from_environment()?
                .send_json(
                    Method::POST,
                    &["connections", &name, "breaker", "close"],
                    &body,
                )
                .await?;
            format.print(&closed, shown_closed)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn shown_closed(closed: &BreakerClosedView) -> String {
    let name = &closed.connection;
    if closed.changed {
        format!(
            "the breaker of '{name}' is closed; {} job(s) come back",
            closed.jobs
        )
    } else {
        format!("the breaker of '{name}' was closed already")
    }
}

fn shown_applied(applied: &AppliedView) -> String {
    let line = |one: &sever_api::connection_view::AppliedConnection| {
        vec![one.name.clone(), one.change.clone()]
    };
    table(
        &["connection", "change"],
        applied.applied.iter().map(line).collect(),
        "nothing to apply",
    )
}

fn listed(connections: &[ConnectionView]) -> String {
    let row = |connection: &ConnectionView| {
        vec![
            connection.configured.name.clone(),
            connection.configured.provider.to_string(),
            connection.state.clone(),
            connection.breaker.clone(),
            connection.jobs_open.to_string(),
            or_dash(fence(connection)),
            connection.configured.base_url.clone(),
            connection.configured.credential.clone(),
            or_dash(connection.state_reason.as_ref()),
        ]
    };
    table(
        &[
            "name",
            "provider",
            "state",
            "breaker",
            "open jobs",
            "fence",
            "base url",
            "credential",
            "reason",
        ],
        connections.iter().map(row).collect(),
        "no connections",
    )
}

fn shown(connection: &ConnectionView) -> String {
    let configured = &connection.configured;
    let issuers: Vec<String> = configured
        .access_token_lifetime_by_issuer
        .iter()
        .map(|(issuer, span)| format!("{issuer} {span}"))
        .collect();
    let reconcile = configured.reconcile.as_ref();
    pairs(&[
        ("name", Some(configured.name.clone())),
        ("id", Some(connection.id.to_string())),
        ("provider", Some(configured.provider.to_string())),
        ("base url", Some(configured.base_url.clone())),
        ("credential", Some(configured.credential.clone())),
        ("state", Some(connection.state.clone())),
        ("reason", connection.state_reason.clone()),
        ("blocked until", time_or_none(connection.blocked_until)),
        ("breaker", Some(connection.breaker.clone())),
        (
            "no answer since",
            time_or_none(connection.breaker_opened_at),
        ),
        ("breaker open until", time_or_none(connection.breaker_until)),
        (
            "token lifetime",
            Some(configured.access_token_lifetime.to_string()),
        ),
        (
            "by issuer",
            (!issuers.is_empty()).then(|| issuers.join(", ")),
        ),
        ("clock skew", Some(configured.clock_skew.to_string())),
        ("calls at once", Some(configured.in_flight_max.to_string())),
        ("jobs at once", Some(configured.jobs_max.to_string())),
        ("fence", fence(connection)),
        ("inventories", reconcile.map(inventories)),
        ("findings", reconcile.map(|reconcile| {
            let ReconcileBody {
                findings_max,
                findings_percent,
                findings_min,
                ..
            } = reconcile;
            format!("at most {findings_max} and {findings_percent} % of the accounts at once, {findings_min} always")
        })),
        (
            "directory of",
            reconcile.and_then(|reconcile| reconcile.directory_of.clone()),
        ),
        (
            "credential until",
            time_or_none(reconcile.and_then(|reconcile| reconcile.credential_expires)),
        ),
        ("policy", reconcile.map(policy)),
        ("correlation", reconcile.map(correlation)),
        ("open jobs", Some(connection.jobs_open.to_string())),
        ("version", Some(connection.version.to_string())),
        ("created", Some(time(connection.created_at))),
    ])
}

fn inventories(reconcile: &ReconcileBody) -> String {
    let full = reconcile.full_every;
    match reconcile.incremental_every {
        Some(incremental) => format!("full every {full}, incremental every {incremental}"),
        None => format!("full every {full}"),
    }
}

/// What is done about each situation; those that a file changed are marked.
fn policy(reconcile: &ReconcileBody) -> String {
    let words = Situation::ALL.iter().map(|situation| {
        let configured = reconcile.policy.get(situation).copied();
        let mark = if configured.is_some() { "*" } else { "" };
        format!("{situation} {}{mark}", situation.action(configured))
    });
    words.collect::<Vec<_>>().join(", ")
}

fn correlation(reconcile: &ReconcileBody) -> String {
    if reconcile.correlate.is_empty() {
        return "by binding, then any two of e-mail, name and number".to_owned();
    }
    let rules = reconcile.correlate.iter().map(|rule| {
        let parts = [
            (rule.mail, "e-mail"),
            (rule.name, "name"),
            (rule.number, "number"),
        ];
        let parts = parts.iter().filter(|part| part.0).map(|part| part.1);
        parts.collect::<Vec<_>>().join(" and ")
    });
    let rules = rules.collect::<Vec<_>>().join(", or ");
    format!("by binding, then {rules}")
}

/// What one-way steps wait for.
fn fence(connection: &ConnectionView) -> Option<String> {
    let delay = connection.configured.fence_delay;
    match (delay.is_zero(), connection.configured.fence_approval) {
        (true, false) => None,
        (true, true) => Some("approval".to_owned()),
        (false, false) => Some(delay.to_string()),
        (false, true) => Some(format!("{delay} and approval")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
[[connection]]
name = "okta-main"
provider = "okta"
base_url = "https://example.okta.com"
credential = "env:OKTA"
access_token_lifetime = "1h"
fence_delay = "2h"
fence_approval = true

[connection.access_token_lifetime_by_issuer]
"https://example.okta.com/oauth2/default" = "24h"

[connection.reconcile]
full_every = "12h"
incremental_every = "5m"
correlate = [{ mail = true, name = true }]
policy = { residual = "hold" }
"#;

    #[test]
    fn a_file_is_read_with_its_defaults() {
        let read: ConnectionsBody = toml_file::parse(FILE).unwrap();
        let connection = &read.connection[0];
        assert_eq!(connection.access_token_lifetime.as_seconds(), 3600);
        let issuer = connection.access_token_lifetime_by_issuer.values().next();
        assert_eq!(issuer.unwrap().as_seconds(), 86_400);
        assert_eq!((connection.in_flight_max, connection.jobs_max), (8, 64));
        assert_eq!(connection.fence_delay.as_seconds(), 7200);
        assert!(connection.fence_approval);
        let reconcile = connection.reconcile.as_ref().unwrap();
        assert_eq!(
            inventories(reconcile),
            "full every 12h, incremental every 5m"
        );
        assert_eq!(correlation(reconcile), "by binding, then e-mail and name");
        let words = policy(reconcile);
        assert!(
            words.starts_with("residual hold*, resurrected repair, orphan_account report"),
            "{words}"
        );
    }

    #[test]
    fn a_wrong_key_is_named_with_its_line() {
        for (from, to, part) in [
            ("base_url", "baseurl", "unknown field `baseurl`"),
            ("provider = \"okta\"", "provider = \"okto\"", "okto"),
            ("\"1h\"", "\"soon\"", "is no length of time"),
            (
                "credential = \"env:OKTA\"\n",
                "",
                "missing field `credential`",
            ),
        ] {
            let read = toml_file::parse::<ConnectionsBody>(&FILE.replacen(from, to, 1));
            let error = read.unwrap_err();
            assert!(error.contains(part) && error.contains("line "), "{error}");
        }
    }
}
