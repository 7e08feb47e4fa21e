//! `sever doctor`: the invariants, checked in the database.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::json;
use sever_api::connection_view::Span;
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

/// Checks every invariant that the database can show; exit code 1 when one is broken.
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
    let checked = invariants::all().len();
    let value = json!({
        "checked": checked,
        "violations": violations.iter().map(described).collect::<Vec<_>>(),
    });
    format.print(&value, |_| shown(&violations, checked))?;
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

fn shown(violations: &[Violation], checked: usize) -> String {
    let row = |violation: &Violation| {
        vec![
            violation.invariant.to_owned(),
            violation.id.clone(),
            violation.what.to_owned(),
            violation.detail.clone().unwrap_or_default(),
        ]
    };
    let healthy = format!("{checked} checks, nothing is wrong");
    table(
        &["invariant", "id", "what is wrong", "particulars"],
        violations.iter().map(row).collect(),
        &healthy,
    )
}
