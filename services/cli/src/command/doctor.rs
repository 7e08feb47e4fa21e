//! `sever doctor`: the invariants, checked in the database, and what needs somebody in Sever itself.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::json;
use sever_api::connection_view::Span;
use sever_store::integrity::{self, Concern};
use sever_store::invariants::{self, PRODUCTION_GRACE, Violation};

use crate::database;
use crate::exit::{Ended, Reason};
use crate::output::{Format, table};

/// How strict to be.
#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// How long something may be due or unpublished before it counts as forgotten; 0s for a fleet at rest.
    #[arg(long, value_name = "TIME")]
    grace: Option<Span>,
}

/// Checks every invariant that the database can show; exit code 1 when one is broken. What only needs somebody is shown and changes
/// no exit code.
pub(super) async fn run(arguments: &DoctorArguments, format: Format) -> Ended {
    let grace = arguments.grace.map_or(PRODUCTION_GRACE, |span| {
        Duration::from_secs(span.as_seconds().unsigned_abs())
    });
    let store = database::open().await?;
    let failed = |error| database::failure(&error);
    let client = store
        .client("checking the invariants")
        .await
        .map_err(failed)?;
    let violations = invariants::check(&client, grace).await.map_err(failed)?;
    let concerns = integrity::check(&client).await.map_err(failed)?;
    let checked = invariants::all().len() + integrity::CHECKS.len();
    let value = json!({
        "checked": checked,
        "violations": violations.iter().map(described).collect::<Vec<_>>(),
        "concerns": concerns.iter().map(concern).collect::<Vec<_>>(),
    });
    format.print(&value, |_| shown(&violations, &concerns, checked))?;
    Ok(if violations.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(Reason::Problem.code())
    })
}

fn described(violation: &Violation) -> serde_json::Value {
    json!({
        "invariant": violation.invariant, "name": violation.name, "what": violation.what,
        "id": violation.id, "detail": violation.detail,
    })
}

fn concern(concern: &Concern) -> serde_json::Value {
    json!({"check": concern.name, "what": concern.what, "id": concern.id, "detail": concern.detail})
}

fn shown(violations: &[Violation], concerns: &[Concern], checked: usize) -> String {
    let row = |violation: &Violation| {
        vec![
            violation.invariant.to_owned(),
            violation.id.clone(),
            violation.what.to_owned(),
            violation.detail.clone().unwrap_or_default(),
        ]
    };
    let needs = |concern: &Concern| {
        vec![
            concern.name.to_owned(),
            concern.id.clone(),
            concern.what.to_owned(),
            concern.detail.clone().unwrap_or_default(),
        ]
    };
    let healthy = format!("{checked} checks, nothing is wrong");
    let rows = violations.iter().map(row);
    let rows = rows.chain(concerns.iter().map(needs)).collect();
    table(
        &["check", "id", "what is wrong", "particulars"],
        rows,
        &healthy,
    )
}
