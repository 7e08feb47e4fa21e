//! Connections: the instances of external systems, applied from configuration.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use sever_audit::{AuditEvent, AuditKind};
use sever_domain::breaker::{Breaker, BreakerState};
use sever_domain::{ConnectionId, JobId, Provider, Urgency};
use thiserror::Error;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::audit;
use crate::error::StoreError;
use crate::outbox::{self, Bell};
use crate::pool::{Client, Tx};
use crate::row::word;
use crate::worker_connection;

/// The longest fence, 30 days in seconds: as the column's CHECK.
pub const FENCE_DELAY_MAX_S: i64 = 30 * 86_400;

/// The most connections that one list holds.
pub const LIST_MAX: i64 = 1000;

macro_rules! select {
    ($tail:literal) => {
        concat!(
            "
SELECT id, provider, name, base_url, credential_ref, token_lifetime_s, token_lifetimes, clock_skew_s, in_flight_max, jobs_max,
       fence_delay_s, fence_approval, state, state_reason, blocked_until, version, created_at, now() AS now, breaker.opened_at AS breaker_opened_at, breaker.retry_at AS breaker_until,
       (SELECT count(*)::int8 FROM job WHERE job.connection_id = connection.id
        AND job.state IN ('waiting', 'running', 'held', 'parked', 'dead')) AS jobs_open
FROM connection LEFT JOIN breaker ON breaker.connection_id = connection.id ",
            $tail
        )
    };
}

const LIST: &str = select!("ORDER BY name LIMIT $1");
const FIND: &str = select!("WHERE name = $1");
const LOCK: &str = select!("WHERE name = $1 FOR UPDATE OF connection");

const INSERT: &str = "
INSERT INTO connection (id, provider, name, base_url, credential_ref, token_lifetime_s, token_lifetimes, clock_skew_s, in_flight_max, jobs_max, state,
       fence_delay_s, fence_approval)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";

const UPDATE: &str = "
UPDATE connection SET base_url = $2, credential_ref = $3, token_lifetime_s = $4, token_lifetimes = $5, clock_skew_s = $6,
       in_flight_max = $7, jobs_max = $8, state = $9, fence_delay_s = $10, fence_approval = $11, state_reason = NULL,
       version = version + 1
WHERE id = $1";

/// A connection as it is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionSpec {
    /// Its name, unique; lower-case letters, digits, `_` and `-`, at most 63.
    pub name: String,
    /// The provider; cannot change.
    pub provider: Provider,
    /// Where the provider is.
    pub base_url: String,
    /// `env:NAME` or `file:/path`.
    pub credential_ref: String,
    /// The longest time for which an access token works once issued, in seconds.
    pub token_lifetime_s: i64,
    /// The same by token issuer, where it differs, in seconds.
    pub token_lifetimes: BTreeMap<String, i64>,
    /// The largest difference assumed between clocks, in seconds.
    pub clock_skew_s: i64,
    /// Calls that one worker process may have under way, 1 to 64.
    pub in_flight_max: i32,
    /// Jobs that may hold a lease at once, 1 to 1024.
    pub jobs_max: i32,
    /// From a plan until its one-way steps may go, in seconds, at most [`FENCE_DELAY_MAX_S`]. Sessions and tokens never wait.
    pub fence_delay_s: i64,
    /// Whether one-way steps need a person's release besides.
    pub fence_approval: bool,
    /// Whether it takes no work.
    pub closed: bool,
}

/// A connection as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionRow {
    /// Its id.
    pub id: ConnectionId,
    /// What it was configured as; `closed` is its state.
    pub spec: ConnectionSpec,
    /// `open`, `parked` or `closed`.
    pub state: String,
    /// Why it is parked.
    pub state_reason: Option<String>,
    /// Until when the provider asked to be left alone.
    pub blocked_until: Option<Timestamp>,
    /// What its circuit breaker lets through.
    pub breaker: BreakerState,
    /// Since when its breaker is not closed.
    pub breaker_opened_at: Option<Timestamp>,
    /// Until when its breaker is open; half-open from then on.
    pub breaker_until: Option<Timestamp>,
    /// Grows with every change.
    pub version: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// Its jobs that have not come to an end.
    pub jobs_open: i64,
}

