//! The end of a reading: how well each family was read, and from where the provider tells later what changed.

use serde_json::Value;
use sever_domain::EntitlementKind;
use sever_domain::inventory::FamilyRecord;

use super::run::RunLease;
use crate::error::StoreError;
use crate::pool::Store;

/// Only before anything was staged.
const BECOME_FULL: &str = "
UPDATE inventory_run SET kind = 'full', cursor = NULL
WHERE id = $1 AND lease_token = $2 AND state = 'running' AND accounts = 0 AND entitlements = 0";

const FAMILIES: &str = "
INSERT INTO run_family (run_id, family, result, rows, expected, detail)
SELECT $1::uuid, * FROM unnest($2::text[], $3::text[], $4::int8[], $5::int8[], $6::text[])";

const FINISH: &str = "
UPDATE inventory_run SET state = 'loaded', loaded_at = now(), mark = $3, unlisted = $4, lease_token = NULL, lease_until = NULL
WHERE id = $1 AND lease_token = $2 AND state = 'running'";

/// Makes an incremental run that has no rows yet a full one: what changed cannot be told.
///
/// # Errors
/// [`StoreError::Conflict`] where the lease is lost, or there are rows.
pub async fn become_full(store: &Store, lease: &RunLease) -> Result<(), StoreError> {
    let doing = "making an inventory a full one";
    let mut client = store.client(doing).await?;
    let tx = client.begin().await?;
    tx.execute_one(BECOME_FULL, &[&lease.run.0, &lease.token], doing)
        .await?;
    tx.commit().await
}

/// What a run knows of itself when every row is there.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Finish {
    /// How well each family was read.
    pub families: Vec<FamilyRecord>,
    /// From where the provider tells later what changed.
    pub mark: Option<Value>,
    /// Families that no list shows.
    pub unlisted: Vec<EntitlementKind>,
}

/// Says how well each family was read, and that every row is there.
///
/// # Errors
/// [`StoreError::Conflict`] where the lease is lost.
pub async fn finish(store: &Store, lease: &RunLease, finish: &Finish) -> Result<(), StoreError> {
    let doing = "finishing an inventory";
    let mut client = store.client(doing).await?;
    let tx = client.begin().await?;
    let unlisted: Vec<&str> = finish.unlisted.iter().map(|kind| kind.as_str()).collect();
    let values: &[&(dyn tokio_postgres::types::ToSql + Sync)] =
        &[&lease.run.0, &lease.token, &finish.mark, &unlisted];
    tx.execute_one(FINISH, values, doing).await?;
    let families = &finish.families;
    let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let names: Vec<&str> = families
        .iter()
        .map(|record| record.family.as_str())
        .collect();
    let results: Vec<&str> = families
        .iter()
        .map(|record| record.result.as_str())
        .collect();
    let rows: Vec<i64> = families.iter().map(|record| signed(record.rows)).collect();
    let expected: Vec<Option<i64>> = families
        .iter()
        .map(|record| record.expected.map(signed))
        .collect();
    let details: Vec<Option<&str>> = families
        .iter()
        .map(|record| record.detail.as_deref())
        .collect();
    tx.execute(
        FAMILIES,
        &[&lease.run.0, &names, &results, &rows, &expected, &details],
        doing,
    )
    .await?;
    tx.commit().await
}
