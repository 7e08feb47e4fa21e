//! Guards, charged inside the intent transaction under one lock for each guard and source.

use futures::try_join;
use jiff::Timestamp;
use serde_json::{Value, json};
use sever_audit::AuditKind;
use sever_domain::intent::Allowance;
use sever_domain::{HoldPolicy, HoldReason};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::epoch::Events;
use super::settle::open_hold;
use super::settlement::HoldRequest;
use super::types::{ClaimedJob, GuardPolicy};
use crate::error::StoreError;
use crate::pool::Tx;

/// The mass guard's name in its tables.
const MASS: &str = "mass";

const MAKE_LOCK: &str =
    "INSERT INTO guard_lock (guard, source) VALUES ($1, $2) ON CONFLICT DO NOTHING";
const TAKE_LOCK: &str = "SELECT 1 FROM guard_lock WHERE guard = $1 AND source = $2 FOR UPDATE";

/// Under the lock: with how many this opt-out was charged meanwhile, what the window has cost, and of how many.
const READ: &str = "
SELECT coalesce((SELECT weight FROM guard_charge WHERE guard = $1 AND subject_id = $3 AND opt_out_id = $4), 0) AS charged,
       (SELECT coalesce(sum(count), 0)::int8 FROM guard_counter WHERE guard = $1 AND source = $2 AND bucket > now() - make_interval(secs => $5)) AS spent,
       (SELECT active_people FROM directory_census) AS active_people, now() AS now";

/// Another job of the opt-out may affect more people than those before it: then the difference counts.
const CHARGE: &str = "
WITH before AS (
    SELECT coalesce((SELECT weight FROM guard_charge WHERE guard = $1 AND subject_id = $3 AND opt_out_id = $4), 0) AS charged
), charge AS (
    INSERT INTO guard_charge (guard, subject_id, opt_out_id, weight) VALUES ($1, $3, $4, $5)
    ON CONFLICT (guard, subject_id, opt_out_id) DO UPDATE SET weight = excluded.weight
)
INSERT INTO guard_counter (guard, source, bucket, count) SELECT $1, $2, date_trunc('minute', now()), $5 - charged FROM before
ON CONFLICT (guard, source, bucket) DO UPDATE SET count = guard_counter.count + excluded.count";

/// Takes the guard's lock and reads what stands under it, in one round trip: the second statement begins, and
/// sees what is committed, when the first one has the lock. Everybody of a source waits here for each other, so
/// it is the last lock of the transaction.
async fn lock_and_read(
    tx: &Tx<'_>,
    claimed: &ClaimedJob,
    window_s: f64,
) -> Result<Row, StoreError> {
    let doing = "locking the mass guard";
    let by_source: &[&(dyn ToSql + Sync)] = &[&MASS, &claimed.asked_by];
    let by_opt_out: &[&(dyn ToSql + Sync)] = &[
        &MASS,
        &claimed.asked_by,
        &claimed.subject.0,
        &claimed.opt_out.0,
        &window_s,
    ];
    tx.prepare(&[TAKE_LOCK, READ], doing).await?;
    let both = async || {
        try_join!(
            tx.query_opt(TAKE_LOCK, by_source, doing),
            tx.query_opt(READ, by_opt_out, doing)
        )
    };
    let (mut lock, mut row) = both().await?;
    if lock.is_none() {
        tx.execute(MAKE_LOCK, by_source, doing).await?;
        (lock, row) = both().await?;
    }
    lock.and(row).ok_or(StoreError::Conflict { doing })
}

/// Check and charge in one statement, under the lock: charged with as many already, or charged now because it fits.
const CHARGE_IF_ADMITTED: &str = "
WITH standing AS (
    SELECT coalesce((SELECT weight FROM guard_charge WHERE guard = $1 AND subject_id = $3 AND opt_out_id = $4), 0) AS charged,
           (SELECT coalesce(sum(count), 0)::int8 FROM guard_counter WHERE guard = $1 AND source = $2 AND bucket > now() - make_interval(secs => $6)) AS spent
), admitted AS (
    SELECT $5 - charged AS added FROM standing WHERE charged < $5 AND spent + $5 - charged <= $7
), charge AS (
    INSERT INTO guard_charge (guard, subject_id, opt_out_id, weight) SELECT $1, $3, $4, $5 FROM admitted
    ON CONFLICT (guard, subject_id, opt_out_id) DO UPDATE SET weight = excluded.weight
), counter AS (
    INSERT INTO guard_counter (guard, source, bucket, count) SELECT $1, $2, date_trunc('minute', now()), added FROM admitted
    ON CONFLICT (guard, source, bucket) DO UPDATE SET count = guard_counter.count + excluded.count
)
SELECT charged >= $5 OR EXISTS (SELECT FROM admitted) AS admitted FROM standing";

