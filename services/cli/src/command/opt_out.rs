//! `sever opt-out`: asking for the removal of access.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sever_api::opt_out_view::{OptOutHeadView, OptOutPage, OptOutSummaryView, RequestedView};
use sever_domain::request::RequestState;
use sever_domain::{Intent, OptOutState, Urgency};
use uuid::Uuid;

use super::watch;
use crate::client::Client;
use crate::exit::Ended;
use crate::output::{Format, pairs, table};
use crate::words::{one_of, person_reference, time};

#[derive(Debug, Subcommand)]
pub(crate) enum OptOutCommand {
    /// Remove a person's access.
    Person(PersonArguments),
    /// Disconnect an integration, at every connection where it has an id.
    Integration(IntegrationArguments),
    /// Call an opt-out off before its fence: what was sent until then is given back. After that, 'sever restore' is the way.
    Cancel {
        /// The opt-out.
        id: Uuid,
        /// Why, for the record; no personal data.
        #[arg(long)]
        reason: String,
    },
    /// List opt-outs with their status, newest first.
    List {
        /// Only in this state.
        #[arg(long, value_parser = one_of::<OptOutState>(OptOutState::ALL.iter().map(|state| state.as_str())))]
        state: Option<OptOutState>,
        /// Where the page before ended.
        #[arg(long, value_name = "ID")]
        before: Option<Uuid>,
        /// Opt-outs at most, 1 to 200.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
}

#[derive(Debug, Args)]
pub(crate) struct PersonArguments {
    /// Sever's id of the person, or source:external_id.
    person: String,
    #[command(flatten)]
    terms: Terms,
}

#[derive(Debug, Args)]
pub(crate) struct IntegrationArguments {
    /// The integration's name.
    name: String,
    #[command(flatten)]
    terms: Terms,
}

/// What is asked for, whoever it is about.
#[derive(Debug, Args)]
struct Terms {
    /// How far it goes: disable contains and cuts sessions and tokens, remove takes everything.
    #[arg(long, default_value = "remove", value_parser = one_of::<Intent>(Intent::ALL.iter().map(|intent| intent.as_str())))]
    intent: Intent,
    /// Only at these connections, by name; several are given one by one or separated by commas. All where absent.
    #[arg(long, value_delimiter = ',', value_name = "CONNECTION")]
    scope: Vec<String>,
    /// Which queue the work takes.
    #[arg(long, default_value = "ordinary", value_parser = one_of::<Urgency>(Urgency::ALL.iter().map(|urgency| urgency.as_str())))]
    urgency: Urgency,
    /// Why, for the record: at most 500 characters, no personal data.
    #[arg(long)]
    reason: String,
    /// When it takes effect: 2026-11-30T18:00:00+01:00[Europe/Berlin], or a local time with --time-zone. Now where absent.
    #[arg(long, value_name = "TIME")]
    effective_at: Option<String>,
    /// The IANA time zone of a local --effective-at.
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// The key by which a repeated request is known; a fresh one where absent.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Follow the work until it is settled.
    #[arg(long)]
    wait: bool,
}

/// Runs the command.
pub(super) async fn run(command: OptOutCommand, format: Format) -> Ended {
    let client = Client::from_environment()?;
    match command {
        OptOutCommand::Person(arguments) => {
            let whom = ("person", person_reference(&arguments.person)?);
            ask(&client, whom, arguments.terms, format).await
        }
        OptOutCommand::Integration(arguments) => {
            let whom = ("integration", json!(arguments.name));
            ask(&client, whom, arguments.terms, format).await
        }
        OptOutCommand::Cancel { id, reason } => {
            let body = json!({"reason": reason});
            let path = ["opt-outs", &id.to_string(), "cancel"];
            let cancelled: Cancelled = client.send_json(Method::POST, &path, &body).await?;
            format.print(&cancelled, called_off)?;
            Ok(ExitCode::SUCCESS)
        }
        OptOutCommand::List {
            state,
            before,
            limit,
        } => {
            let mut query = vec![("limit", limit.to_string())];
            query.extend(state.map(|state| ("state", state.to_string())));
            query.extend(before.map(|id| ("before", id.to_string())));
            let page: OptOutPage = client.get(&["opt-outs"], &query).await?;
            format.print(&page, listed)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Cancelled {
    cancelled: Uuid,
    restore: Option<Uuid>,
    jobs: Vec<Uuid>,
}

fn called_off(cancelled: &Cancelled) -> String {
    let id = cancelled.cancelled;
    match cancelled.restore {
        None => format!("opt-out {id} is cancelled: nothing had been sent"),
        Some(restore) => format!(
            "opt-out {id} is cancelled, and what had been sent is given back: follow it with 'sever watch {restore}'"
        ),
    }
}

async fn ask(client: &Client, (kind, whom): (&str, Value), terms: Terms, format: Format) -> Ended {
    let mut body = body(&terms);
    body[kind] = whom;
    let key = terms
        .idempotency_key
        .unwrap_or_else(|| Uuid::new_v4().to_string());
    let asked: RequestedView = client.post_with_key(&["opt-outs"], &key, &body).await?;
    match asked.opt_out {
        Some(opt_out) if terms.wait => watch::opt_out(client, opt_out, format).await,
        Some(_) | None => {
            format.print(&asked, shown)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn body(terms: &Terms) -> Value {
    let mut body =
        json!({"intent": terms.intent, "urgency": terms.urgency, "reason": terms.reason});
    if !terms.scope.is_empty() {
        body["scope"] = json!(terms.scope);
    }
    if let Some(time) = &terms.effective_at {
        body["effective_at"] = json!(time);
    }
    if let Some(zone) = &terms.time_zone {
        body["time_zone"] = json!(zone);
    }
    body
}

fn shown(asked: &RequestedView) -> String {
    let next = match (asked.state, asked.opt_out) {
        (RequestState::Held, _) => Some("a hold stops it: see 'sever hold list'".to_owned()),
        (_, Some(id)) => Some(format!("follow it with 'sever watch {id}'")),
        (_, None) => None,
    };
    pairs(&[
        ("opt-out", asked.opt_out.map(|id| id.to_string())),
        ("request", Some(asked.request.to_string())),
        ("state", Some(asked.state.to_string())),
        (
            "known already",
            (!asked.created).then(|| "yes, by its key".to_owned()),
        ),
        ("next", next),
    ])
}

fn listed(page: &OptOutPage) -> String {
    let head = [
        "id",
        "status",
        "state",
        "intent",
        "effective",
        "jobs",
        "subject",
    ];
    let mut text = table(&head, page.items.iter().map(line).collect(), "no opt-outs");
    if let Some(next) = page.next {
        text.push_str(&format!("\n\nthere are more: --before {next}"));
    }
    text
}

/// One line of a table of opt-outs.
pub(super) fn line(summary: &OptOutSummaryView) -> Vec<String> {
    let head = &summary.head;
    let jobs: Vec<String> = summary
        .jobs
        .iter()
        .map(|job| job.state.to_string())
        .collect();
    vec![
        head.id.to_string(),
        head.status.to_string(),
        head.state.to_string(),
        head.intent.to_string(),
        time(head.effective_at),
        jobs.join(" "),
        subject(head),
    ]
}

/// Whom an opt-out is about: an integration by its name, a person by the pseudonym.
pub(super) fn subject(head: &OptOutHeadView) -> String {
    match &head.subject_name {
        Some(name) => format!("{} {name}", head.subject_kind),
        None => head.subject.to_string(),
    }
}
