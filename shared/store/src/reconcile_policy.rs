//! How a connection is reconciled: how often it is read, what is done about each situation, whose an account without a binding is,
//! and how many findings one inventory may open.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde_json::{Value, json};
use sever_audit::{AuditEvent, AuditKind};
use sever_domain::{ConnectionId, DriftAction, Situation};
use thiserror::Error;

use crate::audit;
use crate::error::StoreError;
use crate::pool::{Client, Tx};
use crate::row::word;

/// Seconds between full inventories where nobody says: the column's default.
pub const FULL_EVERY_S: i64 = 86_400;
/// The most findings that one inventory may open where nobody says: the column's default.
pub const FINDINGS_MAX: i64 = 10_000;
/// The same in percent of the accounts seen.
pub const FINDINGS_PERCENT: f64 = 1.0;
/// Findings that any inventory may open where nobody says.
pub const FINDINGS_MIN: i64 = 50;
/// Accounts that a full inventory reads one by one where nobody says: the column's default.
pub const SAMPLE: i32 = 100;

const SETTINGS: &str = "
SELECT connection.id, full_every_s, incremental_every_s, findings_max, findings_percent, findings_min, source.name AS directory_of,
       credential_expires_at, sample
FROM connection JOIN reconcile_setting ON reconcile_setting.connection_id = connection.id
LEFT JOIN source ON source.id = reconcile_setting.directory_of";

const ACTIONS: &str = "SELECT connection_id, situation, action FROM situation_policy";

const RULES: &str = "SELECT connection_id, mail, name, number FROM correlation_rule ORDER BY connection_id, ordinal";

const LOCK: &str = "SELECT id FROM connection WHERE name = $1 FOR UPDATE";

const SOURCE: &str = "SELECT id FROM source WHERE name = $1";

const SET: &str = "
INSERT INTO reconcile_setting (connection_id, full_every_s, incremental_every_s, findings_max, findings_percent, findings_min, directory_of,
       credential_expires_at, sample)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (connection_id) DO UPDATE SET full_every_s = excluded.full_every_s, incremental_every_s = excluded.incremental_every_s,
    findings_max = excluded.findings_max, findings_percent = excluded.findings_percent, findings_min = excluded.findings_min,
    directory_of = excluded.directory_of, credential_expires_at = excluded.credential_expires_at, sample = excluded.sample";

const FORGET: [&str; 2] = [
    "DELETE FROM situation_policy WHERE connection_id = $1",
    "DELETE FROM correlation_rule WHERE connection_id = $1",
];

const SET_ACTIONS: &str = "
INSERT INTO situation_policy (connection_id, situation, action) SELECT $1::uuid, * FROM unnest($2::text[], $3::text[])";

const SET_RULES: &str = "
INSERT INTO correlation_rule (connection_id, ordinal, mail, name, number)
SELECT $1::uuid, ordinal::int4, mail, name, number
FROM unnest($2::bool[], $3::bool[], $4::bool[]) WITH ORDINALITY AS rule (mail, name, number, ordinal)";

/// Which attributes must agree for an account without a binding to count as a person's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CorrelationRule {
    /// Login or e-mail.
    pub mail: bool,
    /// The full name.
    pub name: bool,
    /// The employee number.
    pub number: bool,
}

impl CorrelationRule {
    /// Whether it may be a rule: an e-mail alone, or a name alone, never says whose an account is.
    #[must_use]
    pub const fn suffices(self) -> bool {
        self.number || (self.mail && self.name)
    }
}

/// How one connection is reconciled.
#[derive(Debug, Clone, PartialEq)]
pub struct ReconcilePolicy {
    /// Seconds between full inventories.
    pub full_every_s: i64,
    /// Seconds between incremental ones; `None` for none.
    pub incremental_every_s: Option<i64>,
    /// The most findings that one inventory may open.
    pub findings_max: i64,
    /// The same in percent of the accounts seen.
    pub findings_percent: f64,
    /// Findings that any inventory may open.
    pub findings_min: i64,
    /// Accounts that a full inventory reads one by one for what no list shows.
    pub sample: i32,
    /// The source whose people it is the directory of.
    pub directory_of: Option<String>,
    /// When its credential runs out, as whoever made it says.
    pub credential_expires_at: Option<Timestamp>,
    /// What is done about a situation, where it is not the default.
    pub actions: BTreeMap<Situation, DriftAction>,
    /// The correlation rules; empty for any two attributes.
    pub rules: Vec<CorrelationRule>,
}

impl Default for ReconcilePolicy {
    fn default() -> Self {
        Self {
            full_every_s: FULL_EVERY_S,
            incremental_every_s: None,
            findings_max: FINDINGS_MAX,
            findings_percent: FINDINGS_PERCENT,
            findings_min: FINDINGS_MIN,
            sample: SAMPLE,
            directory_of: None,
            credential_expires_at: None,
            actions: BTreeMap::new(),
            rules: Vec::new(),
        }
    }
}

