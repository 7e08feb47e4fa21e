//! `sever audit`: the record, checked.

use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;
use serde_json::Value;
use sever_api::operator_view::{AuditEventView, AuditList};
use uuid::Uuid;

use crate::client::Client;
use crate::exit::{Ended, Reason};
use crate::output::{self, Format, table};
use crate::words::time;

/// What the console shows at once.
const EVENTS_MAX: u32 = 10_000;

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Show the events of an opt-out and check each digest here. Exit code 1 if one does not hold.
    Show {
        /// The opt-out.
        #[arg(long)]
        opt_out: Uuid,
    },
}

/// An event, and what this program found of it.
#[derive(Debug, Serialize)]
struct Checked {
    #[serde(flatten)]
    event: AuditEventView,
    /// Whether the digest is that of the bytes, computed here, and the bytes say what the columns say.
    verified: bool,
}

/// Runs the command.
pub(super) async fn run(command: AuditCommand, format: Format) -> Ended {
    let AuditCommand::Show { opt_out } = command;
    let path = ["opt-outs", &opt_out.to_string(), "audit"];
    let query = [("limit", EVENTS_MAX.to_string())];
    let list: AuditList = Client::from_environment()?.get(&path, &query).await?;
    let events: Vec<Checked> = list
        .items
        .into_iter()
        .map(|event| Checked {
            verified: holds(&event, opt_out),
            event,
        })
        .collect();
    format.print(&events, |events| shown(events))?;
    if list.more {
        output::note("there are more events than the first 10,000");
    }
    let broken = events.iter().filter(|event| !event.verified).count();
    if broken == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    output::complain(&format!("{broken} of {} events do not hold", events.len()));
    Ok(ExitCode::from(Reason::Problem.code()))
}

/// The digest is computed here: the word of the one who keeps the record is not enough.
fn holds(event: &AuditEventView, opt_out: Uuid) -> bool {
    let digest = hex::encode(sever_audit::digest(event.canonical.as_bytes()));
    let said: Value = serde_json::from_str(&event.canonical).unwrap_or_default();
    digest == event.digest
        && said["id"] == event.id.to_string()
        && said["kind"] == event.kind
        && said["actor"] == event.actor
        && said["at_us"] == event.at.as_microsecond()
        && said["opt_out"] == opt_out.to_string()
}

fn shown(events: &[Checked]) -> String {
    let row = |checked: &Checked| {
        let said: Value = serde_json::from_str(&checked.event.canonical).unwrap_or_default();
        vec![
            checked.event.seq.to_string(),
            time(checked.event.at),
            checked.event.actor.clone(),
            checked.event.kind.clone(),
            short(&said["data"]),
            if checked.verified { "holds" } else { "BROKEN" }.to_owned(),
        ]
    };
    let rows = events.iter().map(row).collect();
    let text = table(
        &["seq", "at", "actor", "event", "particulars", "digest"],
        rows,
        "no events",
    );
    format!("{text}\n\n{} events", events.len())
}

/// Particulars that fit into a table; `-o json` has all of them.
fn short(data: &Value) -> String {
    const SHOWN: usize = 120;
    let text = data.to_string();
    if text.chars().count() <= SHOWN {
        return text;
    }
    text.chars().take(SHOWN).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use sever_audit::{AuditEvent, AuditKind, digest};
    use sever_domain::OptOutId;

    use super::*;

    fn event() -> (AuditEventView, Uuid) {
        let opt_out = OptOutId::generate();
        let at = "2026-11-22T12:00:00Z".parse().unwrap();
        let event = AuditEvent::new(
            AuditKind::JobCreated,
            at,
            "source:hr",
            serde_json::json!({}),
        )
        .opt_out(opt_out);
        let view = AuditEventView {
            seq: 1,
            id: event.id,
            at,
            actor: event.actor.clone(),
            kind: event.kind.as_str().to_owned(),
            canonical: String::from_utf8(event.canonical()).unwrap(),
            digest: hex::encode(digest(&event.canonical())),
            digest_holds: true,
        };
        (view, opt_out.0)
    }

    #[test]
    fn an_event_holds_only_unaltered_and_for_its_own_opt_out() {
        let (right, opt_out) = event();
        assert!(holds(&right, opt_out));
        assert!(!holds(&right, Uuid::nil()));
        let changes: [fn(&mut AuditEventView); 4] = [
            |event| event.canonical = event.canonical.replace("hr", "xx"),
            |event| event.actor = "source:xx".to_owned(),
            |event| event.kind = "job.settled".to_owned(),
            |event| event.digest = "00".repeat(32),
        ];
        for change in changes {
            let mut altered = right.clone();
            change(&mut altered);
            assert!(!holds(&altered, opt_out), "{altered:?}");
        }
    }
}
