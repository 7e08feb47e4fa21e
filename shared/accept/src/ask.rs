//! One request on its way through the transaction.

use jiff::Timestamp;
use sever_domain::employment::{EmploymentEvent, EmploymentEventKind};
use sever_domain::request::RequestState;
use sever_domain::{Intent, RequestId};
use sever_store::StoreError;
use sever_store::person::normal_email;
use sever_store::request::StoredRequest;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::asker::Asker;
use crate::leaver_event::LeaverEvent;
use crate::opt_out_request::OptOutRequest;

/// The stored word for a request that is no employment event.
const OPT_OUT: &str = "opt_out";

/// What a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A source reports something about a person's employment.
    Employment(EmploymentEventKind),
    /// Somebody asks for an opt-out.
    OptOut,
}

impl Kind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Employment(kind) => kind.as_str(),
            Self::OptOut => OPT_OUT,
        }
    }
}

/// A request that is being recorded, placed again, or released.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    /// What it is about.
    pub kind: Kind,
    /// The row, as it is to be stored or is stored already.
    pub request: StoredRequest,
    /// Whether the row exists.
    pub stored: bool,
    /// Who acts: the asker, or whoever places a stored request.
    pub actor: String,
    /// Whether a person has approved it, so that age and newer events no longer count.
    pub approved: bool,
}

impl Ask {
    /// A new request for what an event reports.
    pub(crate) fn of_event(asker: &Asker, event: &LeaverEvent, now: Timestamp) -> Self {
        let leaver = event.kind == EmploymentEventKind::Leaver;
        let digest = |email: &String| Sha256::digest(normal_email(email)).to_vec();
        let request = StoredRequest {
            event_kind: event.kind.as_str().to_owned(),
            external_id: Some(event.external_id.clone()),
            email_digest: event.email.as_ref().map(digest),
            // A leaver event means that everything goes.
            intent: leaver.then_some(Intent::Remove),
            effective_at: event.effective_at,
            employment_version: Some(event.employment_version),
            occurred_at: event.occurred_at.unwrap_or(now),
            urgency: event.urgency,
            reason: event.reason.clone(),
            ..blank(asker, &event.key, event.digest, now)
        };
        Self::new(Kind::Employment(event.kind), request)
    }

    /// A new request for an opt-out, with the ids of the connections that it names.
    pub(crate) fn of_opt_out(
        asker: &Asker,
        key: &str,
        asked: &OptOutRequest,
        scope: Option<Vec<Uuid>>,
        now: Timestamp,
    ) -> Self {
        let request = StoredRequest {
            intent: Some(asked.intent),
            effective_at: Some(asked.effective_at.unwrap_or(now)),
            urgency: asked.urgency,
            reason: asked.reason.clone(),
            scope,
            ..blank(asker, key, asked.digest, now)
        };
        Self::new(Kind::OptOut, request)
    }

    fn new(kind: Kind, request: StoredRequest) -> Self {
        Self {
            kind,
            actor: request.asked_by.clone(),
            request,
            stored: false,
            approved: false,
        }
    }

    /// A request that is stored and is placed now, by `actor`.
    pub(crate) fn of_stored(request: StoredRequest, actor: &str) -> Result<Self, StoreError> {
        let kind = if request.event_kind == OPT_OUT {
            Kind::OptOut
        } else {
            let kind = request.event_kind.parse();
            Kind::Employment(kind.map_err(|error: sever_domain::UnknownWord| {
                StoreError::Corrupt {
                    column: "request.event_kind",
                    problem: error.to_string(),
                }
            })?)
        };
        Ok(Self {
            kind,
            request,
            stored: true,
            actor: actor.to_owned(),
            approved: false,
        })
    }

    /// The employment event that it reports, if it reports one.
    pub(crate) fn employment_event(&self) -> Option<EmploymentEvent> {
        let Kind::Employment(kind) = self.kind else {
            return None;
        };
        Some(EmploymentEvent {
            source: self.request.source?,
            kind,
            version: self.request.employment_version?,
            occurred_at: self.request.occurred_at,
        })
    }

    /// The field that holds the effective time, by pointer.
    pub(crate) const fn effective_field(&self) -> &'static str {
        match self.kind {
            Kind::Employment(_) => "/data/effective_at",
            Kind::OptOut => "/effective_at",
        }
    }
}

fn blank(asker: &Asker, key: &str, digest: [u8; 32], now: Timestamp) -> StoredRequest {
    StoredRequest {
        id: RequestId::generate(),
        source: asker.source,
        asked_by: asker.name.clone(),
        channel: asker.channel,
        idem_key: key.to_owned(),
        body_digest: digest,
        event_kind: OPT_OUT.to_owned(),
        external_id: None,
        email_digest: None,
        subject: None,
        intent: None,
        urgency: sever_domain::Urgency::Ordinary,
        scope: None,
        reason: String::new(),
        effective_at: None,
        employment_version: None,
        occurred_at: now,
        state: RequestState::Recorded,
    }
}
