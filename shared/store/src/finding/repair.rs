//! Repairs: ordinary opt-outs, asked for by the reconciler, and what became of them.

use serde_json::json;
use sever_domain::finding::FindingEvent;
use sever_domain::{ConnectionId, FindingId, OptOutId, Situation, SubjectId};
use tokio_postgres::Row;

use super::decide::lock;
use crate::error::StoreError;
use crate::pool::{Client, Tx};
use crate::row::word;

/// Privileged access goes first.
const TO_REPAIR: &str = "
SELECT finding.id, finding.situation, finding.subject_id, finding.connection_id, connection.name, finding.returns,
       finding.state_reason IS NOT DISTINCT FROM 'asked' AS by_hand, integration.name AS integration,
       CASE WHEN finding.evidence ->> 'state' = 'absent' THEN coalesce(finding.evidence #>> '{read_by_id,state}', 'absent')
            ELSE finding.evidence ->> 'state' END AS account_state,
       coalesce((finding.evidence ->> 'repairs')::int4, 0) AS repairs
FROM finding JOIN connection ON connection.id = finding.connection_id LEFT JOIN integration ON integration.id = finding.subject_id
WHERE finding.state = 'open' AND finding.action = 'repair' AND finding.subject_id IS NOT NULL AND finding.opt_out_id IS NULL
  AND connection.state <> 'closed'
ORDER BY finding.privileged DESC, finding.opened_at LIMIT $1";

const REFUSE: &str = "UPDATE finding SET state = $2, state_reason = $3, action = 'hold' WHERE id = $1 AND state = 'open'";

const START: &str = "UPDATE finding SET state = 'repairing', state_reason = NULL, opt_out_id = $2 WHERE id = $1 AND state = 'open'";

/// A repair is over when its job here is. It is proven by the newest job, and only for an account that the job knew.
const OVER: &str = "
SELECT finding.id,
       coalesce((array_agg(job.state ORDER BY job.created_at DESC))[1] = 'done', false) AND opt_out.state IN ('open', 'closed') AS done,
       finding.provider_id IS NULL OR EXISTS (
           SELECT FROM binding WHERE binding.subject_id = finding.subject_id AND binding.connection_id = finding.connection_id
                                 AND binding.provider_id = finding.provider_id AND binding.state IN ('candidate', 'confirmed')) AS touched
FROM finding JOIN opt_out ON opt_out.id = finding.opt_out_id
LEFT JOIN job ON job.opt_out_id = opt_out.id AND job.connection_id = finding.connection_id
WHERE finding.state = 'repairing'
GROUP BY finding.id, opt_out.id
HAVING opt_out.state IN ('closed', 'cancelled', 'reversed') OR coalesce(bool_and(job.state IN ('done', 'cancelled', 'replaced')), false)
LIMIT 500";

/// What was called off can be asked for again: under another key, for another opt-out.
const END: &str = "
UPDATE finding SET state = $2, state_reason = $3, closed_at = CASE WHEN $2 = 'repaired' THEN now() END,
       action = CASE WHEN $2 = 'repaired' THEN action ELSE 'report' END,
       opt_out_id = CASE WHEN $2 = 'repaired' THEN opt_out_id END,
       evidence = CASE WHEN $2 = 'repaired' THEN evidence
                       ELSE evidence || jsonb_build_object('repairs', coalesce((evidence ->> 'repairs')::int4, 0) + 1) END
WHERE id = $1 AND state = 'repairing'";

/// A finding whose policy says repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToRepair {
    /// The finding.
    pub id: FindingId,
    /// What kind of difference it is.
    pub situation: Situation,
    /// Whose access is to go.
    pub subject: SubjectId,
    /// Where.
    pub connection: ConnectionId,
    /// The connection's name.
    pub connection_name: String,
    /// How often the same cause had been repaired before.
    pub returns: i32,
    /// Whether a person asked for it.
    pub by_hand: bool,
    /// The integration's name, where it is one's access.
    pub integration: Option<String>,
    /// What the account could do when it was seen, in the word of an account's state; as it was read by id where no list named it.
    pub account_state: Option<String>,
    /// Repairs of it that came to nothing.
    pub repairs: i32,
}

/// Findings whose repair nobody has asked for yet.
///
/// # Errors
/// As any statement.
pub async fn to_repair(client: &Client, limit: i64) -> Result<Vec<ToRepair>, StoreError> {
    let rows = client
        .query(TO_REPAIR, &[&limit], "finding what is to be repaired")
        .await?;
    let finding = |row: &Row| {
        Ok(ToRepair {
            id: FindingId(row.get("id")),
            situation: word(row, "situation")?,
            subject: SubjectId(row.get("subject_id")),
            connection: ConnectionId(row.get("connection_id")),
            connection_name: row.get("name"),
            returns: row.get("returns"),
            by_hand: row.get("by_hand"),
            integration: row.get("integration"),
            account_state: row.get("account_state"),
            repairs: row.get("repairs"),
        })
    };
    rows.iter().map(finding).collect()
}

/// Notes the opt-out that repairs a finding; `false` where the finding is not open any more.
///
/// # Errors
/// As any statement.
pub async fn start_repair(
    tx: &Tx<'_>,
    id: FindingId,
    opt_out: OptOutId,
    actor: &str,
) -> Result<bool, StoreError> {
    let Some(locked) = lock(tx, id).await? else {
        return Ok(false);
    };
    let Ok(to) = locked.state.after(FindingEvent::RepairAsked) else {
        return Ok(false);
    };
    tx.execute_one(START, &[&id.0, &opt_out.0], "noting a repair")
        .await?;
    locked
        .record(tx, to, json!({"opt_out": opt_out}), actor)
        .await?;
    Ok(true)
}

/// Leaves a finding whose repair is refused to a person; `reason` is a word. `false` where the finding is not open any more.
///
/// # Errors
/// As any statement.
pub async fn refuse_repair(
    tx: &Tx<'_>,
    id: FindingId,
    reason: &str,
    actor: &str,
) -> Result<bool, StoreError> {
    let Some(locked) = lock(tx, id).await? else {
        return Ok(false);
    };
    let Ok(to) = locked.state.after(FindingEvent::RepairRefused) else {
        return Ok(false);
    };
    tx.execute_one(REFUSE, &[&id.0, &to.as_str(), &reason], "refusing a repair")
        .await?;
    locked
        .record(tx, to, json!({"reason": reason}), actor)
        .await?;
    Ok(true)
}

/// Ends findings whose opt-out proved them gone, and opens those again whose opt-out was called off; the policy then only reports
/// them, for a person decided otherwise. Returns how many changed.
///
/// # Errors
/// As any statement.
pub async fn settle_repairs(tx: &Tx<'_>, actor: &str) -> Result<usize, StoreError> {
    let doing = "settling repairs";
    let over = tx.query(OVER, &[], doing).await?;
    for row in &over {
        let id = FindingId(row.get("id"));
        let (event, reason) = match (row.get("done"), row.get("touched")) {
            (true, true) => (FindingEvent::RepairProven, None),
            (true, false) => (FindingEvent::RepairEnded, Some("not_touched")),
            (false, _) => (FindingEvent::RepairEnded, Some("repair_called_off")),
        };
        let Some(locked) = lock(tx, id).await? else {
            continue;
        };
        let Ok(to) = locked.state.after(event) else {
            continue;
        };
        tx.execute_one(END, &[&id.0, &to.as_str(), &reason], doing)
            .await?;
        locked
            .record(tx, to, json!({"reason": reason}), actor)
            .await?;
    }
    Ok(over.len())
}
