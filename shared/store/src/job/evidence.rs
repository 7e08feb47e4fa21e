//! Inspections and verifications as rows.

use std::collections::BTreeMap;

use futures::try_join;
use jiff::Timestamp;
use serde_json::{Value, json};
use sever_domain::entitlement::{FamilyReading, FamilyResult};
use sever_domain::{BindingId, EntitlementKind};
use tokio_postgres::types::{Json, ToSql};
use uuid::Uuid;

use super::types::{BindingJudgement, ClaimedJob, NewInspection, Verification};
use crate::error::StoreError;
use crate::pool::Tx;

/// A binding is judged once more with every resolve, but for one that an operator has taken out meanwhile; a confirmed id has one
/// owner (unique index).
const JUDGE_BINDING: &str = "
INSERT INTO binding (id, subject_id, connection_id, kind, provider_id, state, basis, confirmed_at)
SELECT b.id, $1, $2, $7, b.provider_id, b.state, b.basis, CASE WHEN b.state = 'confirmed' THEN now() END
FROM unnest($3::uuid[], $4::text[], $5::text[], $6::text[]) AS b (id, provider_id, state, basis)
ON CONFLICT (subject_id, connection_id, kind, provider_id)
DO UPDATE SET state = excluded.state, basis = excluded.basis, confirmed_at = coalesce(binding.confirmed_at, excluded.confirmed_at)
WHERE binding.state <> 'refuted' OR binding.basis <> 'operator'";

const INSERT_INSPECTION: &str = "
INSERT INTO inspection (id, job_id, seq, epoch, purpose, started_at, ended_at, digest)
SELECT $1, $2, coalesce(max(seq), 0) + 1, $3, $4, $5::timestamptz, greatest($5::timestamptz, $6::timestamptz), $7 FROM inspection WHERE job_id = $2";

const INSERT_FAMILIES: &str = "
INSERT INTO inspection_family (inspection_id, binding_id, family, result, found, rule, detail)
SELECT $1, f.* FROM unnest($2::uuid[], $3::text[], $4::text[], $5::int4[], $6::text[], $7::text[]) AS f";

const INSERT_ENTITLEMENTS: &str = "
INSERT INTO entitlement (inspection_id, ordinal, binding_id, kind, provider_key, privileged, facts)
SELECT $1, e.* FROM unnest($2::int4[], $3::uuid[], $4::text[], $5::text[], $6::bool[], $7::jsonb[]) AS e";

const INSERT_VERIFICATIONS: &str = "
INSERT INTO verification (step_id, no, inspection_id, grade, rule, verdict, at, digest)
SELECT v.step_id, (SELECT coalesce(max(no), 0) + 1 FROM verification AS earlier WHERE earlier.step_id = v.step_id), $5, v.grade, v.rule, v.verdict, $6, $7
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS v (step_id, grade, rule, verdict)";

/// What refers to each other here, and what other modules' rows refer to: prepared before it travels together.
pub(super) const STATEMENTS: [&str; 5] = [
    JUDGE_BINDING,
    INSERT_INSPECTION,
    INSERT_FAMILIES,
    INSERT_ENTITLEMENTS,
    INSERT_VERIFICATIONS,
];

pub(super) async fn judge_bindings(
    tx: &Tx<'_>,
    claimed: &ClaimedJob,
    judged: &[BindingJudgement],
) -> Result<(), StoreError> {
    if judged.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = judged.iter().map(|binding| binding.id.0).collect();
    let accounts: Vec<&str> = judged
        .iter()
        .map(|binding| binding.provider_id.as_str())
        .collect();
    let states: Vec<&str> = judged
        .iter()
        .map(|binding| binding.state.as_str())
        .collect();
    let bases: Vec<&str> = judged
        .iter()
        .map(|binding| binding.basis.as_str())
        .collect();
    tx.execute(
        JUDGE_BINDING,
        &[
            &claimed.subject.0,
            &claimed.connection.0,
            &ids,
            &accounts,
            &states,
            &bases,
            &claimed.subject_kind.binding_kind(),
        ],
        "judging bindings",
    )
    .await?;
    Ok(())
}

/// Stores an inspection with its families and entitlements. Everything is sent when it is first polled.
pub(super) async fn insert_inspection(
    tx: &Tx<'_>,
    claimed: &ClaimedJob,
    id: Uuid,
    inspection: &NewInspection,
    digest: &[u8],
) -> Result<(), StoreError> {
    let doing = "writing an inspection";
    let (job, epoch, purpose) = (
        claimed.lease.job.0,
        claimed.lease.epoch,
        inspection.purpose.as_str(),
    );
    let values: &[&(dyn ToSql + Sync)] = &[
        &id,
        &job,
        &epoch,
        &purpose,
        &inspection.started_at,
        &inspection.ended_at,
        &digest,
    ];
    let families: Vec<(BindingId, &FamilyReading)> = inspection
        .accounts
        .iter()
        .flat_map(|account| {
            account
                .reading
                .families
                .iter()
                .map(move |family| (account.binding, family))
        })
        .collect();
    try_join!(
        tx.execute(INSERT_INSPECTION, values, doing),
        insert_families(tx, id, inspection, &families),
        insert_entitlements(tx, id, &families)
    )
    .map(drop)
}

