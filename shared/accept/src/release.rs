//! Releasing a request that a hold stops: a person has said whom it means, or that it counts in spite of
//! its age or a newer event.

use sever_domain::{HoldId, SourceId, SubjectId};
use sever_store::hold_decision::{Approver, HoldError};
use sever_store::opt_out::usable_connections;
use sever_store::{Store, StoreError, Tx, employment, hold_request, person, request, subject};
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
    /// The request is about another person than the one named.
    #[error("the request is about {stored}, not the person named: name nobody, or reject it")]
    OtherPerson {
        /// Whom it is about.
        stored: SubjectId,
    },
    /// The source's key belongs to another person than the one named.
    #[error("the key in the request is that of {owner} since: name that person, or reject it")]
    KeyTaken {
        /// Whose key it is.
        owner: SubjectId,
    },
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
    if let (Some(stored), Some(named)) = (stored.subject, person)
        && stored != named
    {
        return Err(ReleaseError::OtherPerson { stored });
    }
    let whom = stored
        .subject
        .or(person)
        .ok_or(HoldError::NeedsPerson(hold))?;
    let known = subject::lock(&tx, whom).await?;
    let locked = known.ok_or(AcceptError::UnknownPerson {
        field: "/person/id",
    })?;
    if let (None, Some(source), Some(key)) =
        (stored.subject, stored.source, stored.external_id.as_deref())
    {
        give_key(&tx, whom, source, key).await?;
    }
    let mut ask = Ask::of_stored(stored, approver.actor)?;
    ask.approved = true;
    let placed = place(&tx, &ask, &locked, &usable_connections(&tx).await?).await?;
    tx.commit().await.map_err(ReleaseError::from)?;
    Ok(accepted(id, placed, true))
}

/// From now on the source's key is this person's, unless somebody got it while the request was held.
async fn give_key(
    tx: &Tx<'_>,
    whom: SubjectId,
    source: SourceId,
    key: &str,
) -> Result<(), ReleaseError> {
    person::add_key(tx, whom, source, key).await?;
    let owner = person::lock_by_key(tx, source, key).await?;
    if let Some(owner) = owner.filter(|owner| owner.id != whom) {
        return Err(ReleaseError::KeyTaken { owner: owner.id });
    }
    employment::bump_version(tx, whom).await?;
    Ok(())
}
