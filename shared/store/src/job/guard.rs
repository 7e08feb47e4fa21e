//! Guards, charged inside the intent transaction under one lock for each guard and source.

use jiff::Timestamp;
use serde_json::json;
use sever_audit::AuditKind;
use sever_domain::intent::Allowance;
use sever_domain::{HoldPolicy, HoldReason};

use super::epoch::Events;
use super::settle::{HoldRequest, open_hold};
use super::types::{ClaimedJob, GuardPolicy};
use crate::error::StoreError;
use crate::pool::Tx;

/// The mass guard's name in its tables.
const MASS: &str = "mass";

const MAKE_LOCK: &str =
    "INSERT INTO guard_lock (guard, source) VALUES ($1, $2) ON CONFLICT DO NOTHING";
const TAKE_LOCK: &str = "SELECT 1 FROM guard_lock WHERE guard = $1 AND source = $2 FOR UPDATE";

/// Under the lock: whether this opt-out was charged meanwhile, what the window has cost, and of how many.
const READ: &str = "
SELECT EXISTS (SELECT FROM guard_charge WHERE guard = $1 AND subject_id = $3 AND opt_out_id = $4) AS charged,
       (SELECT coalesce(sum(count), 0)::int8 FROM guard_counter WHERE guard = $1 AND source = $2 AND bucket > now() - make_interval(secs => $5)) AS spent,
       (SELECT active_people FROM directory_census) AS active_people, now() AS now";

const CHARGE: &str = "
WITH charged AS (
    INSERT INTO guard_charge (guard, subject_id, opt_out_id, weight) VALUES ($1, $3, $4, $5)
)
INSERT INTO guard_counter (guard, source, bucket, count) VALUES ($1, $2, date_trunc('minute', now()), $5)
ON CONFLICT (guard, source, bucket) DO UPDATE SET count = guard_counter.count + excluded.count";

/// Takes the guard's lock, before any other lock of the transaction.
pub(super) async fn lock(tx: &Tx<'_>, source: &str) -> Result<(), StoreError> {
    let doing = "locking a guard";
    if tx
        .query_opt(TAKE_LOCK, &[&MASS, &source], doing)
        .await?
        .is_some()
    {
        return Ok(());
    }
    tx.execute(MAKE_LOCK, &[&MASS, &source], doing).await?;
    tx.query(TAKE_LOCK, &[&MASS, &source], doing)
        .await
        .map(drop)
}

/// What the guards say of a wave.
pub(super) struct Checked {
    /// What may run.
    pub(super) allowance: Allowance,
    /// Whether the mass guard is charged now.
    pub(super) charged: bool,
    /// The guard that opened a hold in this transaction.
    pub(super) tripped: Option<HoldReason>,
}

/// Checks every guard; `charge` is how many people the mass guard is charged with, if it is not charged yet. A
/// guard that trips opens its hold here.
pub(super) async fn check(
    tx: &Tx<'_>,
    claimed: &ClaimedJob,
    allowance: Allowance,
    protected: bool,
    charge: Option<i64>,
    policy: &GuardPolicy,
    events: &mut Events<'_>,
) -> Result<Checked, StoreError> {
    if allowance != Allowance::Everything {
        return Ok(Checked {
            allowance,
            charged: false,
            tripped: None,
        });
    }
    if protected && !claimed.released.contains(&HoldReason::Protected) {
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
            tripped: Some(HoldReason::Protected),
        });
    }
    let Some(weight) = charge else {
        return Ok(Checked {
            allowance,
            charged: false,
            tripped: None,
        });
    };
    charge_mass(tx, claimed, weight, policy, events).await
}

async fn charge_mass(
    tx: &Tx<'_>,
    claimed: &ClaimedJob,
    weight: i64,
    policy: &GuardPolicy,
    events: &mut Events<'_>,
) -> Result<Checked, StoreError> {
    let doing = "charging the mass guard";
    let window = policy.mass.window.as_secs_f64();
    let row = tx
        .query_opt(
            READ,
            &[
                &MASS,
                &claimed.asked_by,
                &claimed.subject.0,
                &claimed.opt_out.0,
                &window,
            ],
            doing,
        )
        .await?
        .ok_or(StoreError::Conflict { doing })?;
    if row.get("charged") {
        return Ok(Checked {
            allowance: Allowance::Everything,
            charged: true,
            tripped: None,
        });
    }
    let (spent, active_people, now): (i64, i64, Timestamp) =
        (row.get("spent"), row.get("active_people"), row.get("now"));
    if policy.mass.admits(spent, weight, active_people) {
        tx.execute(
            CHARGE,
            &[
                &MASS,
                &claimed.asked_by,
                &claimed.subject.0,
                &claimed.opt_out.0,
                &weight,
            ],
            doing,
        )
        .await?;
        events.add(AuditKind::GuardCharged, json!({"guard": MASS, "weight": weight, "spent": spent + weight, "limit": policy.mass.limit(active_people)}));
        return Ok(Checked {
            allowance: Allowance::Everything,
            charged: true,
            tripped: None,
        });
    }
    let wanted = if policy.cut_sessions_when_held {
        HoldPolicy::CutSessions
    } else {
        HoldPolicy::Nothing
    };
    let allowed = wanted.min(HoldReason::MassGuard.at_most());
    let detail = json!({"spent": spent, "weight": weight, "limit": policy.mass.limit(active_people), "active_people": active_people, "window_s": policy.mass.window.as_secs(), "at": now.to_string()});
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
        tripped: Some(HoldReason::MassGuard),
    })
}
