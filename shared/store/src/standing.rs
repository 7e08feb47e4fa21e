//! Where a subject stands at each connection: the facts from which its status is derived.
//!
//! Nothing here says what the status is; [`sever_domain::status`] does, from these facts and the moment.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sever_domain::status::{self, ConnectionFacts};
use sever_domain::{ConnectionId, Grade, Provider, Status, SubjectId};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::error::StoreError;
use crate::pool::Client;
use crate::row::{word, word_opt};

/// The facts of some subjects at every connection where they have a standing or refused job, or an account that is not refuted:
/// where a removal found nobody and was reversed, nothing is left to say.
///
/// A job stands while its opt-out is open or closed and it is neither cancelled nor replaced. The newest
/// standing job decides what is proven, so that an open successor takes the proof of its predecessor away; so does a finding that
/// was confirmed: a later observation saw the access again.
/// The grades are listed from the weakest to the best.
const STANDINGS: &str = "
WITH standing AS (
    SELECT job.* FROM job JOIN opt_out ON opt_out.id = job.opt_out_id
    WHERE job.subject_id = ANY($1) AND opt_out.kind = 'opt_out' AND opt_out.state IN ('open', 'closed')
      AND job.state NOT IN ('cancelled', 'replaced')
), newest AS (
    SELECT DISTINCT ON (subject_id, connection_id) * FROM standing
    ORDER BY subject_id, connection_id, created_at DESC, id DESC
), place AS (
    SELECT job.subject_id, connection_id FROM job JOIN opt_out ON opt_out.id = job.opt_out_id
    WHERE job.subject_id = ANY($1) AND opt_out.kind = 'opt_out' AND opt_out.state IN ('open', 'closed')
    UNION SELECT subject_id, connection_id FROM binding WHERE subject_id = ANY($1) AND state <> 'refuted'
)
SELECT place.subject_id, place.connection_id, connection.name, connection.provider,
       EXISTS (SELECT FROM standing WHERE standing.subject_id = place.subject_id
               AND standing.connection_id = place.connection_id AND standing.effective_at <= now()) AS in_force,
       EXISTS (SELECT FROM job JOIN opt_out ON opt_out.id = job.opt_out_id
               WHERE job.subject_id = place.subject_id AND job.connection_id = place.connection_id AND job.state = 'cancelled'
               AND opt_out.kind = 'opt_out' AND opt_out.state IN ('open', 'closed') AND job.effective_at <= now()) AS refused,
       coalesce(seen.whole, false) AS seen_whole,
       coalesce(newest.state = 'done' AND closing.whole, false) AND NOT EXISTS (
           SELECT FROM finding WHERE finding.subject_id = place.subject_id AND finding.connection_id = place.connection_id
           AND finding.situation IN ('residual', 'resurrected', 'integration_residue') AND finding.state IN ('open', 'held', 'repairing', 'accepted')) AS proven,
       (SELECT max(step.residual_until) FROM step JOIN standing ON standing.id = step.job_id
        WHERE standing.subject_id = place.subject_id AND standing.connection_id = place.connection_id) AS residual_until,
       (ARRAY['attested', 'implied', 'provider_log', 'agreeing_reads', 'read'])[least(closing.ruled, steps.weakest)] AS weakest_grade
FROM place
JOIN connection ON connection.id = place.connection_id
LEFT JOIN newest USING (subject_id, connection_id)
LEFT JOIN LATERAL (
    SELECT bool_and(family.result = 'complete' OR (family.result = 'unsupported' AND family.rule IS NOT NULL)) AS whole,
           min(CASE WHEN family.rule IS NOT NULL THEN 2 END) AS ruled
    FROM inspection_family AS family
    WHERE family.inspection_id = (
        SELECT id FROM inspection WHERE job_id = newest.id AND purpose = 'closing' ORDER BY seq DESC LIMIT 1)
) AS closing ON true
LEFT JOIN LATERAL (
    SELECT min(CASE latest.state
        WHEN 'attested' THEN 1 WHEN 'inert' THEN 2
        WHEN 'verified' THEN array_position(ARRAY['attested', 'implied', 'provider_log', 'agreeing_reads', 'read'], latest.verified_grade)
        END) AS weakest
    FROM (
        SELECT DISTINCT ON (binding_id, action, target_kind, target_key) state, verified_grade FROM step
        WHERE step.job_id = newest.id ORDER BY binding_id, action, target_kind, target_key, revision DESC
    ) AS latest
) AS steps ON true
LEFT JOIN LATERAL (
    SELECT bool_and(family.result IN ('complete', 'unsupported'))
           AND bool_or(family.family = 'account' AND family.found > 0) AS whole
    FROM inspection_family AS family
    WHERE family.inspection_id = (
        SELECT inspection.id FROM inspection JOIN job ON job.id = inspection.job_id
        WHERE job.subject_id = place.subject_id AND job.connection_id = place.connection_id
          AND inspection.purpose IN ('opening', 'closing')
        ORDER BY inspection.started_at DESC LIMIT 1)
) AS seen ON true
ORDER BY place.subject_id, connection.name";

const NOW: &str = "SELECT now() AS now";

/// A subject at one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The connection.
    pub connection: ConnectionId,
    /// Its name.
    pub connection_name: String,
    /// Its provider.
    pub provider: Provider,
    /// What is known.
    pub facts: ConnectionFacts,
}

impl Standing {
    /// The status here at this moment.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> Status {
        status::at_connection(&self.facts, now)
    }
}

/// The status over several connections at this moment: the weakest of them, and unknown for none.
#[must_use]
pub fn overall(standings: &[Standing], now: Timestamp) -> Status {
    let scope: Vec<_> = standings
        .iter()
        .map(|standing| (standing.facts, standing.status(now)))
        .collect();
    status::overall(&scope)
}

/// Where each of these subjects stands, by connection name. A subject without job and binding is absent.
///
/// # Errors
/// As any statement; [`StoreError::Corrupt`] for a word that this version does not know.
pub async fn standings(
    client: &Client,
    subjects: &[SubjectId],
) -> Result<BTreeMap<SubjectId, Vec<Standing>>, StoreError> {
    let ids: Vec<Uuid> = subjects.iter().map(|id| id.0).collect();
    let rows = client
        .query(STANDINGS, &[&ids], "reading where subjects stand")
        .await?;
    let mut by_subject: BTreeMap<SubjectId, Vec<Standing>> = BTreeMap::new();
    for row in &rows {
        by_subject
            .entry(SubjectId(row.get("subject_id")))
            .or_default()
            .push(standing(row)?);
    }
    Ok(by_subject)
}

/// The database's clock, for which a status is derived.
///
/// # Errors
/// As any statement.
pub async fn clock(client: &Client) -> Result<Timestamp, StoreError> {
    let rows = client
        .query(NOW, &[], "reading the database's clock")
        .await?;
    Ok(rows[0].get("now"))
}

fn standing(row: &Row) -> Result<Standing, StoreError> {
    let weakest_grade: Option<Grade> = word_opt(row, "weakest_grade")?;
    Ok(Standing {
        connection: ConnectionId(row.get("connection_id")),
        connection_name: row.get("name"),
        provider: word(row, "provider")?,
        facts: ConnectionFacts {
            in_force: row.get("in_force"),
            refused: row.get("refused"),
            seen_whole: row.get("seen_whole"),
            proven: row.get("proven"),
            residual_until: row.get("residual_until"),
            weakest_grade,
        },
    })
}
