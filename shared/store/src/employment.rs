//! Employment events: what each source said about a person's employment.

use sever_domain::employment::{EmploymentEvent, EmploymentState};
use sever_domain::{SourceId, SubjectId};

use crate::error::StoreError;
use crate::pool::Tx;
use crate::row::word;

const OF_PERSON: &str = "
SELECT source_id, version, kind, occurred_at FROM employment_event
WHERE person_id = $1 ORDER BY recorded_at DESC LIMIT 500";

/// The same version and kind said again is the same event.
const INSERT: &str = "
INSERT INTO employment_event (person_id, source_id, version, kind, occurred_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING";

const SET_STATE: &str = "
UPDATE person SET employment_state = $2, updated_at = now() WHERE id = $1 AND employment_state <> $2";

const BUMP: &str = "UPDATE subject SET version = version + 1 WHERE id = $1";

/// The newest 500 events about a person. The caller holds the subject's row.
///
/// # Errors
/// As any statement; [`StoreError::Corrupt`] for a word that this version does not know.
pub async fn of_person(tx: &Tx<'_>, person: SubjectId) -> Result<Vec<EmploymentEvent>, StoreError> {
    let rows = tx
        .query(OF_PERSON, &[&person.0], "reading employment events")
        .await?;
    let event = |row: &tokio_postgres::Row| {
        Ok(EmploymentEvent {
            source: SourceId(row.get("source_id")),
            kind: word(row, "kind")?,
            version: row.get("version"),
            occurred_at: row.get("occurred_at"),
        })
    };
    rows.iter().map(event).collect()
}

/// Records an event; one that is known already changes nothing.
///
/// # Errors
/// As any statement.
pub async fn insert(
    tx: &Tx<'_>,
    person: SubjectId,
    event: &EmploymentEvent,
) -> Result<(), StoreError> {
    let kind = event.kind.as_str();
    tx.execute(
        INSERT,
        &[
            &person.0,
            &event.source.0,
            &event.version,
            &kind,
            &event.occurred_at,
        ],
        "recording an employment event",
    )
    .await
    .map(drop)
}

/// Sets what the sources' events say of a person's employment; returns whether it changed.
///
/// # Errors
/// As any statement.
pub async fn set_state(
    tx: &Tx<'_>,
    person: SubjectId,
    state: EmploymentState,
) -> Result<bool, StoreError> {
    let changed = tx
        .execute(
            SET_STATE,
            &[&person.0, &state.as_str()],
            "setting a person's employment state",
        )
        .await?;
    Ok(changed > 0)
}

/// Lets the subject's version grow, so that no intent overlooks what changed. Locks the subject's row.
///
/// # Errors
/// [`StoreError::Conflict`] if there is no such subject; else as any statement.
pub async fn bump_version(tx: &Tx<'_>, subject: SubjectId) -> Result<(), StoreError> {
    tx.execute_one(BUMP, &[&subject.0], "letting a subject's version grow")
        .await
}
