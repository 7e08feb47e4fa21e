//! `sever plan`: what a removal would do, without one write at a provider.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use sever_api::plan_view::{AffectedView, Becomes, ConnectionPlanView, PlanView, PlannedStepView};
use sever_domain::{Intent, Reversibility};
use tokio::time::Instant;
use uuid::Uuid;

use crate::client::Client;
use crate::exit::{Ended, Failure};
use crate::output::{Format, note, table};
use crate::words::{one_of, person_reference};

/// How often the plan is asked for until it is there.
const POLL: Duration = Duration::from_millis(300);

#[derive(Debug, Subcommand)]
pub(crate) enum PlanCommand {
    /// Show what the removal of a person's access would do.
    Person {
        /// Sever's id of the person, or source:external_id.
        person: String,
        #[command(flatten)]
        how: PlanArguments,
    },
    /// Show what disconnecting an integration would do, and whom it affects.
    Integration {
        /// The integration's name.
        integration: String,
        #[command(flatten)]
        how: PlanArguments,
    },
    /// Show a plan that was asked for before.
    Show {
        /// The plan.
        id: Uuid,
    },
}

#[derive(Debug, Args)]
pub(crate) struct PlanArguments {
    /// How far it would go.
    #[arg(long, default_value = "remove", value_parser = one_of::<Intent>(Intent::ALL.iter().map(|intent| intent.as_str())))]
    intent: Intent,
    /// Only at these connections, by name; several are given one by one or separated by commas. All where absent.
    #[arg(long, value_delimiter = ',', value_name = "CONNECTION")]
    scope: Vec<String>,
    /// Seconds to wait for the workers.
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=3600))]
    wait_s: u64,
}

#[derive(Debug, Deserialize)]
struct Asked {
    plan: Uuid,
}

/// Runs the command.
pub(super) async fn run(command: PlanCommand, format: Format) -> Ended {
    let client = Client::from_environment()?;
    let (whom, how) = match command {
        PlanCommand::Person { person, how } => (json!({"person": person_reference(&person)?}), how),
        PlanCommand::Integration { integration, how } => (json!({"integration": integration}), how),
        PlanCommand::Show { id } => {
            let plan: PlanView = client.get(&["plans", &id.to_string()], &[]).await?;
            format.print(&plan, shown)?;
            return Ok(ended(&plan));
        }
    };
    let plan = asked(&client, whom, &how).await?;
    format.print(&plan, shown)?;
    Ok(ended(&plan))
}

/// A plan that something would stop is a problem that a script can see.
fn ended(plan: &PlanView) -> ExitCode {
    let stopped = plan
        .connections
        .iter()
        .any(|connection| connection.stopped_by.is_some());
    ExitCode::from(u8::from(stopped || !plan.complete))
}

async fn asked(client: &Client, mut body: Value, how: &PlanArguments) -> Result<PlanView, Failure> {
    body["intent"] = json!(how.intent);
    if !how.scope.is_empty() {
        body["scope"] = json!(how.scope);
    }
    let asked: Asked = client.send_json(Method::POST, &["plans"], &body).await?;
    let deadline = Instant::now() + Duration::from_secs(how.wait_s);
    loop {
        let plan: PlanView = client.get(&["plans", &asked.plan.to_string()], &[]).await?;
        if plan.complete {
            return Ok(plan);
        }
        if Instant::now() >= deadline {
            note(&format!(
                "not every connection has answered within {} s: look again with 'sever plan show {}'",
                how.wait_s, asked.plan
            ));
            return Ok(plan);
        }
        tokio::time::sleep(POLL).await;
    }
}

fn shown(plan: &PlanView) -> String {
    let parts: Vec<String> = plan.connections.iter().map(at_connection).collect();
    format!(
        "plan {}, intent {}: nothing was written\n\n{}",
        plan.id,
        plan.intent,
        parts.join("\n\n")
    )
}

fn at_connection(plan: &ConnectionPlanView) -> String {
    let mut text = format!("{} ({}), {}", plan.connection, plan.provider, plan.state);
    if let Some(affects) = &plan.affects {
        text.push_str(&format!("; {}", affected(affects)));
    }
    if let Some(stopped_by) = &plan.stopped_by {
        text.push_str(&format!("\nwould be stopped: {stopped_by}"));
    }
    let head = [
        "",
        "does",
        "to",
        "key",
        "what becomes of it",
        "way back",
        "because",
    ];
    let rows = plan.steps.iter().map(line).collect();
    text.push('\n');
    text.push_str(&table(&head, rows, "nothing is there to be removed"));
    text
}

fn affected(affects: &AffectedView) -> String {
    let more = if affects.complete { "" } else { " at least" };
    let mut text = format!(
        "affects {}{more} people, {} groups, {} applications; {} calls, about {:.0} s",
        affects.people, affects.groups, affects.applications, affects.calls, affects.seconds
    );
    if affects.last_sign_in_path {
        text.push_str("; THE LAST WAY TO SIGN IN GOES THROUGH IT");
    }
    text
}

fn line(step: &PlannedStepView) -> Vec<String> {
    let becomes = match step.becomes {
        Becomes::Goes => match step.residual_s {
            Some(seconds) => format!("goes, can still work for {seconds} s"),
            None => "goes".to_owned(),
        },
        Becomes::Left => "ends with another".to_owned(),
        Becomes::Inert => "stays, inert".to_owned(),
        Becomes::Blocked => "blocked".to_owned(),
        Becomes::Manual => "a person is asked".to_owned(),
    };
    let way_back = match (step.becomes, step.reversibility) {
        (Becomes::Left | Becomes::Inert | Becomes::Blocked, _) => "-",
        (_, Reversibility::Reversible) => "reversible",
        (_, Reversibility::RestorableUntil) => "for a time",
        (_, Reversibility::OneWay) => "one way",
    };
    let privileged = if step.privileged { " (privileged)" } else { "" };
    vec![
        (step.ordinal + 1).to_string(),
        step.action.to_string(),
        format!("{}{privileged}", step.target_kind),
        step.label
            .clone()
            .unwrap_or_else(|| step.target_key.clone()),
        becomes,
        way_back.to_owned(),
        step.because.clone().unwrap_or_default(),
    ]
}
