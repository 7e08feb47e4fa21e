//! Importing people: set-based, in batches, changing only what differs.
//!
//! A key that is known keeps its person. A new key joins a person known from *another* source when both
//! an e-mail and the full name agree and nobody else comes into question; else it makes a person.

use std::collections::{BTreeMap, BTreeSet};

use sever_domain::employment::EmploymentState;
use sever_domain::{ConnectionId, SourceId, SubjectId};
use uuid::Uuid;

use crate::error::StoreError;
use crate::pool::Tx;

mod back;
mod rows;

use rows::{Columns, insert_candidates, insert_keys, insert_people, update_people};

/// The most people of one batch: what one transaction may lock.
pub const BATCH_MAX: usize = 5_000;

/// Imports take turns, so that two of them cannot make the same person twice.
const TAKE_TURN: &str = "SELECT 1 FROM directory_census FOR UPDATE";

/// E-mails travel as one text per person, separated by line feeds, because arrays of arrays must be square.
const RESOLVE: &str = "
WITH input AS (
    SELECT external_id, lower(given) AS given, lower(family) AS family,
           coalesce(string_to_array(nullif(emails, ''), E'\\n'), '{}') AS emails
    FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS input (external_id, given, family, emails)
)
SELECT input.external_id, person_key.person_id AS known, twin.ids AS twins
FROM input
LEFT JOIN person_key ON person_key.source_id = $1 AND person_key.external_id = input.external_id
LEFT JOIN LATERAL (
    SELECT array_agg(person.id) AS ids FROM person
    WHERE person_key.person_id IS NULL AND person.emails && input.emails
      AND lower(person.given_name) = input.given AND lower(person.family_name) = input.family
      AND NOT EXISTS (SELECT FROM person_key AS own WHERE own.person_id = person.id AND own.source_id = $1)
) AS twin ON true";

const BUMP: &str = "UPDATE subject SET version = version + 1 WHERE id = ANY($1)";

/// One line of an import. Personal data: never logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedPerson {
    /// The source that lists the person.
    pub source: SourceId,
    /// The source's id of the person; 1 to 256 characters.
    pub external_id: String,
    /// Given name.
    pub given_name: Option<String>,
    /// Family name.
    pub family_name: Option<String>,
    /// E-mails; stored trimmed and in lower case. Without line feeds.
    pub emails: Vec<String>,
    /// What the source says of the employment; counts until an employment event says more.
    pub employment: EmploymentState,
    /// The person's accounts: immutable ids at connections.
    pub accounts: Vec<(ConnectionId, String)>,
}

/// What an import did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ImportReport {
    /// People made.
    pub created: usize,
    /// People who existed and of whom something changed.
    pub changed: usize,
    /// People of whom nothing changed.
    pub unchanged: usize,
    /// Candidate bindings made.
    pub candidates: usize,
    /// Account ids passed over because their source is not trusted.
    pub untrusted_accounts: usize,
}

impl std::ops::AddAssign for ImportReport {
    fn add_assign(&mut self, other: Self) {
        self.created += other.created;
        self.changed += other.changed;
        self.unchanged += other.unchanged;
        self.candidates += other.candidates;
        self.untrusted_accounts += other.untrusted_accounts;
    }
}

/// Imports one batch, at most [`BATCH_MAX`] people. Of two lines with the same key the later one counts.
/// A subject's version grows only if something of it changed. An open opt-out that rests on a leave is held where the import says that
/// the person is there again. Waits for other imports to finish.
///
/// # Errors
/// As any statement; nothing is stored unless the caller commits.
///
/// # Panics
/// On a batch above [`BATCH_MAX`].
pub async fn import(tx: &Tx<'_>, people: &[ImportedPerson]) -> Result<ImportReport, StoreError> {
    assert!(people.len() <= BATCH_MAX, "the caller cuts batches");
    tx.query(TAKE_TURN, &[], "taking the turn of an import")
        .await?;
    let mut by_source: BTreeMap<SourceId, BTreeMap<&str, &ImportedPerson>> = BTreeMap::new();
    for person in people {
        let lines = by_source.entry(person.source).or_default();
        lines.insert(&person.external_id, person);
    }
    let mut report = ImportReport::default();
    for (source, lines) in by_source {
        let lines: Vec<&ImportedPerson> = lines.into_values().collect();
        report += import_of(tx, source, &lines).await?;
    }
    Ok(report)
}

