//! Opt-outs as accept writes them: opened, attached to, held.

use jiff::Timestamp;
use serde_json::Value;
use sever_domain::hold::HoldScope;
use sever_domain::{
    ConnectionId, HoldId, HoldPolicy, HoldReason, Intent, JobId, JobKind, OptOutId, Provider,
    SubjectId, Urgency,
};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::error::StoreError;
use crate::pool::Tx;
use crate::row::word;

/// The constraint that a second open opt-out of a subject meets.
pub const ONE_OPEN: &str = "opt_out_one_open";

/// Conflicts with the intents' share locks and with the closing settle.
const LOCK_OPEN: &str = "
SELECT id, kind, intent, urgency, scope, effective_at, revision,
       EXISTS (SELECT FROM hold WHERE hold.scope = 'opt_out' AND hold.target_id = opt_out.id AND hold.state = 'open') AS held
FROM opt_out WHERE subject_id = $1 AND state = 'open'
FOR NO KEY UPDATE";

/// Where a newer one was reversed or called off, access was given back since: the older one says nothing then.
const LOCK_NEWEST_CLOSED: &str = "
SELECT id, kind, intent, urgency, scope, effective_at, revision, false AS held
FROM opt_out
WHERE state = 'closed' AND id = (SELECT id FROM opt_out WHERE subject_id = $1 AND kind = 'opt_out' AND state IN ('closed', 'cancelled', 'reversed')
                                 ORDER BY opened_at DESC, id DESC LIMIT 1)
FOR NO KEY UPDATE";

const INSERT: &str = "
INSERT INTO opt_out (id, subject_id, intent, urgency, scope, effective_at, state) VALUES ($1, $2, $3, $4, $5, $6, 'open')";

const INSERT_FORETOLD: &str = "
INSERT INTO opt_out (id, kind, subject_id, intent, urgency, scope, effective_at, state, closed_at)
VALUES ($1, 'plan', $2, $3, $4, $5, $6, 'foretold', now())";

const END_RESTORE: &str = "UPDATE opt_out SET state = 'cancelled', closed_at = now() WHERE id = $1 AND state = 'open' AND kind = 'restore'";

const END_RESTORE_JOBS: &str = "
WITH open AS (
    SELECT id, state = 'running' OR EXISTS (
               SELECT FROM step JOIN effect ON effect.step_id = step.id
               WHERE step.job_id = job.id AND (effect.outcome IS NULL OR effect.outcome = 'lost')
                 AND effect.intent_at > now() - interval '64 seconds') AS ran FROM job
    WHERE opt_out_id = $1 AND state IN ('waiting', 'running', 'held', 'parked', 'dead') ORDER BY id FOR UPDATE
), letters AS (
    UPDATE dead_letter SET state = 'discarded', closed_at = now(), closed_by = 'system:accept', discard_asked_by = NULL,
           closed_reason = 'a removal took the place of the restore'
    FROM open WHERE dead_letter.job_id = open.id AND dead_letter.state IN ('open', 'resolving')
)
UPDATE job SET resolving = false, state = 'replaced', state_reason = 'removal', due_at = NULL, lease_token = NULL, lease_until = NULL,
       lease_instance = NULL, settled_at = now()
FROM open WHERE job.id = open.id
RETURNING job.id, job.connection_id, open.ran";

const ATTACH: &str = "
UPDATE opt_out SET intent = $2, urgency = $3, scope = $4, effective_at = $5, revision = revision + 1
WHERE id = $1 AND state = 'open' AND revision = $6";

const CONNECTIONS: &str =
    "SELECT id, name, provider, state FROM connection WHERE state <> 'closed' ORDER BY name";

const OPEN_HOLD: &str = "
INSERT INTO hold (id, scope, target_id, reason, policy, detail, requested_by) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (scope, target_id, reason) WHERE state = 'open' DO NOTHING RETURNING id";

/// An opt-out whose row is locked by this transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedOptOut {
    /// Its id.
    pub id: OptOutId,
    /// Whether it removes or gives back.
    pub kind: JobKind,
    /// How far it goes.
    pub intent: Intent,
    /// Which queue its jobs take.
    pub urgency: Urgency,
    /// The connections that it is limited to; `None` for all.
    pub scope: Option<Vec<ConnectionId>>,
    /// When it takes effect.
    pub effective_at: Timestamp,
    /// Its revision.
    pub revision: i32,
    /// Whether a hold stops it as a whole.
    pub held: bool,
}

/// The subject's open opt-out, locked until the transaction ends. The caller holds the subject's row.
///
/// # Errors
/// As any statement; [`StoreError::Corrupt`] for a word that this version does not know.
pub async fn lock_open(
    tx: &Tx<'_>,
    subject: SubjectId,
) -> Result<Option<LockedOptOut>, StoreError> {
    let doing = "locking an open opt-out";
    let row = tx.query_opt(LOCK_OPEN, &[&subject.0], doing).await?;
    row.as_ref().map(locked).transpose()
}

/// The subject's newest opt-out that is over, if it was closed and neither reversed nor cancelled; locked likewise.
///
/// # Errors
/// As [`lock_open`].
pub async fn lock_newest_closed(
    tx: &Tx<'_>,
    subject: SubjectId,
) -> Result<Option<LockedOptOut>, StoreError> {
    let doing = "locking a closed opt-out";
    let row = tx
        .query_opt(LOCK_NEWEST_CLOSED, &[&subject.0], doing)
        .await?;
    row.as_ref().map(locked).transpose()
}

