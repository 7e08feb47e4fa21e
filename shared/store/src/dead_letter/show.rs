//! The whole story of one dead letter.

use jiff::Timestamp;
use sever_domain::dead_letter::DeadLetterState;
use sever_domain::{
    Action, DeadLetterId, EntitlementKind, HoldReason, JobId, JobKind, JobState, OptOutId,
    Provider, SubjectId,
};
use tokio_postgres::Row;

use crate::error::StoreError;
use crate::job_view::{self, JobFacts};
use crate::pool::Client;
use crate::row::{word, word_opt};

const FIND: &str = "
SELECT letter.*, job.kind, job.state AS job_state, job.opt_out_id, job.subject_id, job.provider, job.connection_id,
       connection.name AS connection, connection.state AS connection_state, greatest(connection.blocked_until, breaker.retry_at) > now() AS blocked,
       greatest(connection.blocked_until, breaker.retry_at) AS blocked_until,
       job.plan_revision, opt_out.revision <> job.opt_out_revision AS attached,
       (SELECT count(*) FROM dead_letter AS earlier WHERE earlier.job_id = job.id AND earlier.opened_at < letter.opened_at)::int8 AS earlier,
       (SELECT reason FROM hold WHERE hold.state = 'open' AND target_id IN (job.id, job.opt_out_id) ORDER BY opened_at LIMIT 1) AS hold_reason,
       (SELECT kind FROM employment_event AS event
        WHERE event.person_id = job.subject_id AND event.kind <> 'leaver'
          AND EXISTS (SELECT FROM request WHERE request.opt_out_id = job.opt_out_id AND event_kind = 'leaver')
          AND NOT EXISTS (SELECT FROM request WHERE request.opt_out_id = job.opt_out_id AND event_kind = 'leaver'
                          AND NOT (CASE WHEN request.source_id = event.source_id THEN event.version > request.employment_version
                                        ELSE event.occurred_at > request.occurred_at END))
          AND NOT EXISTS (SELECT FROM hold WHERE hold.target_id = job.opt_out_id AND hold.reason = 'newer_employment_event'
                          AND hold.state = 'released' AND hold.decided_at >= event.recorded_at)
        ORDER BY event.recorded_at DESC LIMIT 1) AS newer_event,
       now() AS now
FROM dead_letter AS letter JOIN job ON job.id = letter.job_id JOIN connection ON connection.id = job.connection_id
JOIN opt_out ON opt_out.id = job.opt_out_id LEFT JOIN breaker ON breaker.connection_id = connection.id
WHERE letter.id = $1";

const NEWEST_OF_JOB: &str =
    "SELECT id FROM dead_letter WHERE job_id = $1 ORDER BY opened_at DESC, id DESC LIMIT 1";

const REQUESTS: &str = "
SELECT asked_by, channel, event_kind, intent, reason, effective_at, received_at FROM request WHERE opt_out_id = $1 ORDER BY received_at, id LIMIT 100";

/// The newest 100.
const ATTEMPTS: &str = "
SELECT * FROM (SELECT no, epoch, started_at, ended_at, class, detail FROM attempt WHERE job_id = $1 ORDER BY no DESC LIMIT 100) AS newest ORDER BY no";

/// The newest 1,000.
const CALLS: &str = "
SELECT * FROM (
    SELECT effect.attempt, effect.no, step.action, step.target_kind, step.target_key, effect.intent_at, effect.answered_at, effect.status,
           effect.outcome, effect.code, effect.provider_request_id, step.ordinal
    FROM effect JOIN step ON step.id = effect.step_id WHERE step.job_id = $1
    ORDER BY effect.attempt DESC, effect.intent_at DESC, step.ordinal DESC LIMIT 1000
) AS newest ORDER BY attempt, intent_at, ordinal";

