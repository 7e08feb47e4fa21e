//! Releasing a hold that stops a request. What the request asks for is then done by accept, in the same
//! transaction.

use sever_audit::AuditKind;
use sever_domain::hold::{HoldScope, HoldState};
use sever_domain::{HoldId, RequestId};

use crate::audit;
use crate::hold_decision::{Approver, HoldError, decide, decision_event, lock};
use crate::pool::Tx;

/// Releases the hold and returns the request that it stopped.
///
/// # Errors
/// [`HoldError::NotFound`] also for a hold that stops something else, [`HoldError::NotOpen`],
/// [`HoldError::Requester`]; the caller's transaction must then be dropped.
pub async fn release(
    tx: &Tx<'_>,
    id: HoldId,
    approver: Approver<'_>,
    decision: &str,
) -> Result<RequestId, HoldError> {
    let hold = lock(tx, id, approver).await?;
    if hold.scope != HoldScope::Request {
        return Err(HoldError::NotFound(id));
    }
    decide(tx, &hold, HoldState::Released, approver, decision).await?;
    let event = decision_event(AuditKind::HoldReleased, &hold, approver, decision);
    audit::insert(tx, &[event]).await?;
    Ok(RequestId(hold.target))
}