/// Why a policy cannot be applied.
#[derive(Debug, Error)]
pub enum PolicyError {
    /// The source is not known.
    #[error(
        "connection '{connection}' cannot be the directory of '{source_name}': there is no such source; make it first"
    )]
    NoSource {
        /// The connection.
        connection: String,
        /// The source that was named.
        source_name: String,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The policies of all connections that have one; the others have [`ReconcilePolicy::default`].
///
/// # Errors
/// As any statement; [`StoreError::Corrupt`] for a word that this version does not know.
pub async fn all(client: &Client) -> Result<HashMap<ConnectionId, ReconcilePolicy>, StoreError> {
    let doing = "reading how connections are reconciled";
    let settings = client.query(SETTINGS, &[], doing).await?;
    let actions = client.query(ACTIONS, &[], doing).await?;
    let rules = client.query(RULES, &[], doing).await?;
    collect(&settings, &actions, &rules)
}

fn collect(
    settings: &[tokio_postgres::Row],
    actions: &[tokio_postgres::Row],
    rules: &[tokio_postgres::Row],
) -> Result<HashMap<ConnectionId, ReconcilePolicy>, StoreError> {
    let mut all: HashMap<ConnectionId, ReconcilePolicy> = HashMap::new();
    for row in settings {
        let policy = all.entry(ConnectionId(row.get("id"))).or_default();
        policy.full_every_s = row.get("full_every_s");
        policy.incremental_every_s = row.get("incremental_every_s");
        policy.findings_max = row.get("findings_max");
        policy.findings_percent = row.get("findings_percent");
        policy.findings_min = row.get("findings_min");
        policy.sample = row.get("sample");
        policy.directory_of = row.get("directory_of");
        policy.credential_expires_at = row.get("credential_expires_at");
    }
    for row in actions {
        let policy = all
            .entry(ConnectionId(row.get("connection_id")))
            .or_default();
        policy
            .actions
            .insert(word(row, "situation")?, word(row, "action")?);
    }
    for row in rules {
        let policy = all
            .entry(ConnectionId(row.get("connection_id")))
            .or_default();
        policy.rules.push(CorrelationRule {
            mail: row.get("mail"),
            name: row.get("name"),
            number: row.get("number"),
        });
    }
    Ok(all)
}

/// Makes a connection's policy what is wanted; returns whether it differs from before. The next inventory obeys it.
///
/// # Errors
/// [`PolicyError`]; the caller's transaction must then be dropped.
pub async fn apply(
    tx: &Tx<'_>,
    connection: &str,
    wanted: &ReconcilePolicy,
    actor: &str,
) -> Result<bool, PolicyError> {
    let doing = "applying how a connection is reconciled";
    let rows = tx.query(LOCK, &[&connection], doing).await?;
    let row = rows.first().ok_or(StoreError::Conflict { doing })?;
    let id = ConnectionId(row.get("id"));
    let source = match &wanted.directory_of {
        None => None,
        Some(name) => {
            let row = tx.query_opt(SOURCE, &[name], doing).await?;
            let missing = || PolicyError::NoSource {
                connection: connection.to_owned(),
                source_name: name.clone(),
            };
            Some(row.ok_or_else(missing)?.get::<_, uuid::Uuid>("id"))
        }
    };
    let settings = tx.query(SETTINGS, &[], doing).await?;
    let actions = tx.query(ACTIONS, &[], doing).await?;
    let rules = tx.query(RULES, &[], doing).await?;
    let standing = collect(&settings, &actions, &rules)?
        .remove(&id)
        .unwrap_or_default();
    if standing == *wanted {
        return Ok(false);
    }
    write(tx, id, wanted, source).await?;
    let data = json!({
        "connection": id, "name": connection, "change": "reconcile", "from": described(&standing), "to": described(wanted),
    });
    let event = AuditEvent::new(AuditKind::ConnectionChanged, tx.now().await?, actor, data);
    audit::insert(tx, &[event]).await?;
    Ok(true)
}

async fn write(
    tx: &Tx<'_>,
    id: ConnectionId,
    wanted: &ReconcilePolicy,
    source: Option<uuid::Uuid>,
) -> Result<(), StoreError> {
    let doing = "applying how a connection is reconciled";
    tx.execute(
        SET,
        &[
            &id.0,
            &wanted.full_every_s,
            &wanted.incremental_every_s,
            &wanted.findings_max,
            &wanted.findings_percent,
            &wanted.findings_min,
            &source,
            &wanted.credential_expires_at,
            &wanted.sample,
        ],
        doing,
    )
    .await?;
    for statement in FORGET {
        tx.execute(statement, &[&id.0], doing).await?;
    }
    let situations: Vec<&str> = wanted.actions.keys().map(|one| one.as_str()).collect();
    let actions: Vec<&str> = wanted.actions.values().map(|one| one.as_str()).collect();
    tx.execute(SET_ACTIONS, &[&id.0, &situations, &actions], doing)
        .await?;
    let attribute = |of: fn(&CorrelationRule) -> bool| wanted.rules.iter().map(of).collect();
    let (mail, name, number): (Vec<bool>, Vec<bool>, Vec<bool>) = (
        attribute(|rule| rule.mail),
        attribute(|rule| rule.name),
        attribute(|rule| rule.number),
    );
    tx.execute(SET_RULES, &[&id.0, &mail, &name, &number], doing)
        .await
        .map(drop)
}

/// What an audit event says of a policy: everything, for none of it is secret.
fn described(policy: &ReconcilePolicy) -> Value {
    let rules = policy
        .rules
        .iter()
        .map(|rule| json!({"mail": rule.mail, "name": rule.name, "number": rule.number}));
    json!({
        "full_every_s": policy.full_every_s, "incremental_every_s": policy.incremental_every_s,
        "findings_max": policy.findings_max, "findings_percent": policy.findings_percent, "findings_min": policy.findings_min, "sample": policy.sample,
        "directory_of": policy.directory_of, "credential_expires_at": policy.credential_expires_at.map(|at| at.to_string()), "actions": policy.actions, "rules": rules.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_single_soft_attribute_says_whose_an_account_is() {
        let rule = |mail, name, number| CorrelationRule { mail, name, number }.suffices();
        assert!(
            !rule(true, false, false) && !rule(false, true, false) && !rule(false, false, false)
        );
        assert!(rule(true, true, false) && rule(false, false, true));
    }
}
