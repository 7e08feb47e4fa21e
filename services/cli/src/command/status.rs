//! `sever status`: where access stands.

use std::process::ExitCode;

use clap::Args;
use sever_api::operator_view::OverviewView;
use sever_api::opt_out_view::{ConnectionStatusView, OptOutView};
use sever_api::subject_view::SubjectStatusView;
use uuid::Uuid;

use super::{opt_out, opt_out_detail, overview, task};
use crate::client::Client;
use crate::exit::{Ended, Failure, Reason};
use crate::output::{Format, pairs, table};
use crate::words::{countdown, or_dash, time};

/// Of whom or what.
#[derive(Debug, Args)]
pub(crate) struct StatusArguments {
    /// An opt-out's id, or a person: Sever's id, or source:external_id. The whole fleet where absent.
    of: Option<String>,
    /// An integration, by its name or Sever's id.
    #[arg(long, value_name = "NAME", conflicts_with = "of")]
    integration: Option<String>,
}

/// Shows the fleet, or an opt-out where one has this id, else a subject's status.
pub(super) async fn run(arguments: &StatusArguments, format: Format) -> Ended {
    let client = Client::from_environment()?;
    if let Some(name) = &arguments.integration {
        let status = of_integration(&client, name).await?;
        format.print(&status, shown_subject)?;
        return Ok(ExitCode::SUCCESS);
    }
    let Some(of) = arguments.of.as_deref() else {
        let view: OverviewView = client.get(&["overview"], &[]).await?;
        format.print(&view, overview::shown)?;
        return Ok(ExitCode::SUCCESS);
    };
    if of.parse::<Uuid>().is_ok() {
        let path = ["opt-outs", of];
        match client.get::<OptOutView>(&path, &[]).await {
            Ok(view) => {
                format.print(&view, opt_out_detail::shown)?;
                return Ok(ExitCode::SUCCESS);
            }
            Err(failure) if failure.is(Reason::NotFound) => {}
            Err(failure) => return Err(failure),
        }
    }
    let status = of_subject(&client, of).await?;
    format.print(&status, shown_subject)?;
    Ok(ExitCode::SUCCESS)
}

/// Where an integration's access stands.
pub(super) async fn of_integration(
    client: &Client,
    named: &str,
) -> Result<SubjectStatusView, Failure> {
    client.get(&["integrations", named, "status"], &[]).await
}

/// Where somebody's access stands: a person's, or an integration's where no person has this id.
async fn of_subject(client: &Client, of: &str) -> Result<SubjectStatusView, Failure> {
    let path = ["people", of, "status"];
    let person = client.get(&path, &[]).await;
    let found = match person {
        Err(failure) if failure.is(Reason::NotFound) && of.parse::<Uuid>().is_ok() => {
            of_integration(client, of).await
        }
        answered => answered,
    };
    found.map_err(|failure| {
        if failure.is(Reason::NotFound) {
            let message = format!("neither an opt-out nor a person is named '{of}'");
            Failure::new(Reason::NotFound, message)
        } else {
            failure
        }
    })
}

fn shown_subject(status: &SubjectStatusView) -> String {
    let head = pairs(&[
        ("subject", Some(status.subject.to_string())),
        ("integration", status.subject_name.clone()),
        ("status", Some(status.status.to_string())),
        ("as of", Some(time(status.as_of))),
    ]);
    let row = |place: &ConnectionStatusView| {
        vec![
            place.connection.clone(),
            place.provider.to_string(),
            place.status.to_string(),
            or_dash(place.weakest_grade),
            or_dash(
                place
                    .residual_until
                    .map(|until| countdown(until, status.as_of)),
            ),
        ]
    };
    let places = table(
        &[
            "connection",
            "provider",
            "status",
            "weakest proof",
            "residual until",
        ],
        status.connections.iter().map(row).collect(),
        "nothing is known of it at any connection",
    );
    let opt_outs = table(
        &[
            "opt-out",
            "status",
            "state",
            "intent",
            "effective",
            "jobs",
            "subject",
        ],
        status.opt_outs.iter().map(opt_out::line).collect(),
        "no opt-outs",
    );
    let mut parts = vec![head, places];
    if !status.tasks.is_empty() {
        parts.push(format!("open tasks:\n{}", task::tasks(&status.tasks)));
    }
    parts.push(opt_outs);
    parts.join("\n\n")
}
