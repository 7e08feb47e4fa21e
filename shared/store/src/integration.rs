//! Integrations in the directory, applied from configuration: who answers for each, and by which ids connections know it.
//!
//! A new id is a candidate until a worker has read it. An id that a file no longer names is refuted: nothing is done there
//! any more, and what was read and done stays on record.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::json;
use sever_audit::{AuditEvent, AuditKind};
use sever_domain::{ConnectionId, SubjectId, SubjectKind};
use thiserror::Error;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::audit;
use crate::connection::Change;
use crate::error::StoreError;
use crate::pool::Tx;
use crate::subject::LockedSubject;

/// Changes of the directory take turns, so that two of them cannot make the same integration twice.
const TAKE_TURN: &str = "SELECT 1 FROM directory_census FOR UPDATE";

/// Locks the subject against accepts and intents; not against rows that refer to it.
const LOCK: &str = "
SELECT subject.id, subject.version, integration.vendor, integration.owner, now() AS now
FROM integration JOIN subject ON subject.id = integration.id
WHERE integration.name = $1
FOR NO KEY UPDATE OF subject";

const CONNECTIONS: &str = "SELECT id, name FROM connection WHERE name = ANY($1)";

/// Ids that somebody else has: confirmed as anybody's, or listed for another integration.
const TAKEN: &str = "
SELECT connection.name AS connection, wanted.provider_id, binding.state, subject.kind, integration.name AS owner
FROM unnest($2::uuid[], $3::text[]) AS wanted (connection_id, provider_id)
JOIN binding ON binding.connection_id = wanted.connection_id AND binding.provider_id = wanted.provider_id
JOIN connection ON connection.id = binding.connection_id
JOIN subject ON subject.id = binding.subject_id
LEFT JOIN integration ON integration.id = subject.id
WHERE binding.subject_id <> $1
  AND (binding.state = 'confirmed' OR (binding.kind = 'application' AND binding.state <> 'refuted'))
ORDER BY connection.name, wanted.provider_id LIMIT 1";

const INSERT_SUBJECT: &str = "INSERT INTO subject (id, kind) VALUES ($1, 'integration')";
const INSERT: &str = "INSERT INTO integration (id, name, vendor, owner) VALUES ($1, $2, $3, $4)";
const UPDATE: &str =
    "UPDATE integration SET vendor = $2, owner = $3, updated_at = now() WHERE id = $1";
const TOUCH: &str = "UPDATE integration SET updated_at = now() WHERE id = $1";

/// An id that was taken out and is named again is a candidate again.
const LIST_IDS: &str = "
INSERT INTO binding (id, subject_id, connection_id, kind, provider_id, state, basis)
SELECT gen_random_uuid(), $1, connection_id, 'application', provider_id, 'candidate', 'operator'
FROM unnest($2::uuid[], $3::text[]) AS listed (connection_id, provider_id)
ON CONFLICT (subject_id, connection_id, kind, provider_id)
DO UPDATE SET state = 'candidate', basis = 'operator' WHERE binding.state = 'refuted'
RETURNING connection_id, provider_id";

const TAKE_OUT_IDS: &str = "
UPDATE binding SET state = 'refuted', basis = 'operator'
WHERE subject_id = $1 AND kind = 'application' AND state <> 'refuted'
  AND (connection_id, provider_id) NOT IN (SELECT * FROM unnest($2::uuid[], $3::text[]))
RETURNING connection_id, provider_id";

const BUMP: &str = "UPDATE subject SET version = version + 1 WHERE id = $1";

/// An integration as it is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntegrationSpec {
    /// Its name, unique; lower-case letters, digits, `_` and `-`, at most 63.
    pub name: String,
    /// Who makes it; may be empty.
    pub vendor: String,
    /// The role in the organisation that answers for it; never a person's name.
    pub owner: String,
    /// Its immutable ids by the name of the connection that knows it, each with 1 to 256 characters.
    pub provider_ids: BTreeMap<String, BTreeSet<String>>,
}

