//! What a restore starts from: the steps of the opt-out that it reverses, each with its pre-image.

use serde_json::Value;
use sever_domain::JobId;
use sever_domain::entitlement::Entitlement;
use sever_domain::plan::PlannedStep;
use tokio_postgres::Row;

use super::load::planned_step;
use crate::error::StoreError;
use crate::pool::Store;
use crate::row::word;

/// The newest step of each target that may have changed something, and the earliest reading that shows its
/// target: what was there before anything was taken. A target that was gone already has nothing to come back.
const RESTORABLE: &str = "
WITH taken AS (
    SELECT DISTINCT ON (step.binding_id, step.action, step.target_kind, step.target_key) step.*
    FROM job AS restore
    JOIN opt_out ON opt_out.reversed_by = restore.opt_out_id
    JOIN job ON job.opt_out_id = opt_out.id AND job.connection_id = restore.connection_id
    JOIN step ON step.job_id = job.id
    WHERE restore.id = $1 AND step.action <> 'leave' AND step.state IN ('applying', 'unknown', 'applied', 'verified')
    ORDER BY step.binding_id, step.action, step.target_kind, step.target_key, job.created_at DESC, step.revision DESC
)
SELECT taken.*, NULL::text AS asked_of, NULL::text AS what, NULL::text AS link, NULL::text AS evidence_required, NULL::int8 AS due_s,
       before.provider_key AS before_key, before.privileged AS before_privileged, before.facts AS before_facts
FROM taken
LEFT JOIN LATERAL (
    SELECT entitlement.* FROM entitlement
    JOIN inspection ON inspection.id = entitlement.inspection_id
    WHERE inspection.job_id = taken.job_id AND inspection.purpose IN ('contain', 'opening')
      AND entitlement.binding_id = taken.binding_id AND entitlement.kind = taken.target_kind AND entitlement.provider_key = taken.target_key
    ORDER BY inspection.seq LIMIT 1
) AS before ON true
WHERE before.provider_key IS NOT NULL OR EXISTS (
    SELECT FROM effect WHERE effect.step_id = taken.id AND effect.outcome IS DISTINCT FROM 'already_gone' AND effect.outcome IS DISTINCT FROM 'not_applied')
ORDER BY taken.revision, taken.ordinal";

/// A step that was done, and what its target was before.
#[derive(Debug, Clone, PartialEq)]
pub struct Restorable {
    /// The step as it was planned; its needs are empty.
    pub step: PlannedStep,
    /// The target as it was read before; `None` where no read lists it.
    pub pre_image: Option<Entitlement>,
}

/// What the restore job `restore` may bring back, in the order in which it was taken.
///
/// # Errors
/// As any statement; [`StoreError::Corrupt`] for a word that this version does not know.
pub async fn restorable(store: &Store, restore: JobId) -> Result<Vec<Restorable>, StoreError> {
    let doing = "reading what a restore can bring back";
    let client = store.client(doing).await?;
    let rows = client.query(RESTORABLE, &[&restore.0], doing).await?;
    rows.iter().map(one).collect()
}

fn one(row: &Row) -> Result<Restorable, StoreError> {
    let step = PlannedStep {
        needs: Vec::new(),
        ..planned_step(row)?
    };
    let pre_image = row
        .get::<_, Option<String>>("before_key")
        .map(|provider_key| {
            Ok::<_, StoreError>(Entitlement {
                kind: word(row, "target_kind")?,
                provider_key,
                privileged: row.get("before_privileged"),
                facts: row.get::<_, Value>("before_facts"),
            })
        })
        .transpose()?;
    Ok(Restorable { step, pre_image })
}
