//! What every way through the transaction writes at its end: the request's row, audit events, bells.

use futures::try_join;
use jiff::Timestamp;
use serde_json::{Value, json};
use sever_audit::{AuditEvent, AuditKind};
use sever_domain::hold::HoldScope;
use sever_domain::request::RequestState;
use sever_domain::{HoldPolicy, HoldReason, JobId, OptOutId, SubjectId};
use sever_store::opt_out::{NewHold, open_hold};
use sever_store::outbox::{self, Bell};
use sever_store::{StoreError, Tx, audit, request};
use uuid::Uuid;

use crate::ask::Ask;

/// Where a request ended up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Placed {
    /// What has become of it.
    pub state: RequestState,
    /// Whom it means, once that is known.
    pub subject: Option<SubjectId>,
    /// The opt-out to which it belongs.
    pub opt_out: Option<OptOutId>,
}

/// The audit events and bells of one transaction, in order.
pub(crate) struct Trail<'a> {
    ask: &'a Ask,
    subject: Option<SubjectId>,
    now: Timestamp,
    events: Vec<AuditEvent>,
    bells: Vec<Bell>,
}

impl<'a> Trail<'a> {
    pub(crate) fn new(ask: &'a Ask, subject: Option<SubjectId>, now: Timestamp) -> Self {
        Self {
            ask,
            subject,
            now,
            events: Vec::new(),
            bells: Vec::new(),
        }
    }

    /// Notes an event.
    pub(crate) fn add(
        &mut self,
        kind: AuditKind,
        opt_out: Option<OptOutId>,
        job: Option<JobId>,
        data: Value,
    ) {
        let mut event = AuditEvent::new(kind, self.now, self.ask.actor.as_str(), data);
        (event.subject, event.opt_out, event.job) = (self.subject, opt_out, job);
        self.events.push(event);
    }

    /// Notes a bell.
    pub(crate) fn ring(&mut self, bell: Bell) {
        self.bells.push(bell);
    }

    /// Opens a hold that lets nothing go on.
    pub(crate) async fn hold(
        &mut self,
        tx: &Tx<'_>,
        target: HoldTarget,
        reason: HoldReason,
        detail: Value,
    ) -> Result<(), StoreError> {
        let (scope, id, opt_out) = match target {
            HoldTarget::Request(id) => (HoldScope::Request, id, None),
            HoldTarget::OptOut(id) => (HoldScope::OptOut, id.0, Some(id)),
        };
        let hold = NewHold {
            scope,
            target: id,
            reason,
            policy: HoldPolicy::Nothing,
            detail: detail.clone(),
            requested_by: &self.ask.request.asked_by,
        };
        if let Some(hold) = open_hold(tx, &hold).await? {
            let data = json!({"hold": hold, "scope": scope, "target": id, "reason": reason, "detail": detail});
            self.add(AuditKind::HoldOpened, opt_out, None, data);
        }
        Ok(())
    }

    /// Writes the request's row, then everything that was noted.
    pub(crate) async fn finish(
        mut self,
        tx: &Tx<'_>,
        placed: Placed,
    ) -> Result<Placed, StoreError> {
        self.note_request(placed);
        // None of the three refers to another one, so that they share one round trip.
        try_join!(
            self.write_request(tx, placed),
            outbox::ring(tx, &self.bells),
            audit::insert(tx, &self.events)
        )?;
        Ok(placed)
    }

    async fn write_request(&self, tx: &Tx<'_>, placed: Placed) -> Result<(), StoreError> {
        let id = self.ask.request.id;
        match (self.ask.stored, placed.subject) {
            (true, Some(subject)) => {
                request::place(tx, id, subject, placed.opt_out, placed.state).await
            }
            // A stored request of whom nobody knows whom it means stays as it is.
            (true, None) => Ok(()),
            (false, subject) => {
                let mut row = self.ask.request.clone();
                (row.subject, row.state) = (subject, placed.state);
                request::insert(tx, &row, placed.opt_out).await
            }
        }
    }

    /// The request's own event comes first.
    fn note_request(&mut self, placed: Placed) {
        let request = &self.ask.request;
        let kind = match (placed.state, self.ask.stored) {
            (RequestState::Unmatched, _) => AuditKind::RequestUnmatched,
            (_, true) => AuditKind::RequestMatched,
            (_, false) => AuditKind::RequestAccepted,
        };
        let data = json!({
            "request": request.id, "channel": request.channel, "kind": self.ask.kind.as_str(), "state": placed.state,
            "intent": request.intent, "urgency": request.urgency, "scope": request.scope,
            "effective_at_us": request.effective_at.map(Timestamp::as_microsecond),
            "employment_version": request.employment_version, "asked_by": request.asked_by, "approved": self.ask.approved,
            "body_sha256": hex::encode(request.body_digest),
        });
        self.add(kind, placed.opt_out, None, data);
        self.events.rotate_right(1);
    }
}

/// What a hold stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HoldTarget {
    /// A request that belongs to no opt-out.
    Request(Uuid),
    /// An opt-out.
    OptOut(OptOutId),
}
