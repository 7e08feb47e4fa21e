//! The words of Sever as types, and its decisions as pure functions.
//!
//! No I/O, no async, no SQL and no clock live here: time comes in as a parameter. Every state that
//! the database stores is an enum of this crate, and every change of state is a function
//! `(state, event) -> Result<state, IllegalTransition>`; the SQL update repeats it as a guard.

#![cfg_attr(test, allow(clippy::unwrap_used))] // a failed unwrap is a failed test

mod text_enum;

pub mod breaker;
pub mod claim;
pub mod closing;
pub mod dead_letter;
pub mod effective;
pub mod employment;
pub mod entitlement;
pub mod finding;
pub mod guard;
pub mod hold;
pub mod identity;
pub mod ids;
pub mod intent;
pub mod inventory;
pub mod job;
pub mod latecomer;
pub mod opt_out;
pub mod outcome;
pub mod plan;
pub mod provider;
pub mod rate;
pub mod replay;
pub mod request;
pub mod retry;
pub mod seen;
pub mod standing;
pub mod status;
pub mod step;
pub mod subject;

pub use entitlement::{AccountState, EntitlementKind};
pub use finding::{DriftAction, FindingState, Situation};
pub use hold::{HoldPolicy, HoldReason};
pub use ids::{
    BindingId, ConnectionId, DeadLetterId, DeadRawId, FindingId, HoldId, InspectionId, InstanceId,
    JobId, OptOutId, ReplayId, RequestId, RunId, SourceId, StepId, SubjectId, TokenId,
};
pub use inventory::{RunKind, RunState};
pub use job::{JobEvent, JobKind, JobState};
pub use opt_out::{Intent, OptOutState, Urgency};
pub use outcome::OutcomeClass;
pub use provider::Provider;
pub use status::Status;
pub use step::{Action, Grade, Reversibility, StepClass, StepEvent, StepState};
pub use subject::SubjectKind;
pub use text_enum::{IllegalTransition, UnknownWord};