/// Charges the mass guard where that is admitted, as the last thing before the commit: the lock that everybody of
/// a source waits for is held for one round trip and the commit. `false` where it is not admitted, or the lock's row
/// is not there yet; nothing is charged then, and the caller gives the transaction up.
pub(super) async fn charge_last(
    tx: &Tx<'_>,
    claimed: &ClaimedJob,
    weight: i64,
    policy: &GuardPolicy,
    active_people: i64,
) -> Result<bool, StoreError> {
    let doing = "charging the mass guard";
    let limit = policy.mass.limit(active_people);
    let window_s = policy.mass.window.as_secs_f64();
    let by_source: &[&(dyn ToSql + Sync)] = &[&MASS, &claimed.asked_by];
    let values: &[&(dyn ToSql + Sync)] = &[
        &MASS,
        &claimed.asked_by,
        &claimed.subject.0,
        &claimed.opt_out.0,
        &weight,
        &window_s,
        &limit,
    ];
    tx.prepare(&[TAKE_LOCK, CHARGE_IF_ADMITTED], doing).await?;
    let (lock, row) = try_join!(
        tx.query_opt(TAKE_LOCK, by_source, doing),
        tx.query_opt(CHARGE_IF_ADMITTED, values, doing)
    )?;
    Ok(lock.is_some() && row.is_some_and(|row| row.get("admitted")))
}

/// The audit event of a charge, whatever the window has cost besides.
pub(super) fn describe_charge(weight: i64, policy: &GuardPolicy, active_people: i64) -> Value {
    json!({"guard": MASS, "weight": weight, "limit": policy.mass.limit(active_people)})
}

/// With whom the mass guard is to be charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Charge {
    /// People.
    pub(super) weight: i64,
    /// Whether there are more whom nobody could count: that admits no limit, only a person does.
    pub(super) uncounted: bool,
}

/// What the guards say of a wave.
pub(super) struct Checked {
    /// What may run.
    pub(super) allowance: Allowance,
    /// Whether the mass guard is charged with them, once [`charge`] has run where it must.
    pub(super) charged: bool,
    /// Whether the caller must run [`charge`] in this transaction.
    pub(super) charge: bool,
    /// The guard that opened a hold in this transaction.
    pub(super) tripped: Option<HoldReason>,
}

/// Checks every guard; `charge` is with whom the mass guard is charged, if it is not charged with as many
/// yet. A guard that trips opens its hold here.
pub(super) async fn check(
    tx: &Tx<'_>,
    claimed: &ClaimedJob,
    allowance: Allowance,
    protected: bool,
    charge: Option<Charge>,
    policy: &GuardPolicy,
    events: &mut Events<'_>,
) -> Result<Checked, StoreError> {
    // Not even under another guard's hold, which lets sessions be cut, is a protected account touched.
    if protected && allowance != Allowance::Under(HoldPolicy::Nothing) {
        let hold = HoldRequest {
            reason: HoldReason::Protected,
            policy: HoldPolicy::Nothing,
            on_opt_out: false,
            detail: json!({}),
        };
        open_hold(tx, claimed, &hold, events).await?;
        return Ok(Checked {
            allowance: Allowance::Under(HoldPolicy::Nothing),
            charged: false,
            charge: false,
            tripped: Some(HoldReason::Protected),
        });
    }
    match charge {
        Some(charge) if allowance == Allowance::Everything => {
            charge_mass(tx, claimed, charge, policy, events).await
        }
        Some(_) | None => Ok(Checked {
            allowance,
            charged: false,
            charge: false,
            tripped: None,
        }),
    }
}

/// Charges the mass guard with so many people; its lock is held.
pub(super) async fn charge(
    tx: &Tx<'_>,
    claimed: &ClaimedJob,
    weight: i64,
) -> Result<(), StoreError> {
    let values: &[&(dyn ToSql + Sync)] = &[
        &MASS,
        &claimed.asked_by,
        &claimed.subject.0,
        &claimed.opt_out.0,
        &weight,
    ];
    tx.execute(CHARGE, values, "charging the mass guard")
        .await
        .map(drop)
}

async fn charge_mass(
    tx: &Tx<'_>,
    claimed: &ClaimedJob,
    Charge { weight, uncounted }: Charge,
    policy: &GuardPolicy,
    events: &mut Events<'_>,
) -> Result<Checked, StoreError> {
    let row = lock_and_read(tx, claimed, policy.mass.window.as_secs_f64()).await?;
    let before: i64 = row.get("charged");
    if before >= weight && !uncounted {
        return Ok(Checked {
            allowance: Allowance::Everything,
            charged: true,
            charge: false,
            tripped: None,
        });
    }
    let (spent, active_people, now): (i64, i64, Timestamp) =
        (row.get("spent"), row.get("active_people"), row.get("now"));
    let added = weight - before;
    if !uncounted && policy.mass.admits(spent, added, active_people) {
        events.add(AuditKind::GuardCharged, json!({"guard": MASS, "weight": weight, "spent": spent + added, "limit": policy.mass.limit(active_people)}));
        return Ok(Checked {
            allowance: Allowance::Everything,
            charged: true,
            charge: true,
            tripped: None,
        });
    }
    let wanted = if policy.cut_sessions_when_held {
        HoldPolicy::CutSessions
    } else {
        HoldPolicy::Nothing
    };
    let allowed = wanted.min(HoldReason::MassGuard.at_most());
    let detail = json!({"complete": !uncounted, "spent": spent, "weight": weight, "limit": policy.mass.limit(active_people), "active_people": active_people, "window_s": policy.mass.window.as_secs(), "at": now.to_string()});
    open_hold(
        tx,
        claimed,
        &HoldRequest {
            reason: HoldReason::MassGuard,
            policy: allowed,
            on_opt_out: true,
            detail,
        },
        events,
    )
    .await?;
    Ok(Checked {
        allowance: Allowance::Under(allowed),
        charged: false,
        charge: false,
        tripped: Some(HoldReason::MassGuard),
    })
}
