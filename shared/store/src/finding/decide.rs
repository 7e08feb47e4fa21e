//! Deciding on findings: by a read by id, and by people.

use jiff::Timestamp;
use serde_json::json;
use sever_audit::{AuditEvent, AuditKind};
use sever_domain::finding::FindingEvent;
use sever_domain::{
    AccountState, ConnectionId, DriftAction, FindingId, FindingState, Provider, Situation,
    SubjectId,
};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::audit;
use crate::drift::is_stale;
use crate::error::StoreError;
use crate::pool::{Client, Tx};
use crate::row::word;

const SUSPECTS: &str = "
SELECT finding.id, finding.situation, finding.provider_id, finding.cause_key FROM finding
WHERE finding.connection_id = $1 AND finding.state = 'suspected' AND finding.provider_id IS NOT NULL
ORDER BY (finding.evidence ->> 'tried_at')::timestamptz NULLS FIRST, finding.privileged DESC, finding.opened_at LIMIT $2";

/// What could not be read goes behind what was not tried yet.
const NOTE_TRIED: &str = "
UPDATE finding SET evidence = evidence || jsonb_build_object('tried_at', now()) WHERE id = ANY($1) AND state = 'suspected'";

const LOCK: &str = "
SELECT id, situation, state, action, subject_id, connection_id, now() AS now FROM finding WHERE id = $1 FOR UPDATE";

const JUDGE: &str = "
UPDATE finding SET state = $2, state_reason = coalesce($3, state_reason), confirmed_at = CASE WHEN $2 IN ('open', 'held') THEN $4 ELSE confirmed_at END,
       last_seen_at = CASE WHEN $2 IN ('open', 'held') THEN greatest(last_seen_at, $4) ELSE last_seen_at END,
       closed_at = CASE WHEN $2 = 'closed' THEN now() END, evidence = evidence || $5
WHERE id = $1";

const ACCEPT: &str = "
UPDATE finding SET state = 'accepted', state_reason = NULL, accepted_until = $2, accepted_by = $3, accepted_why = $4 WHERE id = $1";

const ASK_REPAIR: &str = "
UPDATE finding SET state = 'open', state_reason = 'asked', action = 'repair', evidence = evidence || jsonb_build_object('repair_asked_by', $2::text)
WHERE id = $1 AND state IN ('open', 'held')";

/// A finding that a read by id is to confirm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspect {
    /// The finding.
    pub id: FindingId,
    /// What it would be.
    pub situation: Situation,
    /// The account or application to read.
    pub provider_id: String,
    /// Whether it is an application.
    pub application: bool,
    /// Whether it is a holder of which the list says not even that.
    pub holder: bool,
}

/// What a read by id showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The finding.
    pub id: FindingId,
    /// What the account can do.
    pub state: AccountState,
    /// When the provider answered.
    pub seen_at: Timestamp,
}

impl Look {
    /// Whether the read shows what the finding says.
    #[must_use]
    pub fn confirms(&self, situation: Situation) -> bool {
        match situation {
            Situation::Missing => {
                matches!(self.state, AccountState::Absent | AccountState::Deactivated)
            }
            // What is read is the holder, which the account list did not name, or who is gone at the directory.
            Situation::OrphanEntitlement | Situation::UnownedToken | Situation::GoneAtSource => {
                self.state != AccountState::Live
            }
            Situation::Residual
            | Situation::Resurrected
            | Situation::OrphanAccount
            | Situation::Ambiguous
            | Situation::IntegrationResidue
            | Situation::Unreachable => self.state == AccountState::Live,
        }
    }
}

/// What waits for a read by id at a connection: what was never tried first, of those the privileged ones.
///
/// # Errors
/// As any statement.
pub async fn suspects(
    client: &Client,
    connection: ConnectionId,
    limit: i64,
) -> Result<Vec<Suspect>, StoreError> {
    let rows = client
        .query(
            SUSPECTS,
            &[&connection.0, &limit],
            "finding what a read by id must confirm",
        )
        .await?;
    let suspect = |row: &Row| {
        Ok(Suspect {
            id: FindingId(row.get("id")),
            situation: word(row, "situation")?,
            provider_id: row.get("provider_id"),
            application: row.get::<_, &str>("cause_key").starts_with("application:"),
            holder: !row.get::<_, &str>("cause_key").starts_with("application:")
                && !row.get::<_, &str>("cause_key").starts_with("account:"),
        })
    };
    rows.iter().map(suspect).collect()
}

/// Notes that reads by id were tried; those that gave no answer go to the end of the queue.
///
/// # Errors
/// As any statement.
pub async fn note_tried(tx: &Tx<'_>, findings: &[FindingId]) -> Result<(), StoreError> {
    let ids: Vec<Uuid> = findings.iter().map(|id| id.0).collect();
    tx.execute(NOTE_TRIED, &[&ids], "noting reads by id")
        .await
        .map(drop)
}