/// A dead letter with everything that is known of its job.
#[derive(Debug, Clone, PartialEq)]
pub struct LetterFacts {
    /// Its id.
    pub id: DeadLetterId,
    /// Its job.
    pub job: JobId,
    /// The job's opt-out.
    pub opt_out: OptOutId,
    /// Whose access it is about.
    pub subject: SubjectId,
    /// What the job is for.
    pub kind: JobKind,
    /// The connection's name.
    pub connection: String,
    /// The provider.
    pub provider: Provider,
    /// `provider:action:class:code`.
    pub fingerprint: String,
    /// Why the job gave up.
    pub reason: String,
    /// Its state.
    pub state: DeadLetterState,
    /// When the job gave up.
    pub opened_at: Timestamp,
    /// How often the job had given up before.
    pub earlier: i64,
    /// When the janitor last saw its message.
    pub seen_at: Option<Timestamp>,
    /// Who last said that it was done by hand.
    pub resolve_asked_by: Option<String>,
    /// What they gave as evidence.
    pub evidence: Option<String>,
    /// What the re-read after it still saw.
    pub finding: Option<String>,
    /// Who asked to give it up.
    pub discard_asked_by: Option<String>,
    /// Why.
    pub discard_reason: Option<String>,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// Who closed it.
    pub closed_by: Option<String>,
    /// Why.
    pub closed_reason: Option<String>,
    /// What was asked.
    pub requests: Vec<RequestFacts>,
    /// Every attempt, oldest first.
    pub attempts: Vec<AttemptFacts>,
    /// The job with its steps and what the re-reads saw.
    pub job_facts: Option<JobFacts>,
    /// What a replay would meet now.
    pub foreseen: Foreseen,
    /// The database's clock.
    pub now: Timestamp,
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestFacts {
    /// Who asked.
    pub asked_by: String,
    /// `amqp`, `http` or `console`.
    pub channel: String,
    /// What was reported or asked.
    pub event_kind: String,
    /// How far it was to go.
    pub intent: Option<String>,
    /// Why, in the asker's words.
    pub reason: String,
    /// When it was to take effect.
    pub effective_at: Option<Timestamp>,
    /// When it was received.
    pub received_at: Timestamp,
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptFacts {
    /// 1, 2, 3.
    pub no: i32,
    /// The lease epoch in which it was made.
    pub epoch: i64,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was settled.
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    pub class: Option<String>,
    /// What went wrong: for a call, its status, code and the provider's request id.
    pub detail: Option<String>,
    /// The calls that it intended.
    pub calls: Vec<CallFacts>,
}

/// One intended call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallFacts {
    /// What the step does.
    pub action: Action,
    /// The kind of what it ends.
    pub target_kind: EntitlementKind,
    /// The provider's key of what it ends.
    pub target_key: String,
    /// When its intent was committed.
    pub intent_at: Timestamp,
    /// When it was answered.
    pub answered_at: Option<Timestamp>,
    /// The HTTP status.
    pub status: Option<i32>,
    /// What it came to; `None` while unanswered.
    pub outcome: Option<String>,
    /// The provider's code.
    pub code: Option<String>,
    /// The provider's request id.
    pub provider_request_id: Option<String>,
}

/// What a replay would meet now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreseen {
    /// The job's state.
    pub job_state: JobState,
    /// The hold that would stop it.
    pub hold: Option<HoldReason>,
    /// The newer employment event that would stop it.
    pub newer_event: Option<String>,
    /// The connection's state: `open`, `parked` or `closed`.
    pub connection_state: String,
    /// Until when the connection is left alone: the provider asked for it, or the breaker is open.
    pub blocked_until: Option<Timestamp>,
    /// Whether it would plan anew: nothing is planned, or a further request attached.
    pub plans_anew: bool,
}

/// One dead letter with its story; `None` where there is none of this id.
///
/// # Errors
/// As any statement; [`StoreError::Corrupt`] for a word that this version does not know.
pub async fn find(client: &Client, id: DeadLetterId) -> Result<Option<LetterFacts>, StoreError> {
    let doing = "reading a dead letter";
    let Some(row) = client.query_opt(FIND, &[&id.0], doing).await? else {
        return Ok(None);
    };
    let (job, opt_out) = (JobId(row.get("job_id")), OptOutId(row.get("opt_out_id")));
    let requests = client.query(REQUESTS, &[&opt_out.0], doing).await?;
    let attempts = client.query(ATTEMPTS, &[&job.0], doing).await?;
    let calls = client.query(CALLS, &[&job.0], doing).await?;
    let jobs = job_view::of_opt_out(client, opt_out).await?;
    let mut facts = facts(&row)?;
    facts.requests = requests.iter().map(request).collect();
    facts.attempts = attempts
        .iter()
        .map(|row| attempt(row, &calls))
        .collect::<Result<_, _>>()?;
    facts.job_facts = jobs.into_iter().find(|found| found.id == job);
    Ok(Some(facts))
}