/// What applying changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Created,
    /// It differs from before, or was parked or closed and is open now.
    Changed,
    /// Nothing.
    Unchanged,
}

impl Change {
    /// The spoken word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
        }
    }
}

/// Why a connection cannot be applied.
#[derive(Debug, Error)]
pub enum ApplyError {
    /// It exists for another provider.
    #[error(
        "connection '{name}' exists for the provider {existing} and cannot become one of {wanted}: choose another name"
    )]
    OtherProvider {
        /// Its name.
        name: String,
        /// The provider it has.
        existing: Provider,
        /// The provider asked for.
        wanted: Provider,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes the connection what is wanted. A parked one is opened: its jobs wait again and are rung; where its credential is still
/// wrong, the next worker parks it again.
///
/// # Errors
/// [`ApplyError`]; the caller's transaction must then be dropped.
pub async fn apply(tx: &Tx<'_>, spec: &ConnectionSpec, actor: &str) -> Result<Change, ApplyError> {
    let doing = "applying a connection";
    let Some(row) = tx.query_opt(LOCK, &[&spec.name], doing).await? else {
        return Ok(create(tx, spec, actor).await?);
    };
    let standing = connection(&row)?;
    if standing.spec.provider != spec.provider {
        return Err(ApplyError::OtherProvider {
            name: spec.name.clone(),
            existing: standing.spec.provider,
            wanted: spec.provider,
        });
    }
    if standing.spec == *spec && standing.state != "parked" {
        return Ok(Change::Unchanged);
    }
    let now = row.get("now");
    change(tx, &standing, spec, actor, now).await?;
    Ok(Change::Changed)
}

/// All connections by name, at most [`LIST_MAX`].
///
/// # Errors
/// As any statement; [`StoreError::Corrupt`] for a word that this version does not know.
pub async fn list(client: &Client) -> Result<Vec<ConnectionRow>, StoreError> {
    let rows = client
        .query(LIST, &[&LIST_MAX], "listing connections")
        .await?;
    rows.iter().map(connection).collect()
}

/// One connection by name; `None` where there is none.
///
/// # Errors
/// As [`list`].
pub async fn find(client: &Client, name: &str) -> Result<Option<ConnectionRow>, StoreError> {
    let row = client
        .query_opt(FIND, &[&name], "reading a connection")
        .await?;
    row.as_ref().map(connection).transpose()
}

async fn create(tx: &Tx<'_>, spec: &ConnectionSpec, actor: &str) -> Result<Change, StoreError> {
    let id = ConnectionId::generate();
    let lifetimes = json!(spec.token_lifetimes);
    tx.execute(
        INSERT,
        &[
            &id.0,
            &spec.provider.as_str(),
            &spec.name,
            &spec.base_url,
            &spec.credential_ref,
            &spec.token_lifetime_s,
            &lifetimes,
            &spec.clock_skew_s,
            &spec.in_flight_max,
            &spec.jobs_max,
            &state_word(spec),
            &spec.fence_delay_s,
            &spec.fence_approval,
        ],
        "creating a connection",
    )
    .await?;
    let data =
        json!({"connection": id, "name": spec.name, "change": "created", "to": described(spec)});
    let event = AuditEvent::new(AuditKind::ConnectionChanged, tx.now().await?, actor, data);
    audit::insert(tx, &[event]).await?;
    Ok(Change::Created)
}

async fn change(
    tx: &Tx<'_>,
    standing: &ConnectionRow,
    spec: &ConnectionSpec,
    actor: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let lifetimes = json!(spec.token_lifetimes);
    tx.execute_one(
        UPDATE,
        &[
            &standing.id.0,
            &spec.base_url,
            &spec.credential_ref,
            &spec.token_lifetime_s,
            &lifetimes,
            &spec.clock_skew_s,
            &spec.in_flight_max,
            &spec.jobs_max,
            &state_word(spec),
            &spec.fence_delay_s,
            &spec.fence_approval,
        ],
        "changing a connection",
    )
    .await?;
    let data = json!({
        "connection": standing.id, "name": spec.name, "change": "changed", "state_from": standing.state,
        "from": described(&standing.spec), "to": described(spec),
    });
    let mut events = vec![AuditEvent::new(
        AuditKind::ConnectionChanged,
        now,
        actor,
        data,
    )];
    if !spec.closed {
        events.extend(unpark(tx, standing.id, actor, now).await?);
    }
    audit::insert(tx, &events).await
}

/// Parked jobs wait again, ramped; those that are due are rung.
async fn unpark(
    tx: &Tx<'_>,
    connection: ConnectionId,
    actor: &str,
    now: Timestamp,
) -> Result<Vec<AuditEvent>, StoreError> {
    let rows = tx
        .query(
            worker_connection::UNPARK,
            &[&connection.0],
            "returning parked jobs",
        )
        .await?;
    let mut bells = Vec::new();
    let mut events = Vec::new();
    for row in &rows {
        let id = JobId(row.get("id"));
        let (provider, urgency): (Provider, Urgency) =
            (word(row, "provider")?, word(row, "urgency")?);
        if row.get::<_, Timestamp>("due_at") <= now {
            bells.push(Bell::work(id, provider, urgency));
        }
        let data = json!({"from": "parked", "to": "waiting", "connection": connection});
        let mut event = AuditEvent::new(AuditKind::JobReturned, now, actor, data).job(id);
        event.subject = Some(sever_domain::SubjectId(row.get("subject_id")));
        event.opt_out = Some(sever_domain::OptOutId(row.get("opt_out_id")));
        events.push(event);
    }
    outbox::ring(tx, &bells).await?;
    Ok(events)
}

fn state_word(spec: &ConnectionSpec) -> &'static str {
    if spec.closed { "closed" } else { "open" }
}

