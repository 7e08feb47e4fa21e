//! Jobs that a crash loop buried go back by themselves, once: most of them shared a process with the one that kills it.

use std::time::Duration;

use sever_domain::DeadLetterId;
use uuid::Uuid;

use super::back::{Order, Returned, go_back};
use crate::error::StoreError;
use crate::pool::Store;

/// The actor of a return; a letter that it closed is the record that its job had its one return.
const ACTOR: &str = "system:janitor";
const REASON: &str = "a crash loop buried it; it goes back by itself once";

/// The index on the fingerprint's last part would serve nothing else: crash loops are rare, and this reads open letters only.
const CHOOSE: &str = "
SELECT letter.id FROM dead_letter AS letter
WHERE letter.state = 'open' AND letter.fingerprint LIKE '%:crash\\_loop' AND letter.opened_at < now() - make_interval(secs => $1)
  AND letter.discard_asked_by IS NULL AND letter.finding IS NULL
  AND NOT EXISTS (SELECT FROM dead_letter AS earlier WHERE earlier.job_id = letter.job_id AND earlier.closed_by = 'system:janitor')
ORDER BY letter.opened_at, letter.id LIMIT $2";

/// Sends at most `limit` jobs back that a crash loop buried at least `rest` ago and that never went back by themselves.
///
/// # Errors
/// As any statement.
pub async fn return_crash_loops(
    store: &Store,
    rest: Duration,
    limit: i64,
) -> Result<Vec<Returned>, StoreError> {
    let doing = "returning jobs that a crash loop buried";
    let mut client = store.client(doing).await?;
    let chosen = client
        .query(CHOOSE, &[&rest.as_secs_f64(), &limit], doing)
        .await?;
    if chosen.is_empty() {
        return Ok(Vec::new());
    }
    let letters: Vec<DeadLetterId> = chosen
        .iter()
        .map(|row| DeadLetterId(row.get::<_, Uuid>("id")))
        .collect();
    let tx = client.begin().await?;
    let order = Order {
        actor: ACTOR,
        reason: REASON,
        replay: None,
    };
    let returned = go_back(&tx, &letters, order).await?;
    tx.commit().await?;
    Ok(returned)
}
