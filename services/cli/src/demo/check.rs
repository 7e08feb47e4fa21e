//! Everything that is checked at the end, and what is wrong in words.

use std::time::Duration;

use sever_store::{effect_log, invariants};

use super::audience::Act;
use super::cast::Cast;
use super::integrations::Integration;
use super::journal::{self, Allowed};
use super::matrix;
use super::truth::{self, Truth};
use crate::dev::fleet::Fleet;

/// More calls than 50 leavers and two integrations can need.
const CALLS_MAX: i64 = 100_000;
/// What may be due or unpublished for longer counts as forgotten.
const GRACE: Duration = Duration::from_secs(10);

/// What the checks found.
#[derive(Debug)]
pub(super) struct Findings {
    /// Accepted writes in the simulator's journal.
    pub(super) writes: usize,
    /// Calls that Sever intended.
    pub(super) intended: usize,
    /// Where the simulator's journal or state contradicts Sever, or a cell of the matrix was not read again.
    pub(super) provider: Vec<String>,
    /// Broken invariants in the database.
    pub(super) invariants: Vec<String>,
    /// How many statements looked for them.
    pub(super) checks: usize,
}

/// Compares the simulator's journal and state with Sever's records, and checks the invariants.
///
/// # Errors
/// Where something cannot be read.
pub(super) async fn everything(
    fleet: &Fleet,
    (cast, integrations): (&Cast, &[Integration]),
    before: &Truth,
    acts: &[Act<'_>],
) -> anyhow::Result<Findings> {
    let store = fleet.database.store()?;
    let client = store.client("checking the demonstration").await?;
    let intended = effect_log::list(&client, CALLS_MAX).await?;
    let writes = journal::writes(&fleet.simulator).await?;
    let after = truth::look(&fleet.simulator, cast, integrations).await?;
    let allowed = Allowed::new(cast, integrations);
    let mut provider = journal::violations(&writes, &intended, &allowed);
    provider.extend(truth::violations(before, &after, cast, integrations));
    provider.extend(matrix::violations(acts, &after));
    let broken = invariants::check(&client, GRACE).await?;
    let words = |violation: invariants::Violation| {
        format!(
            "{} {}: {}",
            violation.invariant, violation.id, violation.what
        )
    };
    Ok(Findings {
        writes: writes.len(),
        intended: intended.len(),
        provider,
        invariants: broken.into_iter().map(words).collect(),
        checks: invariants::all().len(),
    })
}
