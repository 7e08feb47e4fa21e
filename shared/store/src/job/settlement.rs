//! The ways in which a job leaves its worker.

use std::time::Duration;

use serde_json::Value;
use sever_domain::{HoldPolicy, HoldReason, JobEvent, OutcomeClass};

/// A hold to be opened.
#[derive(Debug, Clone, PartialEq)]
pub struct HoldRequest {
    /// Why.
    pub reason: HoldReason,
    /// What may go on meanwhile.
    pub policy: HoldPolicy,
    /// Whether it stops the whole opt-out or this job only.
    pub on_opt_out: bool,
    /// What a person needs to decide; pseudonymous ids only.
    pub detail: Value,
}

/// A job that a person must look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// `provider:action:class:code`.
    pub fingerprint: String,
    /// Why, in plain words.
    pub reason: String,
}

/// How a job leaves its worker.
#[derive(Debug, Clone, PartialEq)]
pub enum Settlement {
    /// The closing inspection found nothing live; of a restore: everything that can come back is back.
    Done,
    /// The plan that was asked for is stored.
    Foretold {
        /// What would stop it at once, in our words.
        stopped_by: Option<String>,
    },
    /// Something else must come first.
    Wait {
        /// `consistency`, `fence`, `rate`, `propagation`, `revision`.
        why: &'static str,
        /// How long.
        after: Duration,
    },
    /// A passing fault.
    Retry {
        /// How long to back off.
        after: Duration,
        /// What failed, in our words.
        what: String,
    },
    /// The provider named the instant; the whole connection is left alone until then.
    RetryAt {
        /// How long.
        after: Duration,
    },
    /// The credential is wrong: the connection is parked with its job.
    Credentials {
        /// What the provider said, in our words.
        what: String,
    },
    /// It can never work as asked.
    Dead(DeadLetter),
    /// A person must decide.
    Held(HoldRequest),
    /// An open hold, opened before, stops it.
    StoppedByHold,
    /// This process is stopping.
    Drain,
    /// The opt-out was called off while the job ran.
    CalledOff,
}

impl Settlement {
    /// Its class.
    #[must_use]
    pub const fn class(&self) -> OutcomeClass {
        match self {
            Self::Done | Self::Foretold { .. } => OutcomeClass::Done,
            Self::Wait { .. } => OutcomeClass::Wait,
            Self::Retry { .. } => OutcomeClass::Retry,
            Self::RetryAt { .. } => OutcomeClass::RetryAt,
            Self::Credentials { .. } => OutcomeClass::Credentials,
            Self::Dead(_) => OutcomeClass::Permanent,
            Self::Held(_) | Self::StoppedByHold | Self::CalledOff => OutcomeClass::NeedsPerson,
            Self::Drain => OutcomeClass::ShuttingDown,
        }
    }

    pub(super) const fn event(&self) -> JobEvent {
        match self {
            Self::Done => JobEvent::Prove,
            Self::Foretold { .. } => JobEvent::Foretell,
            Self::Wait { .. } | Self::RetryAt { .. } => JobEvent::Wait,
            Self::Retry { .. } => JobEvent::Retry,
            Self::Credentials { .. } => JobEvent::Credentials,
            Self::Dead(_) => JobEvent::DeadLetter,
            Self::Held(_) | Self::StoppedByHold => JobEvent::Hold,
            Self::CalledOff => JobEvent::Cancel,
            Self::Drain => JobEvent::Drain,
        }
    }

    pub(super) fn reason(&self) -> Option<String> {
        match self {
            Self::Done | Self::Drain => None,
            Self::Foretold { stopped_by } => stopped_by.clone(),
            Self::Wait { why, .. } => Some((*why).to_owned()),
            Self::Retry { what, .. } | Self::Credentials { what } => Some(what.clone()),
            Self::RetryAt { .. } => Some("rate".to_owned()),
            Self::Dead(letter) => Some(letter.reason.clone()),
            Self::Held(hold) => Some(hold.reason.to_string()),
            Self::StoppedByHold => Some("hold".to_owned()),
            Self::CalledOff => Some("called_off".to_owned()),
        }
    }

    pub(super) const fn after(&self) -> Duration {
        match self {
            Self::Wait { after, .. } | Self::Retry { after, .. } | Self::RetryAt { after } => {
                *after
            }
            Self::Done
            | Self::Foretold { .. }
            | Self::Credentials { .. }
            | Self::Dead(_)
            | Self::Held(_)
            | Self::StoppedByHold
            | Self::CalledOff
            | Self::Drain => Duration::ZERO,
        }
    }
}