async fn insert_families(
    tx: &Tx<'_>,
    id: Uuid,
    inspection: &NewInspection,
    families: &[(BindingId, &FamilyReading)],
) -> Result<(), StoreError> {
    let rule = |binding: BindingId, family: EntitlementKind| {
        inspection
            .proofs
            .iter()
            .find(|proof| proof.binding == binding && proof.family == family)
            .map(|proof| proof.rule)
    };
    let bindings: Vec<Uuid> = families.iter().map(|(binding, _)| binding.0).collect();
    let kinds: Vec<&str> = families
        .iter()
        .map(|(_, family)| family.family.as_str())
        .collect();
    let results: Vec<&str> = families
        .iter()
        .map(|(_, family)| family.result.as_str())
        .collect();
    let found: Vec<i32> = families.iter().map(|(_, family)| found(family)).collect();
    let rules: Vec<Option<&str>> = families
        .iter()
        .map(|(binding, family)| rule(*binding, family.family))
        .collect();
    let details: Vec<Option<&str>> = families
        .iter()
        .map(|(_, family)| family.detail.as_deref())
        .collect();
    tx.execute(
        INSERT_FAMILIES,
        &[&id, &bindings, &kinds, &results, &found, &rules, &details],
        "writing inspected families",
    )
    .await?;
    Ok(())
}

/// How many a family has: a number only where it was read whole. What else was seen stands among the entitlements.
fn found(family: &FamilyReading) -> i32 {
    match family.result {
        FamilyResult::Complete => i32::try_from(family.entitlements.len()).unwrap_or(i32::MAX),
        FamilyResult::Unsupported | FamilyResult::Forbidden | FamilyResult::Failed => 0,
    }
}

async fn insert_entitlements(
    tx: &Tx<'_>,
    id: Uuid,
    families: &[(BindingId, &FamilyReading)],
) -> Result<(), StoreError> {
    let found: Vec<_> = families
        .iter()
        .flat_map(|(binding, family)| {
            family
                .entitlements
                .iter()
                .map(move |entitlement| (*binding, entitlement))
        })
        .collect();
    if found.is_empty() {
        return Ok(());
    }
    let ordinals: Vec<i32> = (0..found.len())
        .map(|ordinal| i32::try_from(ordinal).unwrap_or(i32::MAX))
        .collect();
    let bindings: Vec<Uuid> = found.iter().map(|(binding, _)| binding.0).collect();
    let kinds: Vec<&str> = found
        .iter()
        .map(|(_, entitlement)| entitlement.kind.as_str())
        .collect();
    let keys: Vec<&str> = found
        .iter()
        .map(|(_, entitlement)| entitlement.provider_key.as_str())
        .collect();
    let privileged: Vec<bool> = found
        .iter()
        .map(|(_, entitlement)| entitlement.privileged)
        .collect();
    let facts: Vec<Json<&Value>> = found
        .iter()
        .map(|(_, entitlement)| Json(&entitlement.facts))
        .collect();
    tx.execute(
        INSERT_ENTITLEMENTS,
        &[
            &id,
            &ordinals,
            &bindings,
            &kinds,
            &keys,
            &privileged,
            &facts,
        ],
        "writing inspected entitlements",
    )
    .await?;
    Ok(())
}

/// The digest of what was read.
pub(super) fn inspection_digest(inspection: &NewInspection) -> Vec<u8> {
    let accounts = inspection.accounts.iter();
    let accounts: Vec<_> = accounts
        .map(|account| (account.binding, &account.reading))
        .collect();
    sever_audit::digest_of(&accounts).to_vec()
}

pub(super) fn describe_inspection(inspection: &NewInspection, digest: &[u8]) -> Value {
    let accounts: Vec<Value> = inspection
        .accounts
        .iter()
        .map(|account| {
            let families: BTreeMap<&str, Value> = account
                .reading
                .families
                .iter()
                .map(|family| (family.family.as_str(), json!([family.result, family.entitlements.len()])))
                .collect();
            json!({"binding": account.binding, "account_state": account.reading.account_state, "families": families})
        })
        .collect();
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({"purpose": inspection.purpose.as_str(), "accounts": accounts, "digest": hex})
}

/// Stores what an inspection says of each step.
pub(super) async fn insert_verifications(
    tx: &Tx<'_>,
    inspection_id: Uuid,
    inspection: &NewInspection,
    verifications: &[Verification],
    digest: &[u8],
) -> Result<(), StoreError> {
    if verifications.is_empty() {
        return Ok(());
    }
    let steps: Vec<Uuid> = verifications
        .iter()
        .map(|verification| verification.step.0)
        .collect();
    let grades: Vec<&str> = verifications
        .iter()
        .map(|verification| verification.grade.as_str())
        .collect();
    let rules: Vec<Option<&str>> = verifications
        .iter()
        .map(|verification| verification.rule.as_deref())
        .collect();
    let verdicts: Vec<&str> = verifications
        .iter()
        .map(|verification| verification.verdict.as_str())
        .collect();
    let at: Timestamp = inspection.ended_at;
    tx.execute(
        INSERT_VERIFICATIONS,
        &[
            &steps,
            &grades,
            &rules,
            &verdicts,
            &inspection_id,
            &at,
            &digest,
        ],
        "writing verifications",
    )
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sever_domain::entitlement::Entitlement;

    #[test]
    fn only_a_whole_family_has_a_number() {
        for result in FamilyResult::ALL {
            let group = Entitlement {
                kind: EntitlementKind::Group,
                provider_key: "g".to_owned(),
                privileged: false,
                facts: Value::Null,
            };
            let family = FamilyReading {
                family: EntitlementKind::Group,
                result: *result,
                detail: None,
                entitlements: vec![group],
            };
            // The table takes no number of any other family.
            let number = i32::from(*result == FamilyResult::Complete);
            assert_eq!(found(&family), number, "{result}");
        }
    }
}
