//! What a subject can reach by the newest inventories, with the age of each observation.

use jiff::Timestamp;
use sever_domain::{AccountState, EntitlementKind, SubjectId};

use crate::error::StoreError;
use crate::pool::Client;
use crate::row::word;

/// The most entitlements of one connection that are shown.
pub const ENTITLEMENTS_MAX: i64 = 2_000;

/// Connections without an inventory are in it, and those where no id of the subject is known: what nobody looked at is unknown.
const PLACES: &str = "
SELECT connection.id, connection.name, pointer.run_no, run.accounts,
       coalesce(array_agg(binding.provider_id ORDER BY binding.provider_id) FILTER (WHERE binding.id IS NOT NULL), '{}') AS ids
FROM connection
LEFT JOIN binding ON binding.connection_id = connection.id AND binding.subject_id = $1 AND binding.state IN ('confirmed', 'candidate')
LEFT JOIN connection_inventory AS pointer ON pointer.connection_id = connection.id
LEFT JOIN inventory_run AS run ON run.id = pointer.run_id
WHERE connection.state <> 'closed'
GROUP BY connection.id, connection.name, pointer.run_no, run.accounts ORDER BY connection.name";

const ACCOUNTS: &str = "
SELECT provider_id, state, seen_at FROM observed_account WHERE run_no = $1 AND provider_id = ANY($2) ORDER BY provider_id";

const ENTITLEMENTS: &str = "
SELECT account_id, kind, provider_key, privileged, seen_at FROM observed_entitlement
WHERE run_no = $1 AND account_id = ANY($2) ORDER BY privileged DESC, kind, provider_key LIMIT $3";

/// Families that no list shows, and when each was last read of an account; those that the newest inventory could not read, with NULL.
const CLOSELY: &str = "
SELECT account.provider_id, family.family, reading.read_at, reading.held, reading.privileged
FROM inventory_run AS run CROSS JOIN unnest($2::text[]) AS account (provider_id)
CROSS JOIN LATERAL (
    SELECT unnest(run.unlisted) AS family
    UNION SELECT run_family.family FROM run_family WHERE run_family.run_id = run.id AND run_family.result IN ('forbidden', 'failed')
) AS family
LEFT JOIN subject_reading AS reading ON reading.connection_id = run.connection_id AND reading.provider_id = account.provider_id
                                    AND reading.family = family.family
WHERE run.no = $1 ORDER BY account.provider_id, family.family";

/// The rows of a run are in unlogged tables: a crash of PostgreSQL empties them.
const ANY_ROW: &str = "SELECT EXISTS (SELECT FROM observed_account WHERE run_no = $1) AS there";

/// What was seen of a subject at one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// The connection's name.
    pub connection: String,
    /// Whether an inventory can say anything: there is one, and its rows are there.
    pub known: bool,
    /// The subject's ids there.
    pub ids: Vec<String>,
    /// The accounts that were seen.
    pub accounts: Vec<ReachedAccount>,
    /// What hangs on them, privileged first.
    pub entitlements: Vec<ReachedEntitlement>,
    /// Families that no list tells of, by account: read one by one, or unknown.
    pub closely: Vec<ReadClosely>,
}

/// A family of an account that only a reading of this account tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadClosely {
    /// The account.
    pub account_id: String,
    /// The family.
    pub kind: EntitlementKind,
    /// When it was last read whole; `None` where it never was: unknown, not empty.
    pub read_at: Option<Timestamp>,
}

/// An account, as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReachedAccount {
    /// The provider's id.
    pub provider_id: String,
    /// What it could do.
    pub state: AccountState,
    /// When that was seen.
    pub seen_at: Timestamp,
}

/// Something that gives access, as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReachedEntitlement {
    /// The account that holds it.
    pub account_id: String,
    /// Its family.
    pub kind: EntitlementKind,
    /// The provider's key of it.
    pub provider_key: String,
    /// Whether it gives administrative power.
    pub privileged: bool,
    /// When that was seen.
    pub seen_at: Timestamp,
}

/// What a subject can reach, by connection name.
///
/// # Errors
/// As any statement; [`StoreError::Corrupt`] for a word that this version does not know.
pub async fn of_subject(client: &Client, subject: SubjectId) -> Result<Vec<Reach>, StoreError> {
    let doing = "reading what a subject can reach";
    let places = client.query(PLACES, &[&subject.0], doing).await?;
    let mut reaches = Vec::with_capacity(places.len());
    for place in &places {
        let mut reach = Reach {
            connection: place.get("name"),
            known: false,
            ids: place.get("ids"),
            accounts: Vec::new(),
            entitlements: Vec::new(),
            closely: Vec::new(),
        };
        if let Some(no) = place.get::<_, Option<i32>>("run_no") {
            let empty = place.get::<_, Option<i64>>("accounts") == Some(0);
            let there: bool = client.query(ANY_ROW, &[&no], doing).await?[0].get("there");
            reach.known = there || empty;
            see(client, no, &mut reach).await?;
        }
        reaches.push(reach);
    }
    Ok(reaches)
}

async fn see(client: &Client, no: i32, reach: &mut Reach) -> Result<(), StoreError> {
    let doing = "reading what a subject can reach";
    for row in client.query(ACCOUNTS, &[&no, &reach.ids], doing).await? {
        reach.accounts.push(ReachedAccount {
            provider_id: row.get("provider_id"),
            state: word(&row, "state")?,
            seen_at: row.get("seen_at"),
        });
    }
    let rows = client
        .query(ENTITLEMENTS, &[&no, &reach.ids, &ENTITLEMENTS_MAX], doing)
        .await?;
    for row in rows {
        reach.entitlements.push(ReachedEntitlement {
            account_id: row.get("account_id"),
            kind: word(&row, "kind")?,
            provider_key: row.get("provider_key"),
            privileged: row.get("privileged"),
            seen_at: row.get("seen_at"),
        });
    }
    see_closely(client, no, reach).await
}

async fn see_closely(client: &Client, no: i32, reach: &mut Reach) -> Result<(), StoreError> {
    let doing = "reading what was read of single accounts";
    let seen: Vec<&str> = reach
        .accounts
        .iter()
        .map(|account| account.provider_id.as_str())
        .collect();
    for row in client.query(CLOSELY, &[&no, &seen], doing).await? {
        let (account_id, kind): (String, EntitlementKind) =
            (row.get("provider_id"), word(&row, "family")?);
        let read_at = row.get::<_, Option<Timestamp>>("read_at");
        if let Some(seen_at) = read_at {
            let privileged: Vec<String> = row.get("privileged");
            let held: Vec<String> = row.get("held");
            reach
                .entitlements
                .extend(held.into_iter().map(|provider_key| ReachedEntitlement {
                    account_id: account_id.clone(),
                    kind,
                    privileged: privileged.contains(&provider_key),
                    provider_key,
                    seen_at,
                }));
        }
        reach.closely.push(ReadClosely {
            account_id,
            kind,
            read_at,
        });
    }
    Ok(())
}
