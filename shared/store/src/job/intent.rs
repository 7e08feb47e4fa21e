//! The intent transaction's locks, facts and rows.

use std::time::Duration;

use jiff::Timestamp;
use sever_domain::HoldPolicy;
use sever_domain::intent::IntentFacts;
use uuid::Uuid;

use super::epoch::IntendedStep;
use super::types::ClaimedJob;
use crate::error::StoreError;
use crate::pool::Tx;

/// Subject, opt-out and job are locked in this order. The connection is read without a lock: every intent there would
/// share it, and a call may follow its parking by a moment with the lock too.
const LOCK: &str = "
SELECT now() AS now, subject.version = $4 AS same_subject_version, opt_out.revision = $5 AS same_revision,
       opt_out.state = 'open' AS in_force, connection.state = 'open' AS connection_open, connection.blocked_until,
       (SELECT value FROM incarnation) = $6 AS same_incarnation, (SELECT active_people FROM directory_census) AS active_people,
       ARRAY(SELECT policy FROM hold WHERE target_id IN (job.id, opt_out.id) AND hold.state = 'open') AS holds,
       EXISTS (SELECT FROM protected_principal AS p
               WHERE (p.subject_id = job.subject_id OR (p.connection_id = job.connection_id AND p.provider_id IN
                        (SELECT provider_id FROM binding WHERE binding.subject_id = job.subject_id AND binding.connection_id = job.connection_id))
                      OR (p.connection_id = job.connection_id AND p.provider_id = ANY($7)))
                 AND (p.until IS NULL OR p.until > now())
                 AND p.created_at > coalesce((SELECT max(decided_at) FROM hold WHERE target_id IN (job.id, opt_out.id)
                                              AND reason = 'protected' AND hold.state = 'released'), '-infinity')) AS protected
FROM subject JOIN opt_out ON opt_out.subject_id = subject.id
JOIN job ON job.opt_out_id = opt_out.id
JOIN connection ON connection.id = job.connection_id
WHERE job.id = $1 AND job.lease_epoch = $2 AND job.lease_token = $3 AND job.state = 'running'
FOR SHARE OF subject, opt_out FOR NO KEY UPDATE OF job";

const INSERT_ATTEMPT: &str =
    "INSERT INTO attempt (job_id, no, epoch, instance_id) VALUES ($1, $2, $3, $4)";

pub(super) const INSERT_EFFECTS: &str = "
INSERT INTO effect (step_id, no, attempt, epoch)
SELECT step_id, no, $3, $4 FROM unnest($1::uuid[], $2::int4[]) AS intended (step_id, no)";

const TOUCH: &str = "
UPDATE job SET plan_revision = coalesce($2, plan_revision), opt_out_revision = CASE WHEN $2::int4 IS NULL THEN opt_out_revision ELSE $3 END,
       first_revocation_at = coalesce(first_revocation_at, $4), attempt = coalesce($5, attempt),
       lease_until = greatest(lease_until, now() + make_interval(secs => $6::float8))
WHERE id = $1 AND (plan_revision <> coalesce($2, plan_revision) OR (first_revocation_at IS NULL AND $4::timestamptz IS NOT NULL)
                   OR attempt <> coalesce($5, attempt) OR lease_until < now() + make_interval(secs => $6::float8 / 2))";

/// What the locks showed.
pub(super) struct Locked {
    pub(super) facts: IntentFacts,
    /// Whether the subject or one of its accounts is protected, and no person has let the work go on since it was.
    pub(super) protected: bool,
    /// People whose employment is active.
    pub(super) active_people: i64,
}

/// Takes the locks. `accounts` are the epoch's accounts, also those whose binding this transaction is
/// about to confirm.
///
/// # Errors
/// [`StoreError::Conflict`] when the lease is lost.
pub(super) async fn lock(
    tx: &Tx<'_>,
    claimed: &ClaimedJob,
    accounts: &[String],
) -> Result<Locked, StoreError> {
    let doing = "locking a job for its intent";
    let lease = &claimed.lease;
    let row = tx
        .query_opt(
            LOCK,
            &[
                &lease.job.0,
                &lease.epoch,
                &lease.token,
                &claimed.subject_version,
                &claimed.opt_out_revision,
                &lease.incarnation,
                &accounts,
            ],
            doing,
        )
        .await?
        .ok_or(StoreError::Conflict { doing })?;
    let words: Vec<String> = row.get("holds");
    let policy = |word: &String| {
        word.parse()
            .map_err(|error: sever_domain::UnknownWord| StoreError::Corrupt {
                column: "hold.policy",
                problem: error.to_string(),
            })
    };
    let facts = IntentFacts {
        same_incarnation: row.get("same_incarnation"),
        same_subject_version: row.get("same_subject_version"),
        same_revision: row.get("same_revision"),
        in_force: row.get("in_force"),
        connection_open: row.get("connection_open"),
        blocked_until: row.get("blocked_until"),
        holds: words
            .iter()
            .map(policy)
            .collect::<Result<Vec<HoldPolicy>, _>>()?,
        now: row.get("now"),
    };
    Ok(Locked {
        facts,
        protected: row.get("protected"),
        active_people: row.get("active_people"),
    })
}

/// Makes the row of this epoch's attempt, unless it stands: the epoch's first intent does.
pub(super) async fn make_attempt(
    tx: &Tx<'_>,
    claimed: &ClaimedJob,
    no: Option<i32>,
    standing: Option<i32>,
) -> Result<(), StoreError> {
    match (no, standing) {
        (Some(no), None) => insert_attempt(tx, claimed, no).await,
        (_, _) => Ok(()),
    }
}

pub(super) async fn insert_attempt(
    tx: &Tx<'_>,
    claimed: &ClaimedJob,
    no: i32,
) -> Result<(), StoreError> {
    let lease = &claimed.lease;
    tx.execute_one(
        INSERT_ATTEMPT,
        &[&lease.job.0, &no, &lease.epoch, &lease.instance.0],
        "writing an attempt",
    )
    .await
}

/// Writes the intents: from the commit on, the calls may be sent.
pub(super) async fn insert_effects(
    tx: &Tx<'_>,
    claimed: &ClaimedJob,
    attempt: Option<i32>,
    intended: &[IntendedStep],
) -> Result<(), StoreError> {
    if intended.is_empty() {
        return Ok(());
    }
    let steps: Vec<Uuid> = intended.iter().map(|step| step.step.0).collect();
    let numbers: Vec<i32> = intended.iter().map(|step| step.effect_no).collect();
    tx.execute(
        INSERT_EFFECTS,
        &[&steps, &numbers, &attempt, &claimed.lease.epoch],
        "writing intents",
    )
    .await?;
    Ok(())
}

/// Keeps the job row in step, and the lease ahead; writes nothing when nothing changed.
pub(super) async fn touch_job(
    tx: &Tx<'_>,
    claimed: &ClaimedJob,
    plan_revision: Option<i32>,
    first_revocation_at: Option<Timestamp>,
    attempt: Option<i32>,
    lease: Duration,
) -> Result<(), StoreError> {
    let values: &[&(dyn tokio_postgres::types::ToSql + Sync)] = &[
        &claimed.lease.job.0,
        &plan_revision,
        &claimed.opt_out_revision,
        &first_revocation_at,
        &attempt,
        &lease.as_secs_f64(),
    ];
    tx.execute(TOUCH, values, "extending a lease")
        .await
        .map(drop)
}