/// Why an integration cannot be applied.
#[derive(Debug, Error)]
pub enum IntegrationError {
    /// It names a connection that there is not.
    #[error("'{connection}' is no connection: apply it first")]
    UnknownConnection {
        /// The name.
        connection: String,
    },
    /// Somebody else has the id.
    #[error("'{provider_id}' is {owner}: take it out there first, or correct it")]
    Taken {
        /// The connection's name.
        connection: String,
        /// The id.
        provider_id: String,
        /// Whose it is, and how sure that is; continues «the id is».
        owner: String,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes the integration what is wanted: new ids are candidates, ids that are not named any more are refuted. Its subject's
/// version grows only if an id came or went. Waits for other changes of the directory to finish.
///
/// # Errors
/// [`IntegrationError`]; the caller's transaction must then be dropped.
pub async fn apply(
    tx: &Tx<'_>,
    spec: &IntegrationSpec,
    actor: &str,
) -> Result<Change, IntegrationError> {
    let doing = "applying an integration";
    tx.query(TAKE_TURN, &[], doing).await?;
    let ids = Ids::of(tx, spec).await?;
    let standing = tx.query_opt(LOCK, &[&spec.name], doing).await?;
    let id = standing.as_ref().map_or_else(SubjectId::generate, |row| {
        SubjectId(row.get::<_, Uuid>("id"))
    });
    refuse_taken(tx, id, &ids).await?;
    let renamed = match &standing {
        None => {
            tx.execute(INSERT_SUBJECT, &[&id.0], doing).await?;
            let values: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
                [&id.0, &spec.name, &spec.vendor, &spec.owner];
            tx.execute(INSERT, &values, doing).await?;
            true
        }
        Some(row) => redescribe(tx, id, spec, row).await?,
    };
    let moved = move_ids(tx, id, &ids).await?;
    let change = match (&standing, renamed || moved.any()) {
        (None, _) => Change::Created,
        (Some(_), true) => Change::Changed,
        (Some(_), false) => return Ok(Change::Unchanged),
    };
    if standing.is_some() && moved.any() {
        tx.execute_one(BUMP, &[&id.0], "letting a subject's version grow")
            .await?;
        tx.execute(TOUCH, &[&id.0], doing).await?;
    }
    let now = tx.now().await?;
    audit::insert(tx, &[event(id, spec, change, &moved, actor, now)]).await?;
    Ok(change)
}

/// Locks the integration of this name until the transaction ends.
///
/// # Errors
/// As any statement.
pub async fn lock_by_name(tx: &Tx<'_>, name: &str) -> Result<Option<LockedSubject>, StoreError> {
    let row = tx
        .query_opt(LOCK, &[&name], "locking an integration by name")
        .await?;
    Ok(row.map(|row| LockedSubject {
        id: SubjectId(row.get("id")),
        kind: SubjectKind::Integration,
        version: row.get("version"),
        employment: None,
        now: row.get("now"),
    }))
}

/// The wanted ids, as the statements take them.
struct Ids<'a> {
    connections: Vec<Uuid>,
    provider_ids: Vec<&'a str>,
}

impl<'a> Ids<'a> {
    async fn of(tx: &Tx<'_>, spec: &'a IntegrationSpec) -> Result<Self, IntegrationError> {
        let names: Vec<&str> = spec.provider_ids.keys().map(String::as_str).collect();
        let rows = tx
            .query(CONNECTIONS, &[&names], "reading the connections")
            .await?;
        let known: BTreeMap<String, Uuid> = rows
            .iter()
            .map(|row| (row.get("name"), row.get("id")))
            .collect();
        let mut ids = Self {
            connections: Vec::new(),
            provider_ids: Vec::new(),
        };
        for (connection, listed) in &spec.provider_ids {
            let unknown = || IntegrationError::UnknownConnection {
                connection: connection.clone(),
            };
            let id = known.get(connection).ok_or_else(unknown)?;
            for provider_id in listed {
                ids.connections.push(*id);
                ids.provider_ids.push(provider_id);
            }
        }
        Ok(ids)
    }
}

async fn refuse_taken(tx: &Tx<'_>, id: SubjectId, ids: &Ids<'_>) -> Result<(), IntegrationError> {
    let doing = "looking for other owners of an integration's ids";
    let taken = tx
        .query_opt(TAKEN, &[&id.0, &ids.connections, &ids.provider_ids], doing)
        .await?;
    let Some(row) = taken else {
        return Ok(());
    };
    let whose = match row.get::<_, Option<&str>>("owner") {
        Some(name) => format!("the integration '{name}'s"),
        None => format!("a {}'s", row.get::<_, &str>("kind")),
    };
    let sure = match row.get::<_, &str>("state") {
        "confirmed" => "confirmed as",
        _ => "listed as",
    };
    Err(IntegrationError::Taken {
        connection: row.get("connection"),
        provider_id: row.get("provider_id"),
        owner: format!("{sure} {whose}"),
    })
}

/// Whether vendor or owner changed.
async fn redescribe(
    tx: &Tx<'_>,
    id: SubjectId,
    spec: &IntegrationSpec,
    standing: &Row,
) -> Result<bool, StoreError> {
    let (vendor, owner): (&str, &str) = (standing.get("vendor"), standing.get("owner"));
    if (vendor, owner) == (&spec.vendor, &spec.owner) {
        return Ok(false);
    }
    let doing = "changing an integration";
    tx.execute_one(UPDATE, &[&id.0, &spec.vendor, &spec.owner], doing)
        .await?;
    Ok(true)
}

/// Ids that came and went, each with its connection.
struct Moved {
    listed: Vec<(ConnectionId, String)>,
    taken_out: Vec<(ConnectionId, String)>,
}

impl Moved {
    fn any(&self) -> bool {
        !self.listed.is_empty() || !self.taken_out.is_empty()
    }
}

async fn move_ids(tx: &Tx<'_>, id: SubjectId, ids: &Ids<'_>) -> Result<Moved, StoreError> {
    let doing = "storing the ids of an integration";
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
        [&id.0, &ids.connections, &ids.provider_ids];
    let pair = |row: &Row| {
        (
            ConnectionId(row.get("connection_id")),
            row.get("provider_id"),
        )
    };
    let taken_out = tx.query(TAKE_OUT_IDS, &values, doing).await?;
    let listed = tx.query(LIST_IDS, &values, doing).await?;
    Ok(Moved {
        listed: listed.iter().map(pair).collect(),
        taken_out: taken_out.iter().map(pair).collect(),
    })
}

fn event(
    id: SubjectId,
    spec: &IntegrationSpec,
    change: Change,
    moved: &Moved,
    actor: &str,
    now: Timestamp,
) -> AuditEvent {
    let data = json!({
        "name": spec.name, "change": change.as_str(), "vendor": spec.vendor, "owner": spec.owner,
        "ids_listed": moved.listed, "ids_taken_out": moved.taken_out,
    });
    AuditEvent::new(AuditKind::IntegrationChanged, now, actor, data).subject(id)
}
