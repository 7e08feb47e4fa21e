//! Waiting for conditions, never for time.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Waits until `condition` gives a value; fails, naming `what`, once `limit` is over.
///
/// # Errors
/// The condition's own error, or the end of the limit.
pub async fn until<T, F>(
    what: &str,
    limit: Duration,
    mut condition: impl FnMut() -> F,
) -> anyhow::Result<T>
where
    F: Future<Output = anyhow::Result<Option<T>>>,
{
    let began = Instant::now();
    loop {
        if let Some(value) = condition()
            .await
            .with_context(|| format!("waiting until {what}"))?
        {
            return Ok(value);
        }
        if began.elapsed() > limit {
            bail!("not within {limit:?}: {what}");
        }
        tokio::time::sleep(LOOK).await;
    }
}
