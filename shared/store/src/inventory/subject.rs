//! Accounts that are read one by one: what an incremental run read of each, what no list shows, and whom a full run looks at.

use jiff::Timestamp;
use sever_domain::{ConnectionId, EntitlementKind};

use super::run::RunLease;
use crate::error::StoreError;
use crate::pool::{Store, Tx};

/// One account can be named again behind a resumption.
const READ: &str = "
INSERT INTO run_subject (run_id, provider_id, families)
SELECT $1::uuid, $2, $3::text[] ON CONFLICT (run_id, provider_id) DO UPDATE SET families = excluded.families";

/// An older answer never takes the place of a newer one.
const KEEP: &str = "
INSERT INTO subject_reading (connection_id, provider_id, family, read_at, held, privileged)
SELECT connection_id, $2, $3, $4, $5::text[], $6::text[] FROM inventory_run WHERE id = $1
ON CONFLICT (connection_id, provider_id, family) DO UPDATE
SET read_at = excluded.read_at, held = excluded.held, privileged = excluded.privileged WHERE subject_reading.read_at < excluded.read_at";

/// Of those that are opted out or left, those with administrative power, and all others: from each in turn, whoever was not read for
/// longest. Among those who never were, the run's number decides, so that no run begins where another did.
const SAMPLE: &str = "
WITH seen AS (
    SELECT DISTINCT ON (provider_id) provider_id, state FROM observed_account WHERE run_no = $2 AND kind = 'account'
), gone AS (
    SELECT DISTINCT binding.provider_id FROM binding LEFT JOIN person ON person.id = binding.subject_id
    WHERE binding.connection_id = $1 AND binding.kind = 'account' AND binding.state IN ('confirmed', 'candidate')
      AND (person.employment_state = 'left' OR EXISTS (
          SELECT FROM opt_out WHERE opt_out.subject_id = binding.subject_id AND opt_out.kind = 'opt_out' AND opt_out.state IN ('open', 'closed')))
), strong AS (
    SELECT DISTINCT account_id AS provider_id FROM observed_entitlement WHERE run_no = $2 AND privileged
), past AS (
    SELECT provider_id, min(read_at) AS read_at FROM subject_reading WHERE connection_id = $1 GROUP BY provider_id
), chosen AS (
    SELECT provider_id, kind, row_number() OVER (
        PARTITION BY kind ORDER BY past.read_at NULLS FIRST, hashtextextended(provider_id, $2::int4), provider_id) AS place
    FROM (
        SELECT seen.provider_id, CASE WHEN gone.provider_id IS NOT NULL THEN 0 WHEN strong.provider_id IS NOT NULL THEN 1 ELSE 2 END AS kind
        FROM seen LEFT JOIN gone USING (provider_id) LEFT JOIN strong USING (provider_id)
        WHERE gone.provider_id IS NOT NULL OR seen.state = 'live'
    ) AS kinds LEFT JOIN past USING (provider_id)
)
SELECT provider_id FROM chosen ORDER BY place, kind
LIMIT coalesce((SELECT sample FROM reconcile_setting WHERE connection_id = $1), 100)";

/// What was read of accounts that a whole list does not name any more is of no use.
const FORGET: &str = "
DELETE FROM subject_reading WHERE connection_id = $1
  AND NOT EXISTS (SELECT FROM observed_account AS a WHERE a.run_no = $2 AND a.provider_id = subject_reading.provider_id)";

/// An account that was read one by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectReading {
    /// The provider's immutable id.
    pub provider_id: String,
    /// When the provider answered, or before.
    pub read_at: Timestamp,
    /// In an incremental run, the families that were read whole and whose rows are staged; `None` in a full one, whose lists tell of
    /// those families.
    pub whole: Option<Vec<EntitlementKind>>,
    /// Families that no list shows, as far as they were read whole.
    pub unlisted: Vec<UnlistedFamily>,
}

/// What an account has of a family that no list shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnlistedFamily {
    /// The family.
    pub family: EntitlementKind,
    /// The provider's keys; never a secret.
    pub held: Vec<String>,
    /// Those of them that give administrative power.
    pub privileged: Vec<String>,
}

/// Writes what was read of single accounts, in the transaction that moves the cursor behind them.
pub(super) async fn note(
    tx: &Tx<'_>,
    lease: &RunLease,
    readings: &[SubjectReading],
) -> Result<(), StoreError> {
    let doing = "noting accounts that were read one by one";
    for reading in readings {
        let (run, id) = (&lease.run.0, &reading.provider_id);
        if let Some(whole) = &reading.whole {
            let families: Vec<&str> = whole.iter().map(|family| family.as_str()).collect();
            tx.execute(READ, &[run, id, &families], doing).await?;
        }
        for family in &reading.unlisted {
            let values: &[&(dyn tokio_postgres::types::ToSql + Sync)] = &[
                run,
                id,
                &family.family.as_str(),
                &reading.read_at,
                &family.held,
                &family.privileged,
            ];
            tx.execute(KEEP, values, doing).await?;
        }
    }
    Ok(())
}

/// The accounts of a run that are read one by one, in this order; at most as many as its connection's setting says.
///
/// # Errors
/// As any statement.
pub async fn sample(
    store: &Store,
    connection: ConnectionId,
    lease: &RunLease,
) -> Result<Vec<String>, StoreError> {
    let doing = "choosing whom an inventory reads one by one";
    let client = store.client(doing).await?;
    let rows = client
        .query(SAMPLE, &[&connection.0, &lease.no], doing)
        .await?;
    Ok(rows.iter().map(|row| row.get("provider_id")).collect())
}

/// Forgets readings of accounts that a promoted full run does not name.
pub(crate) async fn forget(
    tx: &Tx<'_>,
    connection: ConnectionId,
    no: i32,
) -> Result<(), StoreError> {
    let doing = "forgetting readings of accounts that are gone";
    tx.execute(FORGET, &[&connection.0, &no], doing)
        .await
        .map(drop)
}
