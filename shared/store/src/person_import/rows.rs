//! The rows of an import, written by few statements whatever its size.

use std::collections::BTreeSet;

use sever_domain::{SourceId, SubjectId};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::{ImportedPerson, Owner};
use crate::error::StoreError;
use crate::person::normal_email;
use crate::pool::Tx;

const TRUSTED: &str = "SELECT trusted FROM source WHERE id = $1";

const INSERT_SUBJECTS: &str =
    "INSERT INTO subject (id, kind) SELECT id, 'person' FROM unnest($1::uuid[]) AS new (id)";

const INSERT_PEOPLE: &str = "
INSERT INTO person (id, given_name, family_name, emails, employment_state)
SELECT id, given, family, coalesce(string_to_array(nullif(emails, ''), E'\\n'), '{}'), state
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[]) AS new (id, given, family, emails, state)";

const INSERT_KEYS: &str = "
INSERT INTO person_key (person_id, source_id, external_id)
SELECT person_id, $1, external_id FROM unnest($2::uuid[], $3::text[]) AS new (person_id, external_id)
ON CONFLICT DO NOTHING RETURNING person_id";

/// The people of whom something differs, as `person` and `new`. What an employment event said is not
/// overwritten by a list that may be older, and a source that shares a person with another one adds e-mails
/// and takes none.
macro_rules! differing {
    ($head:literal, $tail:literal) => {
        concat!(
            $head,
            "
FROM (
    SELECT input.id, given, family,
           CASE WHEN (SELECT count(*) FROM person_key WHERE person_key.person_id = input.id) > 1
                THEN ARRAY(SELECT DISTINCT unnest(person.emails || input.listed) ORDER BY 1) ELSE input.listed END AS emails,
           CASE WHEN EXISTS (SELECT FROM employment_event WHERE employment_event.person_id = input.id)
                THEN person.employment_state ELSE input.state END AS state
    FROM (SELECT id, given, family, coalesce(string_to_array(nullif(emails, ''), E'\\n'), '{}') AS listed, state
          FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[]) AS line (id, given, family, emails, state)) AS input
    JOIN person ON person.id = input.id
) AS new",
            $tail,
            "
  AND (person.given_name, person.family_name, person.emails, person.employment_state)
      IS DISTINCT FROM (new.given, new.family, new.emails, new.state)"
        )
    };
}

/// Accept locks the subject before the person, so an import does too.
const LOCK_DIFFERING: &str = concat!(
    differing!(
        "SELECT person.id, person.employment_state = 'left' AND new.state <> 'left' AS is_back",
        "
JOIN person USING (id) JOIN subject USING (id)
WHERE true"
    ),
    "
ORDER BY subject.id FOR NO KEY UPDATE OF subject"
);

const UPDATE_PEOPLE: &str = concat!(
    differing!(
        "
UPDATE person SET given_name = new.given, family_name = new.family, emails = new.emails, employment_state = new.state, updated_at = now()",
        "
WHERE person.id = new.id"
    ),
    "
RETURNING person.id"
);

const INSERT_CANDIDATES: &str = "
INSERT INTO binding (id, subject_id, connection_id, kind, provider_id, state, basis)
SELECT gen_random_uuid(), subject_id, connection_id, 'account', provider_id, 'candidate', 'source_listed'
FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS new (subject_id, connection_id, provider_id)
ON CONFLICT (subject_id, connection_id, kind, provider_id) DO NOTHING RETURNING subject_id";

/// The columns of some lines, as the statements take them.
pub(super) struct Columns<'a> {
    pub(super) ids: Vec<Uuid>,
    pub(super) given: Vec<Option<&'a str>>,
    pub(super) family: Vec<Option<&'a str>>,
    pub(super) emails: Vec<String>,
    pub(super) states: Vec<&'static str>,
}

