//! Opt-outs as they are shown: the head of each, and one with everything that hangs on it.

use jiff::Timestamp;
use sever_domain::request::{Channel, RequestState};
use sever_domain::{
    Intent, JobId, JobState, OptOutId, OptOutState, RequestId, SubjectId, SubjectKind, Urgency,
};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::error::StoreError;
use crate::hold::{self, HoldFacts};
use crate::job_view::{self, JobFacts};
use crate::pool::Client;
use crate::row::{word, word_opt};
use crate::standing::{Standing, standings};

/// The most opt-outs that one page holds.
pub const PAGE_MAX: i64 = 200;

macro_rules! select {
    ($tail:literal) => {
        concat!(
            "
SELECT opt_out.id, subject_id, subject.kind AS subject_kind, integration.name AS subject_name, intent, urgency, state, revision,
       effective_at, opened_at, closed_at, reversed_by, now() AS now,
       (SELECT array_agg(name ORDER BY name) FROM connection WHERE connection.id = ANY(opt_out.scope)) AS scope
FROM opt_out JOIN subject ON subject.id = opt_out.subject_id LEFT JOIN integration ON integration.id = opt_out.subject_id ",
            $tail
        )
    };
}

const FIND: &str = select!("WHERE opt_out.id = $1");

/// Newest first; version 7 ids are ordered by time, so the id is the place of a page.
const PAGE: &str = select!(
    "
WHERE ($1::uuid IS NULL OR opt_out.id < $1) AND ($2::text IS NULL OR state = $2) AND ($3::uuid IS NULL OR subject_id = $3)
ORDER BY opt_out.id DESC LIMIT $4"
);

const JOB_STATES: &str = "
SELECT opt_out_id, id, state, connection_id, settled_at FROM job WHERE opt_out_id = ANY($1) ORDER BY created_at, id";

const REQUESTS: &str = "
SELECT request.id, source.name AS source, asked_by, channel, event_kind, intent, urgency, reason, effective_at, state, received_at
FROM request LEFT JOIN source ON source.id = request.source_id
WHERE opt_out_id = $1 ORDER BY received_at, request.id LIMIT 500";

/// The opt-out itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptOutHead {
    /// Its id.
    pub id: OptOutId,
    /// Whose access it removes.
    pub subject: SubjectId,
    /// What kind of subject that is.
    pub subject_kind: SubjectKind,
    /// An integration's name; `None` for a person, whose name is personal data.
    pub subject_name: Option<String>,
    /// How far it goes.
    pub intent: Intent,
    /// Which queue its jobs take.
    pub urgency: Urgency,
    /// Its state.
    pub state: OptOutState,
    /// Grows with every request that attaches.
    pub revision: i32,
    /// The names of the connections that it is limited to; `None` for all.
    pub scope: Option<Vec<String>>,
    /// When it takes effect.
    pub effective_at: Timestamp,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was closed, cancelled or reversed.
    pub closed_at: Option<Timestamp>,
    /// The opt-out that took its place.
    pub reversed_by: Option<OptOutId>,
    /// When this was read, by the database's clock.
    pub now: Timestamp,
}

/// One line of a list of opt-outs.
#[derive(Debug, Clone, PartialEq)]
pub struct OptOutSummary {
    /// The opt-out itself.
    pub head: OptOutHead,
    /// Its jobs' states, oldest first.
    pub jobs: Vec<(JobId, JobState)>,
    /// Where the subject stands at the connections of its jobs.
    pub standings: Vec<Standing>,
}

/// One request that is attached to an opt-out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestFacts {
    /// Its id.
    pub id: RequestId,
    /// The source that sent it, where one did.
    pub source: Option<String>,
    /// The source or the token's name.
    pub asked_by: String,
    /// The way by which it came.
    pub channel: Channel,
    /// `opt_out`, or the kind of its employment event.
    pub kind: String,
    /// How far it goes; `None` for an event that asks for no removal.
    pub intent: Option<Intent>,
    /// Which queue it asks for.
    pub urgency: Urgency,
    /// Why, in the asker's words.
    pub reason: String,
    /// When it takes effect.
    pub effective_at: Option<Timestamp>,
    /// What has become of it.
    pub state: RequestState,
    /// When it was accepted.
    pub received_at: Timestamp,
}

/// An opt-out with everything that hangs on it.
///
/// It is put together from several statements, so that a job may have moved between two of them;
/// `head.now` is the moment of the first.
#[derive(Debug, Clone, PartialEq)]
pub struct OptOutFacts {
    /// The opt-out itself.
    pub head: OptOutHead,
    /// The requests attached to it, oldest first, at most 500.
    pub requests: Vec<RequestFacts>,
    /// Its jobs, oldest first.
    pub jobs: Vec<JobFacts>,
    /// Holds on the opt-out and on its jobs, oldest first.
    pub holds: Vec<HoldFacts>,
    /// Where the subject stands at the connections of its jobs.
    pub standings: Vec<Standing>,
}