/// What an audit event says of a configuration: everything, for none of it is secret.
fn described(spec: &ConnectionSpec) -> Value {
    json!({
        "provider": spec.provider, "base_url": spec.base_url, "credential": spec.credential_ref,
        "token_lifetime_s": spec.token_lifetime_s, "token_lifetimes": spec.token_lifetimes,
        "clock_skew_s": spec.clock_skew_s, "in_flight_max": spec.in_flight_max, "jobs_max": spec.jobs_max,
        "fence_delay_s": spec.fence_delay_s, "fence_approval": spec.fence_approval, "state": state_word(spec),
    })
}

fn connection(row: &Row) -> Result<ConnectionRow, StoreError> {
    let state: String = row.get("state");
    let breaker = Breaker {
        opened_at: row.get("breaker_opened_at"),
        retry_at: row.get("breaker_until"),
        ..Breaker::default()
    };
    let lifetimes: Value = row.get("token_lifetimes");
    let token_lifetimes =
        serde_json::from_value(lifetimes).map_err(|error| StoreError::Corrupt {
            column: "connection.token_lifetimes",
            problem: error.to_string(),
        })?;
    Ok(ConnectionRow {
        id: ConnectionId(row.get::<_, Uuid>("id")),
        spec: ConnectionSpec {
            name: row.get("name"),
            provider: word(row, "provider")?,
            base_url: row.get("base_url"),
            credential_ref: row.get("credential_ref"),
            token_lifetime_s: row.get("token_lifetime_s"),
            token_lifetimes,
            clock_skew_s: row.get("clock_skew_s"),
            in_flight_max: row.get("in_flight_max"),
            jobs_max: row.get("jobs_max"),
            fence_delay_s: row.get("fence_delay_s"),
            fence_approval: row.get("fence_approval"),
            closed: state == "closed",
        },
        state,
        state_reason: row.get("state_reason"),
        blocked_until: row.get("blocked_until"),
        breaker: breaker.state(row.get("now")),
        breaker_opened_at: breaker.opened_at,
        breaker_until: breaker.retry_at,
        version: row.get("version"),
        created_at: row.get("created_at"),
        jobs_open: row.get("jobs_open"),
    })
}
