//! Subjects, whatever kind they are of.

use sever_domain::{ConnectionId, SubjectId, SubjectKind};

use crate::error::StoreError;
use crate::pool::Tx;
use crate::row::word;

const KIND: &str = "SELECT kind FROM subject WHERE id = $1";

const BOUND: &str = "
SELECT DISTINCT connection_id FROM binding WHERE subject_id = $1 AND state IN ('candidate', 'confirmed') ORDER BY connection_id";

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
