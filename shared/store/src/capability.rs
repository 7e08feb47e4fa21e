//! What workers declare at their start that they can see, revoke, prove and restore.

use jiff::Timestamp;
use serde_json::Value;
use sever_domain::{Provider, SubjectKind};
use tokio_postgres::Row;
use tokio_postgres::types::Json;

use crate::error::StoreError;
use crate::pool::{Client, Store};
use crate::row::word;

/// Replicas that start together write the same rows in the same order, so that none waits for another in a circle.
const DECLARE: &str = "
INSERT INTO provider_capability (provider, subject_kind, ordinal, capability)
SELECT $1, $2, ordinal, capability FROM unnest($3::int4[], $4::jsonb[]) AS declared (ordinal, capability) ORDER BY ordinal
ON CONFLICT (provider, subject_kind, ordinal) DO UPDATE SET capability = excluded.capability, declared_at = now()";

const FORGET: &str = "
DELETE FROM provider_capability WHERE provider = $1 AND subject_kind = $2 AND ordinal >= $3";

const LIST: &str = "
SELECT subject_kind, capability, declared_at FROM provider_capability
WHERE provider = $1 ORDER BY subject_kind DESC, ordinal";

/// One declared capability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapabilityRow {
    /// Whom it is about.
    pub subject_kind: SubjectKind,
    /// One family: how it is seen, revoked, proven and restored, in the words of the provider crate.
    pub capability: Value,
    /// When a worker last declared it.
    pub declared_at: Timestamp,
}

/// Makes these, in this order, what the provider's workers can do for subjects of this kind.
///
/// # Errors
/// As any statement; what was declared before stays then.
pub async fn declare_capabilities(
    store: &Store,
    provider: Provider,
    subject_kind: SubjectKind,
    capabilities: &[Value],
) -> Result<(), StoreError> {
    let doing = "declaring what a worker can do";
    let count = i32::try_from(capabilities.len()).unwrap_or(i32::MAX);
    let ordinals: Vec<i32> = (0..count).collect();
    let capabilities: Vec<Json<&Value>> = capabilities.iter().map(Json).collect();
    let (provider, kind) = (provider.as_str(), subject_kind.as_str());
    let mut client = store.client(doing).await?;
    let tx = client.begin().await?;
    tx.execute(
        DECLARE,
        &[&provider, &kind, &ordinals, &capabilities],
        doing,
    )
    .await?;
    tx.execute(FORGET, &[&provider, &kind, &count], doing)
        .await?;
    tx.commit().await
}

/// What the provider's workers declared, people before integrations, in the declared order. Empty where none ever started.
///
/// # Errors
/// As any statement; [`StoreError::Corrupt`] for a word that this version does not know.
pub async fn list(client: &Client, provider: Provider) -> Result<Vec<CapabilityRow>, StoreError> {
    let rows = client
        .query(LIST, &[&provider.as_str()], "reading what a worker can do")
        .await?;
    rows.iter().map(capability).collect()
}

fn capability(row: &Row) -> Result<CapabilityRow, StoreError> {
    Ok(CapabilityRow {
        subject_kind: word(row, "subject_kind")?,
        capability: row.get("capability"),
        declared_at: row.get("declared_at"),
    })
}
