//! `sever drift`: what differs from what should be.

use std::process::ExitCode;

use clap::Subcommand;
use jiff::Timestamp;
use reqwest::Method;
use serde_json::Value;
use sever_api::drift_view::{AcceptanceBody, FindingList, FindingView};
use sever_domain::Situation;
use uuid::Uuid;

use crate::client::Client;
use crate::exit::Ended;
use crate::output::{Format, pairs, table};
use crate::words::{one_of, time, time_or_none};

#[derive(Debug, Subcommand)]
pub(crate) enum DriftCommand {
    /// List findings, privileged ones first; the open ones where nothing else is asked.
    List {
        /// Of this connection only.
        #[arg(long)]
        connection: Option<String>,
        /// Of this situation only.
        #[arg(long, value_parser = one_of::<Situation>(Situation::ALL.iter().map(|situation| situation.as_str())))]
        situation: Option<Situation>,
        /// With those that are over.
        #[arg(long)]
        closed: bool,
    },
    /// Show one finding with what was seen.
    Show {
        /// The finding.
        id: Uuid,
    },
    /// Let an ordinary opt-out take the access away, whatever the policy says.
    Repair {
        /// The finding.
        id: Uuid,
    },
    /// Accept a finding until a date.
    Accept {
        /// The finding.
        id: Uuid,
        /// Until when: 2027-01-31T00:00:00Z.
        #[arg(long)]
        until: Timestamp,
        /// Why, for the record; no personal data.
        #[arg(long)]
        reason: String,
    },
}

