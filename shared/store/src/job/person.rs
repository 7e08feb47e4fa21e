//! The attributes by which a job's subject is looked up and matched. Personal data: never logged.

use sever_domain::SubjectId;
use sever_domain::identity::PersonAttributes;

use crate::error::StoreError;
use crate::pool::Store;

const ATTRIBUTES: &str = "
SELECT given_name, family_name, emails, ARRAY(SELECT external_id FROM person_key WHERE person_id = person.id) AS external_ids
FROM person WHERE id = $1";

/// A person's attributes; `None` for a subject that is no person.
///
/// # Errors
/// As any statement.
pub async fn person_attributes(
    store: &Store,
    subject: SubjectId,
) -> Result<Option<PersonAttributes>, StoreError> {
    let doing = "reading a person's attributes";
    let row = store
        .client(doing)
        .await?
        .query_opt(ATTRIBUTES, &[&subject.0], doing)
        .await?;
    Ok(row.map(|row| PersonAttributes {
        emails: row.get("emails"),
        given_name: row.get("given_name"),
        family_name: row.get("family_name"),
        external_ids: row.get("external_ids"),
    }))
}
