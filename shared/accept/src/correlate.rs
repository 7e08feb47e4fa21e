//! Finding whom a request means. A key decides; an e-mail only shows how many could be meant.

use sever_domain::SourceId;
use sever_store::person;
use sever_store::subject::LockedSubject;
use sever_store::{StoreError, Tx, integration, source};

use crate::error::AcceptError;
use crate::opt_out_request::Whom;

/// How many candidates are looked at; two are too many already.
const CANDIDATES: i64 = 3;

/// Whom a request may mean.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Found {
    /// This subject, whose row is locked now.
    Subject(LockedSubject),
    /// Nobody known has the key, and at most one has the e-mail.
    Nobody,
    /// Nobody known has the key, and several have the e-mail.
    Several,
}

/// Finds the person of an event.
///
/// # Errors
/// As any statement.
pub(crate) async fn by_event(
    tx: &Tx<'_>,
    source: SourceId,
    external_id: &str,
    email: Option<&str>,
) -> Result<Found, StoreError> {
    if let Some(person) = person::lock_by_key(tx, source, external_id).await? {
        return Ok(Found::Subject(person));
    }
    let Some(email) = email else {
        return Ok(Found::Nobody);
    };
    let candidates = person::by_email(tx, email, CANDIDATES).await?;
    Ok(if candidates.len() > 1 {
        Found::Several
    } else {
        Found::Nobody
    })
}

/// Finds the subject of a request for an opt-out, and locks its row.
///
/// # Errors
/// [`AcceptError::UnknownPerson`], [`AcceptError::UnknownIntegration`]; else as any statement.
pub(crate) async fn by_reference(tx: &Tx<'_>, whom: &Whom) -> Result<LockedSubject, AcceptError> {
    let (found, field) = match whom {
        Whom::Id(id) => (person::lock(tx, *id).await?, "/person/id"),
        Whom::Key {
            source,
            external_id,
        } => {
            let sources = source::by_names(tx, &[source]).await?;
            let source = sources.first().ok_or(AcceptError::UnknownPerson {
                field: "/person/source",
            })?;
            let person = person::lock_by_key(tx, source.id, external_id).await?;
            (person, "/person/external_id")
        }
        Whom::Integration { name } => {
            let found = integration::lock_by_name(tx, name).await?;
            return found.ok_or_else(|| AcceptError::UnknownIntegration { name: name.clone() });
        }
    };
    found.ok_or(AcceptError::UnknownPerson { field })
}