/// Runs the command.
pub(super) async fn run(command: DriftCommand, format: Format) -> Ended {
    let client = Client::from_environment()?;
    match command {
        DriftCommand::List {
            connection,
            situation,
            closed,
        } => {
            let mut query = vec![("closed", closed.to_string())];
            query.extend(connection.map(|name| ("connection", name)));
            query.extend(situation.map(|situation| ("situation", situation.to_string())));
            let list: FindingList = client.get(&["findings"], &query).await?;
            format.print(&list, listed)?;
        }
        DriftCommand::Show { id } => {
            let finding: FindingView = client.get(&["findings", &id.to_string()], &[]).await?;
            format.print(&finding, shown)?;
        }
        DriftCommand::Repair { id } => {
            let path = ["findings", &id.to_string(), "repair"];
            let finding: FindingView = client
                .send_json(Method::POST, &path, &serde_json::json!({}))
                .await?;
            format.print(&finding, shown)?;
        }
        DriftCommand::Accept { id, until, reason } => {
            let path = ["findings", &id.to_string(), "accept"];
            let body = AcceptanceBody { until, reason };
            let finding: FindingView = client.send_json(Method::POST, &path, &body).await?;
            format.print(&finding, shown)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A table of findings.
pub(super) fn listed(list: &FindingList) -> String {
    let row = |finding: &FindingView| {
        vec![
            finding.id.to_string(),
            finding.situation.to_string(),
            finding.connection.clone(),
            finding.cause.clone(),
            if finding.privileged { "yes" } else { "-" }.to_owned(),
            finding.state.to_string(),
            finding.action.to_string(),
            finding.returns.to_string(),
            finding.times_seen.to_string(),
            time(finding.last_seen_at),
        ]
    };
    let head = [
        "id",
        "situation",
        "connection",
        "cause",
        "privileged",
        "state",
        "action",
        "returns",
        "seen",
        "last seen",
    ];
    table(
        &head,
        list.items.iter().map(row).collect(),
        "nothing differs",
    )
}

fn shown(finding: &FindingView) -> String {
    let head = pairs(&[
        ("finding", Some(finding.id.to_string())),
        ("situation", Some(finding.situation.to_string())),
        ("connection", Some(finding.connection.clone())),
        ("cause", Some(finding.cause.clone())),
        ("subject", finding.subject.map(|id| id.to_string())),
        (
            "privileged",
            Some(if finding.privileged { "yes" } else { "no" }.to_owned()),
        ),
        ("state", Some(finding.state.to_string())),
        ("why", finding.state_reason.clone()),
        ("action", Some(finding.action.to_string())),
        ("returns", Some(finding.returns.to_string())),
        (
            "seen",
            Some(format!(
                "{} times, last by inventory {}",
                finding.times_seen, finding.run
            )),
        ),
        ("first seen", Some(time(finding.first_seen_at))),
        ("last seen", Some(time(finding.last_seen_at))),
        ("confirmed", finding.confirmed_at.map(time)),
        ("opt-out", finding.opt_out.map(|id| id.to_string())),
        ("accepted until", finding.accepted_until.map(time)),
        ("accepted by", finding.accepted_by.clone()),
        ("accepted why", finding.accepted_why.clone()),
        ("closed", time_or_none(finding.closed_at)),
    ]);
    let given = given_by(finding);
    format!("{head}\n\ngiven by: {given}\nseen: {}", finding.evidence)
}

/// Who or what gave the access, by the provider's own log: one line for each entry, newest first.
pub(crate) fn given_by(finding: &FindingView) -> String {
    match (&finding.provenance, finding.situation) {
        (Some(told), _) => provenance(told),
        (None, Situation::Missing | Situation::GoneAtSource | Situation::Unreachable) => {
            "nobody gave it: no log is asked".to_owned()
        }
        (None, _) => "the provider's log told nothing".to_owned(),
    }
}

fn provenance(told: &Value) -> String {
    if let Some(why) = told["no_log"].as_str() {
        return format!("there is no log to ask ({why})");
    }
    let entries = told["entries"].as_array().into_iter().flatten();
    let line = |entry: &Value| {
        let word = |member: &str| {
            let text = entry[member].as_str().filter(|text| !text.is_empty());
            text.unwrap_or("-").to_owned()
        };
        let given = entry["given"].as_str();
        let given = given.map_or(String::new(), |given| format!(", {given}"));
        let correlation = entry["correlation"].as_str();
        let correlation = correlation.map_or(String::new(), |id| format!(", correlation {id}"));
        format!(
            "\n  {}  {} {} by {}{given}  (log entry {}{correlation})",
            word("at"),
            word("actor_kind"),
            word("actor"),
            word("event"),
            word("entry")
        )
    };
    entries.map(line).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn who_gave_the_access_is_one_line_each_and_silence_is_said() {
        let told = json!({"entries": [{
            "at": "2026-11-22T12:00:00Z", "event": "group.user_membership.add", "actor_kind": "SystemPrincipal", "actor": "0pr1",
            "given": "UserGroup:00g1", "entry": "e1", "correlation": "t1",
        }]});
        assert_eq!(
            provenance(&told),
            "\n  2026-11-22T12:00:00Z  SystemPrincipal 0pr1 by group.user_membership.add, UserGroup:00g1  (log entry e1, correlation t1)"
        );
        assert!(provenance(&json!({"no_log": "forbidden"})).contains("forbidden"));
        let nobody = json!({"entries": [{"at": "2026-11-22T12:00:00Z", "event": "Add user", "actor_kind": "unknown", "actor": "", "entry": "e2"}]});
        assert_eq!(
            provenance(&nobody),
            "\n  2026-11-22T12:00:00Z  unknown - by Add user  (log entry e2)"
        );
        for (situation, said) in [
            (Situation::Resurrected, "the provider's log told nothing"),
            (Situation::OrphanAccount, "the provider's log told nothing"),
            (Situation::Missing, "nobody gave it: no log is asked"),
            (Situation::GoneAtSource, "nobody gave it: no log is asked"),
            (Situation::Unreachable, "nobody gave it: no log is asked"),
        ] {
            assert_eq!(given_by(&silent(situation)), said, "{situation}");
        }
    }

    /// A finding about which no log said anything.
    fn silent(situation: Situation) -> FindingView {
        let at = "2026-11-22T12:00:00Z";
        serde_json::from_value(json!({
            "id": Uuid::nil(), "situation": situation, "connection": "okta-main", "cause": "account:00u1", "privileged": false,
            "state": "open", "action": "report", "evidence": {}, "returns": 0, "run": 1, "times_seen": 1,
            "first_seen_at": at, "last_seen_at": at,
        }))
        .unwrap()
    }
}
