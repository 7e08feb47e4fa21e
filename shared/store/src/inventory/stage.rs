//! Staging: what was seen, copied in binary form with the cursor that stands behind it.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use sever_domain::identity::AccountAttributes;
use sever_domain::inventory::ObservedKind;
use sever_domain::{AccountState, EntitlementKind};
use sha2::{Digest as _, Sha256};
use tokio_postgres::types::Type;

use super::run::RunLease;
use super::subject::{self, SubjectReading};
use crate::error::StoreError;
use crate::pool::{Client, Tx};

/// The most rows of one batch: what one transaction copies, and what a crash makes a worker read again.
pub const BATCH_MAX: usize = 20_000;

/// The row of the run is locked first, so that nobody appends whose lease is lost.
const ADVANCE: &str = "
UPDATE inventory_run SET cursor = $3, accounts = accounts + $4, entitlements = entitlements + $5, set_aside = set_aside + $6,
       lease_until = now() + make_interval(secs => $7)
WHERE id = $1 AND lease_token = $2 AND state = 'running'";

const SET_ASIDE: &str = "
INSERT INTO inventory_set_aside (run_id, no, family, digest, reason)
SELECT $1::uuid, (SELECT coalesce(max(no), 0) FROM inventory_set_aside WHERE run_id = $1) + place, family, digest, reason
FROM unnest($2::text[], $3::bytea[], $4::text[]) WITH ORDINALITY AS input (family, digest, reason, place)";

/// What an account can be matched with a person by. The attributes themselves are stored nowhere beside what was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MatchKeys {
    /// Of the login.
    pub login: Option<i64>,
    /// Of the e-mail address.
    pub mail: Option<i64>,
    /// Of given and family name together.
    pub name: Option<i64>,
    /// Of the employee number.
    pub number: Option<i64>,
}

/// One account, or one application, as the provider showed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedAccount {
    /// What it is.
    pub kind: ObservedKind,
    /// The provider's immutable id.
    pub provider_id: String,
    /// What it can do.
    pub state: AccountState,
    /// What it can be matched by.
    pub keys: MatchKeys,
    /// When the provider answered.
    pub seen_at: Timestamp,
}

/// One thing that gives access, as the provider showed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedEntitlement {
    /// The immutable id of what holds it; empty where the provider names nobody.
    pub account_id: String,
    /// Its family.
    pub kind: EntitlementKind,
    /// The provider's key of it; never a secret.
    pub provider_key: String,
    /// Whether it gives administrative power.
    pub privileged: bool,
    /// When the provider answered.
    pub seen_at: Timestamp,
}

/// A record that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// The family that it would belong to.
    pub family: EntitlementKind,
    /// SHA-256 of the record.
    pub digest: [u8; 32],
    /// What is wrong with it, without personal data.
    pub reason: String,
}

/// Rows that are committed together, with the place where reading goes on.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Batch {
    /// Accounts and applications.
    pub accounts: Vec<ObservedAccount>,
    /// What hangs on them.
    pub entitlements: Vec<ObservedEntitlement>,
    /// What could not be read.
    pub set_aside: Vec<SetAside>,
    /// Accounts that were read one by one.
    pub readings: Vec<SubjectReading>,
    /// Where reading goes on after these rows; the worker's own words.
    pub cursor: Value,
}

impl Batch {
    /// How many rows it copies.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.accounts.len() + self.entitlements.len()
    }
}

/// The first 64 bits of the SHA-256 of a trimmed text in lower case, as `match_key` in the database has it; `None` for an empty one.
#[must_use]
pub fn match_key(text: &str) -> Option<i64> {
    let text = text.trim_matches([' ', '\t', '\r', '\n']).to_lowercase();
    if text.is_empty() {
        return None;
    }
    let digest = Sha256::digest(text.as_bytes());
    let first = digest.first_chunk::<8>().copied().unwrap_or_default();
    Some(i64::from_be_bytes(first))
}

