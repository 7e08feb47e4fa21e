//! Releasing a request that a hold stops: a person has said whom it means, or that it counts in spite of
//! its age or a newer event.

use sever_domain::{HoldId, SubjectId};
use sever_store::hold_decision::{Approver, HoldError};
use sever_store::opt_out::usable_connections;
use sever_store::{Store, StoreError, employment, hold_request, person, request};
use thiserror::Error;

use crate::ask::Ask;
use crate::error::AcceptError;
use crate::record::{Accepted, accepted, place};

/// Why a held request cannot be released.
#[derive(Debug, Error)]
pub enum ReleaseError {
    /// The hold cannot be decided so; [`HoldError::NeedsPerson`] when nobody said whom it means.
    #[error(transparent)]
    Hold(#[from] HoldError),
    /// The request cannot be placed.
    #[error(transparent)]
    Accept(#[from] AcceptError),
}

impl From<StoreError> for ReleaseError {
    fn from(error: StoreError) -> Self {
        Self::Accept(AcceptError::Store(error))
    }
}

/// Releases the hold of a request and does what it asks, in one transaction. `person` says whom it means;
/// it is needed only where the request does not know. From then on the source's key is that person's.
///
/// # Errors
/// [`ReleaseError`]; nothing is changed then.
pub async fn release_request(
    store: &Store,
    hold: HoldId,
    person: Option<SubjectId>,
    approver: Approver<'_>,
    decision: &str,
) -> Result<Accepted, ReleaseError> {
    let mut client = store.client("releasing a request").await?;
    let tx = client.begin().await?;
    let id = hold_request::release(&tx, hold, approver, decision).await?;
    let stored = request::lock(&tx, id)
        .await?
        .ok_or(HoldError::NotFound(hold))?;
    let whom = stored
        .subject
        .or(person)
        .ok_or(HoldError::NeedsPerson(hold))?;
    let known = person::lock(&tx, whom).await?;
    let locked = known.ok_or(AcceptError::UnknownPerson {
        field: "/person/id",
    })?;
    if let (None, Some(source), Some(key)) =
        (stored.subject, stored.source, stored.external_id.as_deref())
    {
        person::add_key(&tx, whom, source, key).await?;
        employment::bump_version(&tx, whom).await?;
    }
    let mut ask = Ask::of_stored(stored, approver.actor)?;
    ask.approved = true;
    let placed = place(&tx, &ask, &locked, &usable_connections(&tx).await?).await?;
    tx.commit().await.map_err(ReleaseError::from)?;
    Ok(accepted(id, placed, true))
}