impl<'a> Columns<'a> {
    pub(super) fn of(lines: &[(SubjectId, &'a ImportedPerson)]) -> Self {
        let emails = |line: &ImportedPerson| {
            let normal: Vec<String> = line
                .emails
                .iter()
                .map(|email| normal_email(email))
                .collect();
            normal.join("\n")
        };
        Self {
            ids: lines.iter().map(|(id, _)| id.0).collect(),
            given: lines
                .iter()
                .map(|(_, line)| line.given_name.as_deref())
                .collect(),
            family: lines
                .iter()
                .map(|(_, line)| line.family_name.as_deref())
                .collect(),
            emails: lines.iter().map(|(_, line)| emails(line)).collect(),
            states: lines
                .iter()
                .map(|(_, line)| line.employment.as_str())
                .collect(),
        }
    }
}

pub(super) async fn insert_people(tx: &Tx<'_>, new: &Columns<'_>) -> Result<(), StoreError> {
    if new.ids.is_empty() {
        return Ok(());
    }
    tx.execute(INSERT_SUBJECTS, &[&new.ids], "making subjects")
        .await?;
    tx.execute(
        INSERT_PEOPLE,
        &[&new.ids, &new.given, &new.family, &new.emails, &new.states],
        "making people",
    )
    .await
    .map(drop)
}

/// Returns who changed, and who had left and is there again.
pub(super) async fn update_people(
    tx: &Tx<'_>,
    known: &Columns<'_>,
) -> Result<(Vec<Uuid>, Vec<SubjectId>), StoreError> {
    if known.ids.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let values: &[&(dyn ToSql + Sync)] = &[
        &known.ids,
        &known.given,
        &known.family,
        &known.emails,
        &known.states,
    ];
    let differing = tx.query(LOCK_DIFFERING, values, "locking changed people");
    let differing = differing.await?;
    let rows = tx.query(UPDATE_PEOPLE, values, "changing people").await?;
    let back = differing.iter().filter(|row| row.get("is_back"));
    Ok((
        rows.iter().map(|row| row.get("id")).collect(),
        back.map(|row| SubjectId(row.get("id"))).collect(),
    ))
}

pub(super) async fn insert_keys(
    tx: &Tx<'_>,
    source: SourceId,
    owners: &[Owner],
    lines: &[&ImportedPerson],
) -> Result<BTreeSet<Uuid>, StoreError> {
    let people: Vec<Uuid> = owners.iter().map(|owner| owner.id.0).collect();
    let keys: Vec<&str> = lines.iter().map(|line| line.external_id.as_str()).collect();
    let rows = tx
        .query(
            INSERT_KEYS,
            &[&source.0, &people, &keys],
            "storing keys of people",
        )
        .await?;
    Ok(rows.iter().map(|row| row.get("person_id")).collect())
}

/// Returns whose candidates are new, once per binding, and how many ids an untrusted source listed.
pub(super) async fn insert_candidates(
    tx: &Tx<'_>,
    source: SourceId,
    owners: &[Owner],
    lines: &[&ImportedPerson],
) -> Result<(Vec<Uuid>, usize), StoreError> {
    let listed: BTreeSet<(Uuid, Uuid, &str)> = owners
        .iter()
        .zip(lines)
        .flat_map(|(owner, line)| {
            line.accounts
                .iter()
                .map(|(connection, id)| (owner.id.0, connection.0, id.as_str()))
        })
        .collect();
    if listed.is_empty() {
        return Ok((Vec::new(), 0));
    }
    let doing = "storing candidate bindings";
    let trusted = tx.query_opt(TRUSTED, &[&source.0], doing).await?;
    if !trusted.is_some_and(|row| row.get("trusted")) {
        return Ok((Vec::new(), listed.len()));
    }
    let subjects: Vec<Uuid> = listed.iter().map(|(subject, _, _)| *subject).collect();
    let connections: Vec<Uuid> = listed
        .iter()
        .map(|(_, connection, _)| *connection)
        .collect();
    let ids: Vec<&str> = listed.iter().map(|(_, _, id)| *id).collect();
    let rows = tx
        .query(INSERT_CANDIDATES, &[&subjects, &connections, &ids], doing)
        .await?;
    Ok((rows.iter().map(|row| row.get("subject_id")).collect(), 0))
}
