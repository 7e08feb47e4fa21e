//! Accept: the one way in. Bodies are read once into types, the person is found, and one transaction
//! records the request, its opt-out and jobs, the audit events and the bells.
//!
//! - [`LeaverEvent`], [`OptOutRequest`]: what comes in, as types that hold nothing faulty.
//! - [`accept_leaver_event`], [`accept_opt_out`]: the transaction. Only after it returns `Ok` may the
//!   sender be told so (202, AMQP ack).
//! - [`accept_repair`]: an opt-out that takes away again what came back, under a question of its own.
//! - [`retry_unmatched`], [`release_request`]: requests that waited for their person, or for a decision.
//! - [`foretell`], [`open_restore`]: what a removal would do, and the way back from one that was.
//! - [`reject`]: what cannot be taken in, kept for a person to see.

#![cfg_attr(test, allow(clippy::unwrap_used))] // a failed unwrap is a failed test

mod ask;
mod asker;
mod attach;
mod cancel;
mod correlate;
mod error;
mod foretell;
mod json;
mod leaver_event;
mod leaver_event_body;
mod opt_out_request;
mod record;
mod rejected;
mod release;
mod remove;
mod restore;
mod stay;
mod unmatched;
mod write;

pub use asker::Asker;
pub use cancel::{CancelError, Cancelled, cancel};
pub use error::{AcceptError, FieldFault};
pub use foretell::{ForetellRequest, PlanRequestBody, foretell};
pub use json::{canonical_digest, parse_json};
pub use leaver_event::{BODY_BYTES_MAX, LeaverEvent};
pub use leaver_event_body::{LeaverData, LeaverEventBody, PersonInEvent};
pub use opt_out_request::{OptOutRequest, OptOutRequestBody, PersonRef, RequestScope, Whom};
pub use record::{Accepted, Repair, accept_leaver_event, accept_opt_out, accept_repair};
pub use rejected::reject;
pub use release::{ReleaseError, release_request};
pub use restore::{Opened, RestoreError, open_restore};
pub use unmatched::{Retried, retry_unmatched};