/// Where something waits for a read by id, or the log is to be asked who gave an access.
///
/// # Errors
/// As any statement.
pub async fn connections_to_look_at(
    client: &Client,
) -> Result<Vec<(ConnectionId, Provider)>, StoreError> {
    let rows = client
        .query(
            super::provenance::CONNECTIONS,
            &[],
            "finding connections with suspected findings",
        )
        .await?;
    rows.iter()
        .map(|row| Ok((ConnectionId(row.get("id")), word(row, "provider")?)))
        .collect()
}

/// Opens what reads by id confirmed, and closes what they refuted. A finding that is not suspected any more stays as it is, and a
/// read that is older than Sever's last write there, or was made while Sever is at work there, says nothing, whatever it showed.
///
/// # Errors
/// As any statement.
pub async fn judge_looks(tx: &Tx<'_>, looks: &[Look], actor: &str) -> Result<(), StoreError> {
    let doing = "judging a finding by a read by id";
    for look in looks {
        let Some(locked) = lock(tx, look.id).await? else {
            continue;
        };
        if locked.state != FindingState::Suspected {
            continue;
        }
        if let Some(subject) = locked.subject
            && is_stale(tx, subject, locked.connection, look.seen_at).await?
        {
            continue;
        }
        let (event, reason) = if look.confirms(locked.situation) {
            (FindingEvent::Confirmed(locked.action), None)
        } else {
            (FindingEvent::NotSeen, Some("read_by_id"))
        };
        let Ok(to) = locked.state.after(event) else {
            continue;
        };
        let evidence = json!({"read_by_id": {"state": look.state, "at": look.seen_at}});
        tx.execute_one(
            JUDGE,
            &[&look.id.0, &to.as_str(), &reason, &look.seen_at, &evidence],
            doing,
        )
        .await?;
        locked
            .record(tx, to, json!({"read": look.state}), actor)
            .await?;
    }
    Ok(())
}

/// Accepts a finding until a date; `None` where there is none, `false` where it is over or being repaired.
///
/// # Errors
/// As any statement.
pub async fn accept(
    tx: &Tx<'_>,
    id: FindingId,
    until: Timestamp,
    why: &str,
    actor: &str,
) -> Result<Option<bool>, StoreError> {
    let Some(locked) = lock(tx, id).await? else {
        return Ok(None);
    };
    let Ok(to) = locked.state.after(FindingEvent::Accepted) else {
        return Ok(Some(false));
    };
    tx.execute_one(
        ACCEPT,
        &[&id.0, &until, &actor, &why],
        "accepting a finding",
    )
    .await?;
    locked
        .record(
            tx,
            to,
            json!({"until": until.to_string(), "why": why}),
            actor,
        )
        .await?;
    Ok(Some(true))
}

/// Lets a finding be repaired whatever the policy says; `None` where there is none, `false` where no opt-out can mend it or it
/// is not open. The reconciler asks for the opt-out.
///
/// # Errors
/// As any statement.
pub async fn ask_repair(
    tx: &Tx<'_>,
    id: FindingId,
    actor: &str,
) -> Result<Option<bool>, StoreError> {
    let Some(locked) = lock(tx, id).await? else {
        return Ok(None);
    };
    let possible = locked.situation.repairable() && locked.subject.is_some();
    if !possible
        || tx
            .execute(ASK_REPAIR, &[&id.0, &actor], "asking for a repair")
            .await?
            == 0
    {
        return Ok(Some(false));
    }
    locked
        .record(
            tx,
            FindingState::Open,
            json!({"action": DriftAction::Repair}),
            actor,
        )
        .await?;
    Ok(Some(true))
}

/// A finding under its lock.
pub(super) struct Locked {
    pub(super) id: FindingId,
    pub(super) situation: Situation,
    pub(super) state: FindingState,
    pub(super) action: DriftAction,
    pub(super) subject: Option<SubjectId>,
    connection: ConnectionId,
    now: Timestamp,
}

impl Locked {
    /// Writes the audit event of a change.
    pub(super) async fn record(
        &self,
        tx: &Tx<'_>,
        to: FindingState,
        more: serde_json::Value,
        actor: &str,
    ) -> Result<(), StoreError> {
        let data = json!({
            "finding": self.id, "situation": self.situation, "from": self.state, "to": to, "more": more,
        });
        let mut event = AuditEvent::new(AuditKind::FindingChanged, self.now, actor, data);
        event.subject = self.subject;
        audit::insert(tx, &[event]).await
    }
}

pub(super) async fn lock(tx: &Tx<'_>, id: FindingId) -> Result<Option<Locked>, StoreError> {
    let row = tx.query_opt(LOCK, &[&id.0], "locking a finding").await?;
    let locked = |row: Row| {
        Ok(Locked {
            id,
            situation: word(&row, "situation")?,
            state: word(&row, "state")?,
            action: word(&row, "action")?,
            subject: row.get::<_, Option<_>>("subject_id").map(SubjectId),
            connection: ConnectionId(row.get("connection_id")),
            now: row.get("now"),
        })
    };
    row.map(locked).transpose()
}
