//! Subjects, whatever kind they are of.

use jiff::Timestamp;
use sever_domain::employment::EmploymentState;
use sever_domain::{ConnectionId, SubjectId, SubjectKind};

use crate::error::StoreError;
use crate::pool::Tx;
use crate::row::{word, word_opt};

/// Locks the subject against other accepts, intents and version bumps; not against rows that refer to it.
const LOCK: &str = "
SELECT subject.kind, subject.version, person.employment_state, now() AS now
FROM subject LEFT JOIN person ON person.id = subject.id
WHERE subject.id = $1
FOR NO KEY UPDATE OF subject";

const KIND: &str = "SELECT kind FROM subject WHERE id = $1";

const BOUND: &str = "
SELECT DISTINCT connection_id FROM binding WHERE subject_id = $1 AND state IN ('candidate', 'confirmed') ORDER BY connection_id";

/// A subject whose row is locked by this transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockedSubject {
    /// The pseudonymous id.
    pub id: SubjectId,
    /// What kind of subject it is.
    pub kind: SubjectKind,
    /// The subject's version.
    pub version: i64,
    /// What the sources last said of a person; `None` for an integration.
    pub employment: Option<EmploymentState>,
    /// The transaction's time.
    pub now: Timestamp,
}

/// Locks the subject with this id, of whichever kind, until the transaction ends.
///
/// # Errors
/// As any statement; [`StoreError::Corrupt`] for a word that this version does not know.
pub async fn lock(tx: &Tx<'_>, id: SubjectId) -> Result<Option<LockedSubject>, StoreError> {
    let row = tx
        .query_opt(LOCK, &[&id.0], "locking a subject by id")
        .await?;
    row.map(|row| {
        Ok(LockedSubject {
            id,
            kind: word(&row, "kind")?,
            version: row.get("version"),
            employment: word_opt(&row, "employment_state")?,
            now: row.get("now"),
        })
    })
    .transpose()
}

/// The connections to which a subject is limited by what it is: an integration to those where it has an id; `None`
/// for a person, who may have an account anywhere.
///
/// # Errors
/// As any statement; [`StoreError::Corrupt`] for a word that this version does not know.
pub async fn bound_connections(
    tx: &Tx<'_>,
    subject: SubjectId,
) -> Result<Option<Vec<ConnectionId>>, StoreError> {
    let doing = "reading where a subject is bound";
    let kind: Option<SubjectKind> = match tx.query_opt(KIND, &[&subject.0], doing).await? {
        Some(row) => Some(word(&row, "kind")?),
        None => None,
    };
    if kind != Some(SubjectKind::Integration) {
        return Ok(None);
    }
    let rows = tx.query(BOUND, &[&subject.0], doing).await?;
    let ids = rows
        .iter()
        .map(|row| ConnectionId(row.get("connection_id")));
    Ok(Some(ids.collect()))
}
