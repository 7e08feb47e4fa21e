//! The census: how many people are active, to which the mass guard's percentage refers.

use crate::error::StoreError;
use crate::pool::Store;

const REFRESH: &str = "
UPDATE directory_census SET counted_at = now(),
       active_people = (SELECT count(*) FROM person WHERE employment_state = 'active')
RETURNING active_people";

/// Counts the active people and stores the count; returns it.
///
/// # Errors
/// As any statement.
pub async fn refresh(store: &Store) -> Result<i64, StoreError> {
    let doing = "counting the active people";
    let client = store.client(doing).await?;
    let row = client.query_opt(REFRESH, &[], doing).await?;
    row.map(|row| row.get("active_people"))
        .ok_or(StoreError::Conflict { doing })
}
