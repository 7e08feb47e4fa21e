//! What releasing and rejecting a hold share. The approver is never the one who asked.
//!
//! Both take the rows in the order that intents do (subject, opt-out), then the hold. Nothing is believed from before the
//! release: the jobs wait again, and the intent of the worker that claims them checks every guard anew.

use jiff::Timestamp;
use serde_json::json;
use sever_audit::{AuditEvent, AuditKind};
use sever_domain::hold::{HoldScope, HoldState};
use sever_domain::{HoldId, HoldReason, JobId, OptOutId, SubjectId};
use thiserror::Error;
use uuid::Uuid;

use crate::error::StoreError;
use crate::pool::Tx;
use crate::row::word;

const TARGET: &str = "
SELECT coalesce(opt_out.id, job.opt_out_id) AS opt_out_id, coalesce(opt_out.subject_id, job.subject_id, request.subject_id) AS subject_id
FROM hold
LEFT JOIN opt_out ON hold.scope = 'opt_out' AND opt_out.id = hold.target_id
LEFT JOIN job ON hold.scope = 'job' AND job.id = hold.target_id
LEFT JOIN request ON hold.scope = 'request' AND request.id = hold.target_id
WHERE hold.id = $1";
const LOCK_SUBJECT: &str = "SELECT 1 FROM subject WHERE id = $1 FOR NO KEY UPDATE";
const LOCK_OPT_OUT: &str = "SELECT 1 FROM opt_out WHERE id = $1 FOR NO KEY UPDATE";
const LOCK_HOLD: &str = "
SELECT scope, target_id, reason, state, requested_by, now() AS now FROM hold WHERE id = $1 FOR UPDATE";

/// Whoever asked for any of it, or for the repair that it is, may not decide on any of it.
const ASKERS: &str = "
SELECT asked_by FROM request WHERE opt_out_id = $1 OR id = $2
UNION SELECT evidence ->> 'repair_asked_by' FROM finding WHERE opt_out_id = $1 AND evidence ? 'repair_asked_by'";

const DECIDE: &str = "
UPDATE hold SET state = $2, decided_by = $3, decided_at = now(), decision = $4 WHERE id = $1 AND state = 'open'";

/// Who decides.
#[derive(Debug, Clone, Copy)]
pub struct Approver<'a> {
    /// `token:NAME`, as recorded.
    pub actor: &'a str,
    /// The name of the source for which the token speaks.
    pub source: Option<&'a str>,
}

/// Why a hold cannot be decided so.
#[derive(Debug, Error)]
pub enum HoldError {
    /// There is no hold of this id.
    #[error("there is no hold {0}")]
    NotFound(HoldId),
    /// Somebody has decided it already.
    #[error("the hold {hold} is {state} already")]
    NotOpen {
        /// The hold.
        hold: HoldId,
        /// What it is.
        state: HoldState,
    },
    /// The approver asked for what the hold stops.
    #[error(
        "'{asked_by}' asked for what the hold {hold} stops; another person must decide it, with another token"
    )]
    Requester {
        /// The hold.
        hold: HoldId,
        /// Who asked.
        asked_by: String,
    },
    /// It stops a request that has not found its subject: only naming the person releases it.
    #[error(
        "the hold {0} stops a request whose person is not known: name the person, or reject it"
    )]
    NeedsPerson(HoldId),
    /// A worker has the lease of one of the jobs.
    #[error("job {0} is with a worker; nothing was changed, reject again in a moment")]
    JobRunning(JobId),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a decision changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// The hold.
    pub hold: HoldId,
    /// Its state now.
    pub state: HoldState,
    /// The jobs that wait again, or were called off.
    pub jobs: Vec<JobId>,
    /// The opt-out that came to its end by it.
    pub ended: Option<OptOutId>,
}

/// A hold under its locks, open, with an approver who may decide it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decidable {
    /// The hold.
    pub id: HoldId,
    /// What kind of thing it stops.
    pub scope: HoldScope,
    /// That thing.
    pub target: Uuid,
    /// Why.
    pub reason: HoldReason,
    /// The opt-out, unless it stops a request.
    pub opt_out: Option<OptOutId>,
    /// Whose access it is about, where that is known.
    pub subject: Option<SubjectId>,
    /// The transaction's time.
    pub now: Timestamp,
}

