//! People as they are shown to operators. Rows hold personal data: never logged.

use std::str::FromStr;

use jiff::Timestamp;
use sever_domain::employment::EmploymentState;
use sever_domain::identity::{BindingBasis, BindingState};
use sever_domain::{BindingId, Provider, SubjectId};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::error::StoreError;
use crate::pool::Client;
use crate::row::word;

/// The most people that one page holds.
pub const PAGE_MAX: i64 = 500;

macro_rules! select {
    ($tail:literal) => {
        concat!(
            "
SELECT person.id, given_name, family_name, emails, employment_state, updated_at, subject.version, now() AS now,
       ARRAY(SELECT source.name || ':' || person_key.external_id FROM person_key JOIN source ON source.id = person_key.source_id
             WHERE person_key.person_id = person.id ORDER BY 1) AS keys
FROM person JOIN subject ON subject.id = person.id ",
            $tail
        )
    };
}

const FIND: &str = select!("WHERE person.id = $1");
const PAGE: &str = select!(
    "WHERE ($1::uuid IS NULL OR person.id > $1) AND ($2::text IS NULL OR employment_state = $2) ORDER BY person.id LIMIT $3"
);
const BY_KEY: &str = "
SELECT person_id FROM person_key JOIN source ON source.id = person_key.source_id
WHERE source.name = $1 AND external_id = $2";

const BINDINGS: &str = "
SELECT binding.id, connection.name AS connection, connection.provider, provider_id, binding.state, basis, confirmed_at
FROM binding JOIN connection ON connection.id = binding.connection_id
WHERE subject_id = $1 ORDER BY connection.name, provider_id";

/// How a person is named: by Sever's id, or by a key at a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PersonRef {
    /// Sever's own id.
    Id(SubjectId),
    /// A key at a source, `source:external_id`.
    Key {
        /// The source's name.
        source: String,
        /// The id there.
        external_id: String,
    },
}

/// A text that names no person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a person is named by Sever's id (a UUID) or as source:external_id")]
pub struct NoPersonRef;

impl FromStr for PersonRef {
    type Err = NoPersonRef;

    fn from_str(text: &str) -> Result<Self, NoPersonRef> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Id(id));
        }
        match text.split_once(':') {
            Some((source, external_id)) if !source.is_empty() && !external_id.is_empty() => {
                Ok(Self::Key {
                    source: source.to_owned(),
                    external_id: external_id.to_owned(),
                })
            }
            Some(_) | None => Err(NoPersonRef),
        }
    }
}

/// A person in the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonRow {
    /// The subject id: the pseudonym.
    pub id: SubjectId,
    /// Given name.
    pub given_name: Option<String>,
    /// Family name.
    pub family_name: Option<String>,
    /// E-mail addresses.
    pub emails: Vec<String>,
    /// What the sources last said.
    pub employment_state: EmploymentState,
    /// The keys, each as `source:external_id`.
    pub keys: Vec<String>,
    /// Grows with every change that an intent must not overlook.
    pub version: i64,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When this was read, by the database's clock.
    pub now: Timestamp,
}

/// One account that is, or could be, a person's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindingRow {
    /// Its id.
    pub id: BindingId,
    /// The connection's name.
    pub connection: String,
    /// The provider.
    pub provider: Provider,
    /// The provider's id of the account.
    pub provider_id: String,
    /// What is known of it.
    pub state: BindingState,
    /// Why it is believed.
    pub basis: BindingBasis,
    /// When it was confirmed.
    pub confirmed_at: Option<Timestamp>,
}

/// The subject that a reference names; `None` where nobody has this key. An id is not looked up.
///
/// # Errors
/// As any statement.
pub async fn resolve(client: &Client, person: &PersonRef) -> Result<Option<SubjectId>, StoreError> {
    match person {
        PersonRef::Id(id) => Ok(Some(*id)),
        PersonRef::Key {
            source,
            external_id,
        } => {
            let row = client
                .query_opt(BY_KEY, &[source, external_id], "looking up a person's key")
                .await?;
            Ok(row.map(|row| SubjectId(row.get("person_id"))))
        }
    }
}

/// One person; `None` where nobody is named so.
///
/// # Errors
/// As any statement; [`StoreError::Corrupt`] for a word that this version does not know.
pub async fn find(client: &Client, person: &PersonRef) -> Result<Option<PersonRow>, StoreError> {
    let Some(id) = resolve(client, person).await? else {
        return Ok(None);
    };
    let row = client.query_opt(FIND, &[&id.0], "reading a person").await?;
    row.as_ref().map(row_of).transpose()
}

/// A page of people by id, at most `limit` (1 to [`PAGE_MAX`]), after the last of the page before.
///
/// # Errors
/// As [`find`].
pub async fn page(
    client: &Client,
    after: Option<SubjectId>,
    employment: Option<EmploymentState>,
    limit: i64,
) -> Result<Vec<PersonRow>, StoreError> {
    let after = after.map(|id| id.0);
    let employment = employment.map(EmploymentState::as_str);
    let limit = limit.clamp(1, PAGE_MAX);
    let rows = client
        .query(PAGE, &[&after, &employment, &limit], "listing people")
        .await?;
    rows.iter().map(row_of).collect()
}

/// The accounts that are, or could be, a subject's.
///
/// # Errors
/// As [`find`].
pub async fn bindings(client: &Client, subject: SubjectId) -> Result<Vec<BindingRow>, StoreError> {
    let rows = client
        .query(BINDINGS, &[&subject.0], "reading the bindings of a subject")
        .await?;
    rows.iter().map(binding).collect()
}

fn row_of(row: &Row) -> Result<PersonRow, StoreError> {
    Ok(PersonRow {
        id: SubjectId(row.get("id")),
        given_name: row.get("given_name"),
        family_name: row.get("family_name"),
        emails: row.get("emails"),
        employment_state: word(row, "employment_state")?,
        keys: row.get("keys"),
        version: row.get("version"),
        updated_at: row.get("updated_at"),
        now: row.get("now"),
    })
}

fn binding(row: &Row) -> Result<BindingRow, StoreError> {
    Ok(BindingRow {
        id: BindingId(row.get::<_, Uuid>("id")),
        connection: row.get("connection"),
        provider: word(row, "provider")?,
        provider_id: row.get("provider_id"),
        state: word(row, "state")?,
        basis: word(row, "basis")?,
        confirmed_at: row.get("confirmed_at"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_named_by_id_or_by_key_and_by_nothing_else() {
        let key = PersonRef::Key {
            source: "hr".into(),
            external_id: "a:7".into(),
        };
        assert_eq!("hr:a:7".parse(), Ok(key));
        let id = SubjectId::generate();
        assert_eq!(id.to_string().parse(), Ok(PersonRef::Id(id)));
        for wrong in ["", "ada", ":7", "hr:"] {
            assert_eq!(wrong.parse::<PersonRef>(), Err(NoPersonRef), "{wrong}");
        }
    }
}