fn locked(row: &Row) -> Result<LockedOptOut, StoreError> {
    let scope: Option<Vec<Uuid>> = row.get("scope");
    Ok(LockedOptOut {
        id: OptOutId(row.get("id")),
        kind: word(row, "kind")?,
        intent: word(row, "intent")?,
        urgency: word(row, "urgency")?,
        scope: scope.map(|ids| ids.into_iter().map(ConnectionId).collect()),
        effective_at: row.get("effective_at"),
        revision: row.get("revision"),
        held: row.get("held"),
    })
}

/// What an opt-out demands as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptOutTerms {
    /// How far it goes.
    pub intent: Intent,
    /// Which queue its jobs take.
    pub urgency: Urgency,
    /// The connections that it is limited to; `None` for all.
    pub scope: Option<Vec<ConnectionId>>,
    /// When it takes effect.
    pub effective_at: Timestamp,
}

impl OptOutTerms {
    fn scope_ids(&self) -> Option<Vec<Uuid>> {
        let scope = self.scope.as_ref();
        scope.map(|ids| ids.iter().map(|id| id.0).collect())
    }
}

/// Opens an opt-out.
///
/// # Errors
/// A second open one is a statement error with the constraint [`ONE_OPEN`]; else as any statement.
pub async fn insert(
    tx: &Tx<'_>,
    id: OptOutId,
    subject: SubjectId,
    terms: &OptOutTerms,
) -> Result<(), StoreError> {
    tx.execute(
        INSERT,
        &[
            &id.0,
            &subject.0,
            &terms.intent.as_str(),
            &terms.urgency.as_str(),
            &terms.scope_ids(),
            &terms.effective_at,
        ],
        "opening an opt-out",
    )
    .await
    .map(drop)
}

/// Notes a removal that is only to be foretold; it is never in force.
///
/// # Errors
/// As any statement.
pub async fn insert_foretold(
    tx: &Tx<'_>,
    id: OptOutId,
    subject: SubjectId,
    terms: &OptOutTerms,
) -> Result<(), StoreError> {
    tx.execute(
        INSERT_FORETOLD,
        &[
            &id.0,
            &subject.0,
            &terms.intent.as_str(),
            &terms.urgency.as_str(),
            &terms.scope_ids(),
            &terms.effective_at,
        ],
        "noting a removal to be foretold",
    )
    .await
    .map(drop)
}

/// Calls off a restore, because a removal takes its place. Its jobs are replaced, also those that run: their leases
/// end, and a call that is under way may still arrive. Returns its jobs' ids, and the connections where one ran.
///
/// # Errors
/// As any statement.
pub async fn supersede_restore(
    tx: &Tx<'_>,
    restore: OptOutId,
) -> Result<(Vec<JobId>, Vec<ConnectionId>), StoreError> {
    let doing = "calling off a restore";
    tx.execute(END_RESTORE, &[&restore.0], doing).await?;
    let rows = tx.query(END_RESTORE_JOBS, &[&restore.0], doing).await?;
    let jobs = rows.iter().map(|row| JobId(row.get("id"))).collect();
    let running = rows.iter().filter(|row| row.get("ran"));
    Ok((
        jobs,
        running
            .map(|row| ConnectionId(row.get("connection_id")))
            .collect(),
    ))
}

/// Gives an open opt-out new terms and the next revision.
///
/// # Errors
/// [`StoreError::Conflict`] if it is no longer open at this revision; else as any statement.
pub async fn attach(
    tx: &Tx<'_>,
    standing: &LockedOptOut,
    terms: &OptOutTerms,
) -> Result<(), StoreError> {
    tx.execute_one(
        ATTACH,
        &[
            &standing.id.0,
            &terms.intent.as_str(),
            &terms.urgency.as_str(),
            &terms.scope_ids(),
            &terms.effective_at,
            &standing.revision,
        ],
        "attaching to an opt-out",
    )
    .await
}

/// A connection at which work can be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsableConnection {
    /// Its id.
    pub id: ConnectionId,
    /// Its name.
    pub name: String,
    /// Its provider.
    pub provider: Provider,
    /// Whether its credential is wrong, so that jobs wait.
    pub parked: bool,
}

/// The connections that are not closed, by name.
///
/// # Errors
/// As [`lock_open`].
pub async fn usable_connections(tx: &Tx<'_>) -> Result<Vec<UsableConnection>, StoreError> {
    let rows = tx
        .query(CONNECTIONS, &[], "reading the connections")
        .await?;
    let connection = |row: &Row| {
        Ok(UsableConnection {
            id: ConnectionId(row.get("id")),
            name: row.get("name"),
            provider: word(row, "provider")?,
            parked: row.get::<_, &str>("state") == "parked",
        })
    };
    rows.iter().map(connection).collect()
}

/// A hold that accept opens. It allows what its reason allows at most, unless a policy says less.
#[derive(Debug, Clone, PartialEq)]
pub struct NewHold<'a> {
    /// What kind of thing it stops.
    pub scope: HoldScope,
    /// The request, opt-out or job that it stops.
    pub target: Uuid,
    /// Why.
    pub reason: HoldReason,
    /// What may go on while it stands.
    pub policy: HoldPolicy,
    /// The particulars, without personal data.
    pub detail: Value,
    /// Who asked for what it stops.
    pub requested_by: &'a str,
}

/// Opens a hold; `None` if one for the same reason stands already.
///
/// # Errors
/// As any statement.
pub async fn open_hold(tx: &Tx<'_>, hold: &NewHold<'_>) -> Result<Option<HoldId>, StoreError> {
    let row = tx
        .query_opt(
            OPEN_HOLD,
            &[
                &HoldId::generate().0,
                &hold.scope.as_str(),
                &hold.target,
                &hold.reason.as_str(),
                &hold.policy.as_str(),
                &hold.detail,
                &hold.requested_by,
            ],
            "opening a hold",
        )
        .await?;
    Ok(row.map(|row| HoldId(row.get("id"))))
}