/// Which opt-outs a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OptOutFilter {
    /// Only in this state.
    pub state: Option<OptOutState>,
    /// Only of this subject.
    pub subject: Option<SubjectId>,
    /// Only older than this one: the last id of the page before.
    pub before: Option<OptOutId>,
}

/// One opt-out with everything that hangs on it; `None` where there is none of this id.
///
/// # Errors
/// As any statement; [`StoreError::Corrupt`] for a word that this version does not know.
pub async fn find(client: &Client, id: OptOutId) -> Result<Option<OptOutFacts>, StoreError> {
    let Some(row) = client
        .query_opt(FIND, &[&id.0], "reading an opt-out")
        .await?
    else {
        return Ok(None);
    };
    let head = head(&row)?;
    let jobs = job_view::of_opt_out(client, id).await?;
    let requests = client
        .query(REQUESTS, &[&id.0], "reading the requests of an opt-out")
        .await?;
    let mut standings = standings(client, &[head.subject])
        .await?
        .remove(&head.subject)
        .unwrap_or_default();
    standings.retain(|standing| jobs.iter().any(|job| job.connection == standing.connection));
    Ok(Some(OptOutFacts {
        requests: requests.iter().map(request).collect::<Result<_, _>>()?,
        holds: hold::of_opt_out(client, id).await?,
        head,
        jobs,
        standings,
    }))
}

/// A page of opt-outs, newest first, at most `limit` (1 to [`PAGE_MAX`]).
///
/// # Errors
/// As [`find`].
pub async fn page(
    client: &Client,
    filter: OptOutFilter,
    limit: i64,
) -> Result<Vec<OptOutSummary>, StoreError> {
    let before = filter.before.map(|id| id.0);
    let state = filter.state.map(OptOutState::as_str);
    let subject = filter.subject.map(|id| id.0);
    let limit = limit.clamp(1, PAGE_MAX);
    let rows = client
        .query(
            PAGE,
            &[&before, &state, &subject, &limit],
            "listing opt-outs",
        )
        .await?;
    let heads: Vec<OptOutHead> = rows.iter().map(head).collect::<Result<_, _>>()?;
    summaries(client, heads).await
}

async fn summaries(
    client: &Client,
    heads: Vec<OptOutHead>,
) -> Result<Vec<OptOutSummary>, StoreError> {
    let ids: Vec<Uuid> = heads.iter().map(|head| head.id.0).collect();
    let subjects: Vec<SubjectId> = heads.iter().map(|head| head.subject).collect();
    let jobs = client
        .query(JOB_STATES, &[&ids], "listing the jobs of opt-outs")
        .await?;
    let standings = standings(client, &subjects).await?;
    heads
        .into_iter()
        .map(|head| {
            let mut own = Vec::new();
            let mut connections = Vec::new();
            for row in jobs
                .iter()
                .filter(|row| row.get::<_, Uuid>("opt_out_id") == head.id.0)
            {
                own.push((JobId(row.get("id")), word(row, "state")?));
                connections.push(row.get::<_, Uuid>("connection_id"));
            }
            let mut places = standings.get(&head.subject).cloned().unwrap_or_default();
            places.retain(|standing| connections.contains(&standing.connection.0));
            Ok(OptOutSummary {
                head,
                jobs: own,
                standings: places,
            })
        })
        .collect()
}

fn head(row: &Row) -> Result<OptOutHead, StoreError> {
    Ok(OptOutHead {
        id: OptOutId(row.get("id")),
        subject: SubjectId(row.get("subject_id")),
        subject_kind: word(row, "subject_kind")?,
        subject_name: row.get("subject_name"),
        intent: word(row, "intent")?,
        urgency: word(row, "urgency")?,
        state: word(row, "state")?,
        revision: row.get("revision"),
        scope: row.get("scope"),
        effective_at: row.get("effective_at"),
        opened_at: row.get("opened_at"),
        closed_at: row.get("closed_at"),
        reversed_by: row.get::<_, Option<Uuid>>("reversed_by").map(OptOutId),
        now: row.get("now"),
    })
}

fn request(row: &Row) -> Result<RequestFacts, StoreError> {
    Ok(RequestFacts {
        id: RequestId(row.get("id")),
        source: row.get("source"),
        asked_by: row.get("asked_by"),
        channel: word(row, "channel")?,
        kind: row.get("event_kind"),
        intent: word_opt(row, "intent")?,
        urgency: word(row, "urgency")?,
        reason: row.get("reason"),
        effective_at: row.get("effective_at"),
        state: word(row, "state")?,
        received_at: row.get("received_at"),
    })
}
