//! The protected list: subjects and accounts that no opt-out may touch without a person.

use jiff::Timestamp;
use serde_json::json;
use sever_audit::{AuditEvent, AuditKind};
use sever_domain::SubjectId;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::audit;
use crate::error::StoreError;
use crate::pool::{Client, Tx};

/// The most entries that one list holds.
pub const LIST_MAX: i64 = 10_000;

const LIST: &str = "
SELECT protected_principal.id, subject_id, integration.name AS integration, connection.name AS connection, provider_id, kind,
       protected_principal.owner, reason, until, protected_principal.created_at
FROM protected_principal LEFT JOIN connection ON connection.id = protected_principal.connection_id
LEFT JOIN integration ON integration.id = protected_principal.subject_id
ORDER BY protected_principal.created_at, protected_principal.id LIMIT $1";

const ADD_SUBJECT: &str = "
INSERT INTO protected_principal (id, subject_id, kind, owner, reason, until) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (subject_id) WHERE subject_id IS NOT NULL
DO UPDATE SET kind = excluded.kind, owner = excluded.owner, reason = excluded.reason, until = excluded.until
RETURNING id, now() AS now";

const ADD_ACCOUNT: &str = "
INSERT INTO protected_principal (id, connection_id, provider_id, kind, owner, reason, until)
SELECT $1, connection.id, $3, $4, $5, $6, $7 FROM connection WHERE connection.name = $2
ON CONFLICT (connection_id, provider_id) WHERE provider_id IS NOT NULL
DO UPDATE SET kind = excluded.kind, owner = excluded.owner, reason = excluded.reason, until = excluded.until
RETURNING id, now() AS now";

/// A change here is one that intents under way must not overlook.
const BUMP_SUBJECT: &str = "UPDATE subject SET version = version + 1 WHERE id = $1";
const BUMP_OWNERS: &str = "
UPDATE subject SET version = version + 1 WHERE id IN (
    SELECT binding.subject_id FROM binding JOIN connection ON connection.id = binding.connection_id
    WHERE connection.name = $1 AND binding.provider_id = $2)";

const REMOVE: &str = "
DELETE FROM protected_principal WHERE id = $1 RETURNING subject_id, provider_id, kind, now() AS now";

/// Whom or what an entry protects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// A subject, with all its accounts.
    Subject(SubjectId),
    /// One account at a connection.
    Account {
        /// The connection's name.
        connection: String,
        /// The provider's id of the account.
        provider_id: String,
    },
}

/// What is said of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protection {
    /// `break_glass`, `service_account`, `last_administrator` or `other`.
    pub kind: String,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// Until when; `None` for ever.
    pub until: Option<Timestamp>,
}

/// One entry of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtectedRow {
    /// Its id.
    pub id: Uuid,
    /// Whom or what it protects.
    pub principal: Principal,
    /// The protected integration's name, where it protects one.
    pub integration: Option<String>,
    /// What is said of it.
    pub protection: Protection,
    /// When it was added.
    pub created_at: Timestamp,
}

/// The list, oldest first, at most [`LIST_MAX`]; entries whose time is over are included.
///
/// # Errors
/// As any statement.
pub async fn list(client: &Client) -> Result<Vec<ProtectedRow>, StoreError> {
    let rows = client
        .query(LIST, &[&LIST_MAX], "listing the protected")
        .await?;
    Ok(rows.iter().map(entry).collect())
}

/// Adds an entry, or replaces what is said of the one that is there. Returns its id; `None` where the connection is not known.
///
/// # Errors
/// As any statement; an unknown subject is a foreign key violation.
pub async fn add(
    tx: &Tx<'_>,
    principal: &Principal,
    protection: &Protection,
    actor: &str,
) -> Result<Option<Uuid>, StoreError> {
    let doing = "adding to the protected list";
    let id = Uuid::now_v7();
    let Protection {
        kind,
        owner,
        reason,
        until,
    } = protection;
    let row = match principal {
        Principal::Subject(subject) => {
            tx.execute(BUMP_SUBJECT, &[&subject.0], doing).await?;
            tx.query_opt(
                ADD_SUBJECT,
                &[&id, &subject.0, kind, owner, reason, until],
                doing,
            )
            .await?
        }
        Principal::Account {
            connection,
            provider_id,
        } => {
            tx.execute(BUMP_OWNERS, &[connection, provider_id], doing)
                .await?;
            tx.query_opt(
                ADD_ACCOUNT,
                &[&id, connection, provider_id, kind, owner, reason, until],
                doing,
            )
            .await?
        }
    };
    let Some(row) = row else {
        return Ok(None);
    };
    let id: Uuid = row.get("id");
    let mut event = AuditEvent::new(
        AuditKind::ProtectionChanged,
        row.get("now"),
        actor,
        json!({"change": "added", "entry": id, "kind": kind, "owner": owner, "reason": reason, "account": account(principal)}),
    );
    event.subject = subject(principal);
    audit::insert(tx, &[event]).await?;
    Ok(Some(id))
}

/// Takes an entry off the list; `false` where there is none of this id.
///
/// # Errors
/// As any statement.
pub async fn remove(tx: &Tx<'_>, id: Uuid, actor: &str) -> Result<bool, StoreError> {
    let removed = tx
        .query_opt(REMOVE, &[&id], "removing from the protected list")
        .await?;
    let Some(row) = removed else {
        return Ok(false);
    };
    let data = json!({
        "change": "removed", "entry": id, "kind": row.get::<_, &str>("kind"),
        "account": row.get::<_, Option<&str>>("provider_id"),
    });
    let mut event = AuditEvent::new(AuditKind::ProtectionChanged, row.get("now"), actor, data);
    event.subject = row.get::<_, Option<Uuid>>("subject_id").map(SubjectId);
    audit::insert(tx, &[event]).await?;
    Ok(true)
}

fn subject(principal: &Principal) -> Option<SubjectId> {
    match principal {
        Principal::Subject(subject) => Some(*subject),
        Principal::Account { .. } => None,
    }
}

fn account(principal: &Principal) -> Option<String> {
    match principal {
        Principal::Subject(_) => None,
        Principal::Account {
            connection,
            provider_id,
        } => Some(format!("{connection}:{provider_id}")),
    }
}

fn entry(row: &Row) -> ProtectedRow {
    let subject: Option<Uuid> = row.get("subject_id");
    let principal = match subject {
        Some(subject) => Principal::Subject(SubjectId(subject)),
        None => Principal::Account {
            connection: row
                .get::<_, Option<String>>("connection")
                .unwrap_or_default(),
            provider_id: row
                .get::<_, Option<String>>("provider_id")
                .unwrap_or_default(),
        },
    };
    ProtectedRow {
        id: row.get("id"),
        principal,
        integration: row.get("integration"),
        protection: Protection {
            kind: row.get("kind"),
            owner: row.get("owner"),
            reason: row.get("reason"),
            until: row.get("until"),
        },
        created_at: row.get("created_at"),
    }
}