/// Locks what the hold stops, then the hold, and checks that this approver may decide it now.
///
/// # Errors
/// [`HoldError::NotFound`], [`HoldError::NotOpen`], [`HoldError::Requester`].
pub(crate) async fn lock(
    tx: &Tx<'_>,
    id: HoldId,
    approver: Approver<'_>,
) -> Result<Decidable, HoldError> {
    let doing = "locking a hold";
    let target = tx.query_opt(TARGET, &[&id.0], doing).await?;
    let target = target.ok_or(HoldError::NotFound(id))?;
    let (subject, opt_out): (Option<Uuid>, Option<Uuid>) =
        (target.get("subject_id"), target.get("opt_out_id"));
    tx.query(LOCK_SUBJECT, &[&subject], doing).await?;
    tx.query(LOCK_OPT_OUT, &[&opt_out], doing).await?;
    let row = tx.query_opt(LOCK_HOLD, &[&id.0], doing).await?;
    let row = row.ok_or(HoldError::NotFound(id))?;
    let state: HoldState = word(&row, "state")?;
    if state != HoldState::Open {
        return Err(HoldError::NotOpen { hold: id, state });
    }
    let hold = Decidable {
        id,
        scope: word(&row, "scope")?,
        target: row.get("target_id"),
        reason: word(&row, "reason")?,
        opt_out: opt_out.map(OptOutId),
        subject: subject.map(SubjectId),
        now: row.get("now"),
    };
    let mut askers: Vec<String> = vec![row.get("requested_by")];
    let rows = tx.query(ASKERS, &[&opt_out, &hold.target], doing).await?;
    askers.extend(rows.iter().map(|row| row.get("asked_by")));
    match askers.into_iter().find(|asked_by| approver.asked(asked_by)) {
        Some(asked_by) => Err(HoldError::Requester { hold: id, asked_by }),
        None => Ok(hold),
    }
}

impl Approver<'_> {
    fn asked(&self, asked_by: &str) -> bool {
        let for_source = |source: &str| asked_by.strip_prefix("source:") == Some(source);
        asked_by == self.actor || self.source.is_some_and(for_source)
    }
}

/// Writes the decision on the hold's row.
///
/// # Errors
/// As any statement; [`StoreError::Conflict`] where it is no longer open.
pub(crate) async fn decide(
    tx: &Tx<'_>,
    hold: &Decidable,
    state: HoldState,
    approver: Approver<'_>,
    decision: &str,
) -> Result<(), StoreError> {
    tx.execute_one(
        DECIDE,
        &[&hold.id.0, &state.as_str(), &approver.actor, &decision],
        "deciding a hold",
    )
    .await
}

/// The event that reports a decision; the reason is the approver's own words.
pub(crate) fn decision_event(
    kind: AuditKind,
    hold: &Decidable,
    approver: Approver<'_>,
    decision: &str,
) -> AuditEvent {
    let data = json!({
        "hold": hold.id, "scope": hold.scope, "target": hold.target, "reason": hold.reason, "decision": decision,
    });
    about(kind, hold, approver, data)
}

/// An event about what the hold stops.
pub(crate) fn about(
    kind: AuditKind,
    hold: &Decidable,
    approver: Approver<'_>,
    data: serde_json::Value,
) -> AuditEvent {
    let mut event = AuditEvent::new(kind, hold.now, approver.actor, data);
    event.subject = hold.subject;
    event.opt_out = hold.opt_out;
    if hold.scope == HoldScope::Job {
        event.job = Some(JobId(hold.target));
    }
    event
}

/// The job or the opt-out that the hold stops, for statements that take either.
pub(crate) fn targets(hold: &Decidable) -> (Option<Uuid>, Option<Uuid>) {
    match hold.scope {
        HoldScope::Job => (Some(hold.target), None),
        HoldScope::OptOut => (None, Some(hold.target)),
        HoldScope::Request => (None, None),
    }
}