/// The lines of one source, with the person that each means.
async fn import_of(
    tx: &Tx<'_>,
    source: SourceId,
    lines: &[&ImportedPerson],
) -> Result<ImportReport, StoreError> {
    let owners = resolve(tx, source, lines).await?;
    let of = |new: bool| {
        let chosen = owners.iter().zip(lines);
        chosen
            .filter(move |(owner, _)| owner.is_new == new)
            .map(|(owner, line)| (owner.id, *line))
            .collect::<Vec<_>>()
    };
    let (new, known) = (of(true), of(false));
    insert_people(tx, &Columns::of(&new)).await?;
    let mut changed = insert_keys(tx, source, &owners, lines).await?;
    let (updated, back) = update_people(tx, &Columns::of(&known)).await?;
    changed.extend(updated);
    let (candidates, untrusted_accounts) = insert_candidates(tx, source, &owners, lines).await?;
    changed.extend(&candidates);
    let created: BTreeSet<Uuid> = new.iter().map(|(id, _)| id.0).collect();
    let changed: Vec<Uuid> = changed.difference(&created).copied().collect();
    if !changed.is_empty() {
        tx.execute(BUMP, &[&changed], "letting the versions of subjects grow")
            .await?;
    }
    back::hold(tx, &back).await?;
    Ok(ImportReport {
        created: created.len(),
        changed: changed.len(),
        unchanged: lines.len() - created.len() - changed.len(),
        candidates: candidates.len(),
        untrusted_accounts,
    })
}

/// Whom a line means.
struct Owner {
    id: SubjectId,
    is_new: bool,
}

async fn resolve(
    tx: &Tx<'_>,
    source: SourceId,
    lines: &[&ImportedPerson],
) -> Result<Vec<Owner>, StoreError> {
    let columns = Columns::of(
        &lines
            .iter()
            .map(|line| (SubjectId(Uuid::nil()), *line))
            .collect::<Vec<_>>(),
    );
    let keys: Vec<&str> = lines.iter().map(|line| line.external_id.as_str()).collect();
    let rows = tx
        .query(
            RESOLVE,
            &[
                &source.0,
                &keys,
                &columns.given,
                &columns.family,
                &columns.emails,
            ],
            "finding the people of an import",
        )
        .await?;
    let mut found: BTreeMap<String, Uuid> = BTreeMap::new();
    let mut claims: BTreeMap<Uuid, Vec<String>> = BTreeMap::new();
    for row in &rows {
        let known: Option<Uuid> = row.get("known");
        let twins: Option<Vec<Uuid>> = row.get("twins");
        match (known, twins.unwrap_or_default().as_slice()) {
            (Some(person), _) => drop(found.insert(row.get("external_id"), person)),
            (None, [only]) => claims
                .entry(*only)
                .or_default()
                .push(row.get("external_id")),
            (None, _) => {}
        }
    }
    // Two new keys of one source are two people, so neither joins a person that both could be.
    for (person, keys) in claims {
        if let [key] = keys.as_slice() {
            found.insert(key.clone(), person);
        }
    }
    let owner = |line: &&ImportedPerson| match found.get(&line.external_id) {
        Some(id) => Owner {
            id: SubjectId(*id),
            is_new: false,
        },
        None => Owner {
            id: SubjectId::generate(),
            is_new: true,
        },
    };
    Ok(lines.iter().map(owner).collect())
}
