//! Counts of what is dead, for metrics.

use tokio_postgres::Row;

use crate::error::StoreError;
use crate::pool::Client;

/// The largest clusters; a label must come from a small set, so the rest is one.
const OPEN: &str = "
WITH clusters AS (
    SELECT job.provider, letter.fingerprint, count(*) AS letters, row_number() OVER (ORDER BY count(*) DESC, letter.fingerprint) AS place
    FROM dead_letter AS letter JOIN job ON job.id = letter.job_id WHERE letter.state IN ('open', 'resolving')
    GROUP BY job.provider, letter.fingerprint
)
SELECT provider, CASE WHEN place <= 20 THEN fingerprint ELSE 'other' END AS fingerprint, sum(letters)::int8 AS letters
FROM clusters GROUP BY 1, 2";

const RAWS: &str =
    "SELECT provider, count(*)::int8 AS raws FROM dead_raw WHERE state = 'open' GROUP BY provider";

const LOOKS: &str = "
SELECT provider, coalesce(extract(epoch FROM now() - out_of_step_since), 0)::float8 AS out_of_step_s,
       greatest(extract(epoch FROM now() - looked_at), 0)::float8 AS age_s FROM dlq_look";

const REPLAYS: &str = "
SELECT CASE state WHEN 'stopped' THEN 'stopped' ELSE 'running' END AS state, count(*)::int8 AS replays FROM replay
WHERE closed_at IS NULL OR (state = 'stopped' AND closed_at > now() - interval '1 day') GROUP BY 1";

const MEMBERS: &str = "
SELECT member.state, count(*)::int8 AS members FROM replay_member AS member JOIN replay ON replay.id = member.replay_id
WHERE replay.closed_at IS NULL GROUP BY member.state";

/// What is dead, and what is being done about it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DeadCounts {
    /// Provider, fingerprint and dead letters that stand; `other` after the twenty largest.
    pub open: Vec<(String, String, i64)>,
    /// Queue and dead messages that stand.
    pub raws: Vec<(String, i64)>,
    /// Queue, and for how long it has differed from the tables, in seconds; 0 where it does not.
    pub out_of_step: Vec<(String, f64)>,
    /// The age of the oldest look, in seconds; 0 before the first.
    pub look_age_s: f64,
    /// `running` or `stopped` (within a day), and replays.
    pub replays: Vec<(String, i64)>,
    /// Members of running replays by state.
    pub members: Vec<(String, i64)>,
}

/// Counts it.
///
/// # Errors
/// As any statement.
pub async fn counts(client: &Client) -> Result<DeadCounts, StoreError> {
    let doing = "counting what is dead";
    let pair = |row: &Row| (row.get(0), row.get(1));
    let open = client.query(OPEN, &[], doing).await?;
    let raws = client.query(RAWS, &[], doing).await?;
    let looks = client.query(LOOKS, &[], doing).await?;
    let replays = client.query(REPLAYS, &[], doing).await?;
    let members = client.query(MEMBERS, &[], doing).await?;
    Ok(DeadCounts {
        open: open
            .iter()
            .map(|row| (row.get(0), row.get(1), row.get(2)))
            .collect(),
        raws: raws.iter().map(pair).collect(),
        out_of_step: looks.iter().map(|row| (row.get(0), row.get(1))).collect(),
        look_age_s: looks.iter().map(|row| row.get("age_s")).fold(0.0, f64::max),
        replays: replays.iter().map(pair).collect(),
        members: members.iter().map(pair).collect(),
    })
}