/// The newest dead letter of a job, whatever its state.
///
/// # Errors
/// As any statement.
pub async fn find_by_job(client: &Client, job: JobId) -> Result<Option<DeadLetterId>, StoreError> {
    let doing = "reading the dead letter of a job";
    let row = client.query_opt(NEWEST_OF_JOB, &[&job.0], doing).await?;
    Ok(row.map(|row| DeadLetterId(row.get("id"))))
}

fn facts(row: &Row) -> Result<LetterFacts, StoreError> {
    Ok(LetterFacts {
        id: DeadLetterId(row.get("id")),
        job: JobId(row.get("job_id")),
        opt_out: OptOutId(row.get("opt_out_id")),
        subject: SubjectId(row.get("subject_id")),
        kind: word(row, "kind")?,
        connection: row.get("connection"),
        provider: word(row, "provider")?,
        fingerprint: row.get("fingerprint"),
        reason: row.get("reason"),
        state: word(row, "state")?,
        opened_at: row.get("opened_at"),
        earlier: row.get("earlier"),
        seen_at: row.get("seen_at"),
        resolve_asked_by: row.get("resolve_asked_by"),
        evidence: row.get("evidence"),
        finding: row.get("finding"),
        discard_asked_by: row.get("discard_asked_by"),
        discard_reason: row.get("discard_reason"),
        closed_at: row.get("closed_at"),
        closed_by: row.get("closed_by"),
        closed_reason: row.get("closed_reason"),
        requests: Vec::new(),
        attempts: Vec::new(),
        job_facts: None,
        foreseen: foreseen(row)?,
        now: row.get("now"),
    })
}

fn foreseen(row: &Row) -> Result<Foreseen, StoreError> {
    let blocked: Option<bool> = row.get("blocked");
    Ok(Foreseen {
        job_state: word(row, "job_state")?,
        hold: word_opt(row, "hold_reason")?,
        newer_event: row.get("newer_event"),
        connection_state: row.get("connection_state"),
        blocked_until: row
            .get::<_, Option<Timestamp>>("blocked_until")
            .filter(|_| blocked == Some(true)),
        plans_anew: row.get::<_, i32>("plan_revision") < 1 || row.get::<_, bool>("attached"),
    })
}

fn request(row: &Row) -> RequestFacts {
    RequestFacts {
        asked_by: row.get("asked_by"),
        channel: row.get("channel"),
        event_kind: row.get("event_kind"),
        intent: row.get("intent"),
        reason: row.get("reason"),
        effective_at: row.get("effective_at"),
        received_at: row.get("received_at"),
    }
}

fn attempt(row: &Row, calls: &[Row]) -> Result<AttemptFacts, StoreError> {
    let no: i32 = row.get("no");
    let of_attempt = calls
        .iter()
        .filter(|call| call.get::<_, i32>("attempt") == no);
    Ok(AttemptFacts {
        no,
        epoch: row.get("epoch"),
        started_at: row.get("started_at"),
        ended_at: row.get("ended_at"),
        class: row.get("class"),
        detail: row.get("detail"),
        calls: of_attempt.map(call).collect::<Result<_, _>>()?,
    })
}

fn call(row: &Row) -> Result<CallFacts, StoreError> {
    Ok(CallFacts {
        action: word(row, "action")?,
        target_kind: word(row, "target_kind")?,
        target_key: row.get("target_key"),
        intent_at: row.get("intent_at"),
        answered_at: row.get("answered_at"),
        status: row.get("status"),
        outcome: row.get("outcome"),
        code: row.get("code"),
        provider_request_id: row.get("provider_request_id"),
    })
}
