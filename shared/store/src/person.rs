//! People as accept finds them: by id, key and e-mail, under a lock.

use sever_domain::{SourceId, SubjectId, SubjectKind};
use tokio_postgres::Row;

use crate::error::StoreError;
use crate::pool::Tx;
use crate::row::word;
use crate::subject::LockedSubject;

/// Locks the subject against other accepts, intents and version bumps; not against rows that refer to it.
const LOCK_BY_KEY: &str = "
SELECT subject.id, subject.version, person.employment_state, now() AS now
FROM person_key JOIN subject ON subject.id = person_key.person_id JOIN person ON person.id = subject.id
WHERE person_key.source_id = $1 AND person_key.external_id = $2
FOR NO KEY UPDATE OF subject";

const LOCK_BY_ID: &str = "
SELECT subject.id, subject.version, person.employment_state, now() AS now
FROM subject JOIN person ON person.id = subject.id
WHERE subject.id = $1
FOR NO KEY UPDATE OF subject";

/// E-mails are stored trimmed and in lower case.
const CANDIDATES: &str = "SELECT id FROM person WHERE emails @> ARRAY[$1::text] LIMIT $2";

const ADD_KEY: &str = "
INSERT INTO person_key (person_id, source_id, external_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";

/// Locks the person with this key until the transaction ends.
///
/// # Errors
/// As any statement; [`StoreError::Corrupt`] for a word that this version does not know.
pub async fn lock_by_key(
    tx: &Tx<'_>,
    source: SourceId,
    external_id: &str,
) -> Result<Option<LockedSubject>, StoreError> {
    let doing = "locking a person by key";
    let row = tx
        .query_opt(LOCK_BY_KEY, &[&source.0, &external_id], doing)
        .await?;
    row.as_ref().map(locked).transpose()
}

/// Locks the person with this id until the transaction ends.
///
/// # Errors
/// As [`lock_by_key`].
pub async fn lock(tx: &Tx<'_>, id: SubjectId) -> Result<Option<LockedSubject>, StoreError> {
    let row = tx
        .query_opt(LOCK_BY_ID, &[&id.0], "locking a person by id")
        .await?;
    row.as_ref().map(locked).transpose()
}

fn locked(row: &Row) -> Result<LockedSubject, StoreError> {
    Ok(LockedSubject {
        id: SubjectId(row.get("id")),
        kind: SubjectKind::Person,
        version: row.get("version"),
        employment: Some(word(row, "employment_state")?),
        now: row.get("now"),
    })
}

/// The e-mail as it is stored and looked up: trimmed, lower case.
#[must_use]
pub fn normal_email(email: &str) -> String {
    email.trim().to_lowercase()
}

/// At most `limit` people who have this e-mail. They are candidates: an e-mail alone confirms nobody.
///
/// # Errors
/// As any statement.
pub async fn by_email(tx: &Tx<'_>, email: &str, limit: i64) -> Result<Vec<SubjectId>, StoreError> {
    let doing = "looking up people by e-mail";
    let rows = tx
        .query(CANDIDATES, &[&normal_email(email), &limit], doing)
        .await?;
    Ok(rows.iter().map(|row| SubjectId(row.get("id"))).collect())
}

/// Gives a person the key of a source; a key that somebody has already stays where it is.
///
/// # Errors
/// As any statement.
pub async fn add_key(
    tx: &Tx<'_>,
    person: SubjectId,
    source: SourceId,
    external_id: &str,
) -> Result<(), StoreError> {
    let doing = "storing the key of a person";
    tx.execute(ADD_KEY, &[&person.0, &source.0, &external_id], doing)
        .await
        .map(drop)
}