impl MatchKeys {
    /// The keys of what a provider showed.
    #[must_use]
    pub fn of(attributes: &AccountAttributes) -> Self {
        let key = |text: &Option<String>| text.as_deref().and_then(match_key);
        let part = |text: &Option<String>| {
            let trimmed = text
                .as_deref()
                .map(|text| text.trim_matches([' ', '\t', '\r', '\n']));
            trimmed.filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let name = part(&attributes.given_name).zip(part(&attributes.family_name));
        Self {
            login: key(&attributes.login),
            mail: key(&attributes.email),
            name: name.and_then(|(given, family)| match_key(&format!("{given}\n{family}"))),
            number: key(&attributes.employee_number),
        }
    }
}

/// Copies a batch and moves the run's cursor behind it, in one transaction; extends the lease by `lease_for`.
///
/// # Errors
/// [`StoreError::Conflict`] where the lease is lost; nothing of the batch is stored then.
///
/// # Panics
/// On a batch above [`BATCH_MAX`].
pub async fn append(
    client: &mut Client,
    lease: &RunLease,
    batch: &Batch,
    lease_for: Duration,
) -> Result<(), StoreError> {
    assert!(batch.rows() <= BATCH_MAX, "the caller cuts batches");
    let tx = client.begin().await?;
    let count = |rows: usize| i64::try_from(rows).unwrap_or(i64::MAX);
    tx.execute_one(
        ADVANCE,
        &[
            &lease.run.0,
            &lease.token,
            &batch.cursor,
            &count(batch.accounts.len()),
            &count(batch.entitlements.len()),
            &count(batch.set_aside.len()),
            &lease_for.as_secs_f64(),
        ],
        "moving the cursor of an inventory",
    )
    .await?;
    copy_accounts(&tx, lease.no, &batch.accounts).await?;
    copy_entitlements(&tx, lease.no, &batch.entitlements).await?;
    set_aside(&tx, lease, &batch.set_aside).await?;
    subject::note(&tx, lease, &batch.readings).await?;
    tx.commit().await
}

async fn copy_accounts(tx: &Tx<'_>, no: i32, rows: &[ObservedAccount]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let types = [
        Type::INT4,
        Type::TEXT,
        Type::TEXT,
        Type::TEXT,
        Type::INT8,
        Type::INT8,
        Type::INT8,
        Type::INT8,
        Type::TIMESTAMPTZ,
    ];
    let mut copy = tx
        .copy_in(
            &format!("COPY inventory.account_{no} FROM STDIN (FORMAT binary)"),
            &types,
        )
        .await?;
    for row in rows {
        let keys = &row.keys;
        copy.row(&[
            &no,
            &row.kind.as_str(),
            &row.provider_id.as_str(),
            &row.state.as_str(),
            &keys.login,
            &keys.mail,
            &keys.name,
            &keys.number,
            &row.seen_at,
        ])
        .await?;
    }
    copy.finish().await
}

async fn copy_entitlements(
    tx: &Tx<'_>,
    no: i32,
    rows: &[ObservedEntitlement],
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let types = [
        Type::INT4,
        Type::TEXT,
        Type::TEXT,
        Type::TEXT,
        Type::BOOL,
        Type::TIMESTAMPTZ,
    ];
    let mut copy = tx
        .copy_in(
            &format!("COPY inventory.entitlement_{no} FROM STDIN (FORMAT binary)"),
            &types,
        )
        .await?;
    for row in rows {
        copy.row(&[
            &no,
            &row.account_id.as_str(),
            &row.kind.as_str(),
            &row.provider_key.as_str(),
            &row.privileged,
            &row.seen_at,
        ])
        .await?;
    }
    copy.finish().await
}

async fn set_aside(tx: &Tx<'_>, lease: &RunLease, records: &[SetAside]) -> Result<(), StoreError> {
    if records.is_empty() {
        return Ok(());
    }
    let families: Vec<&str> = records
        .iter()
        .map(|record| record.family.as_str())
        .collect();
    let digests: Vec<&[u8]> = records
        .iter()
        .map(|record| record.digest.as_slice())
        .collect();
    let reasons: Vec<&str> = records
        .iter()
        .map(|record| record.reason.as_str())
        .collect();
    let values: &[&(dyn tokio_postgres::types::ToSql + Sync)] =
        &[&lease.run.0, &families, &digests, &reasons];
    tx.execute(SET_ASIDE, values, "setting records of an inventory aside")
        .await
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_do_not_depend_on_case_or_blanks_and_empty_texts_have_none() {
        assert_eq!(
            match_key(" Ada@Example.test\n"),
            match_key("ada@example.test")
        );
        assert_eq!(match_key(" \t"), None);
        let no_family = AccountAttributes {
            given_name: Some("Ada".into()),
            family_name: Some(" ".into()),
            ..Default::default()
        };
        assert_eq!(MatchKeys::of(&no_family).name, None);
    }
}
