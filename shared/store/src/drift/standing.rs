//! How subjects stand at a connection. The comparison reads all of them; whoever acts on one asks again.

use jiff::Timestamp;
use sever_domain::standing::Standing;
use sever_domain::{ConnectionId, Intent, SubjectId};

use crate::error::StoreError;
use crate::pool::Tx;
use crate::row::{word, word_opt};

/// Who asks for repairs. What it asked for rests on the leave that it found, and falls with it.
pub const RECONCILER: &str = "system:reconciler";

const STANDING: &str = include_str!("standing.sql");
const LAST_WRITE: &str = include_str!("last_write.sql");

const ONE: &str = "-- One subject.
SELECT coalesce(stands.intent, 'remove') AS intent,
       CASE WHEN stands.subject_id IS NULL THEN 'stays' ELSE stands.hindrance END AS hindrance
FROM (SELECT $2::uuid AS id) AS subject LEFT JOIN ({standing}) AS stands ON stands.subject_id = subject.id";

const EVIDENCE: &str = "-- One subject.
SELECT coalesce(stands.under_way, false) OR coalesce($3 <= written.last_write, false) AS stale
FROM ({last_write}) AS written LEFT JOIN ({standing}) AS stands ON true";

/// The statement over the subjects that `subject` admits, at the connection `here`; both are SQL.
pub(super) fn of(here: &str, subject: &str) -> String {
    STANDING
        .replace("{reconciler}", RECONCILER)
        .replace("{here}", here)
        .replace("{subject}", subject)
}

/// The statement for the last write, one row with `last_write`.
pub(super) fn last_write(here: &str, subject: &str) -> String {
    LAST_WRITE
        .replace("{here}", here)
        .replace("{subject}", subject)
}

fn of_one(sql: &str) -> String {
    sql.replace("{standing}", &of("$1", "= $2"))
        .replace("{last_write}", &last_write("$1", "$2"))
}

/// How a subject stands at a connection. Under the subject's lock it stays so until the transaction ends.
///
/// # Errors
/// As any statement; [`StoreError::Corrupt`] for a word that this version does not know.
pub async fn standing(
    tx: &Tx<'_>,
    subject: SubjectId,
    connection: ConnectionId,
) -> Result<Standing, StoreError> {
    let rows = tx
        .query(
            &of_one(ONE),
            &[&connection.0, &subject.0],
            "reading how a subject stands at a connection",
        )
        .await?;
    Ok(Standing {
        hindrance: word_opt(&rows[0], "hindrance")?,
        intent: word::<Intent>(&rows[0], "intent")?,
    })
}

/// Whether what was seen of a subject at `seen_at` says nothing any more: Sever is at work there, or wrote since.
pub(crate) async fn is_stale(
    tx: &Tx<'_>,
    subject: SubjectId,
    connection: ConnectionId,
    seen_at: Timestamp,
) -> Result<bool, StoreError> {
    let doing = "comparing a sight with the last write";
    let rows = tx
        .query(
            &of_one(EVIDENCE),
            &[&connection.0, &subject.0, &seen_at],
            doing,
        )
        .await?;
    Ok(rows[0].get("stale"))
}
