//! How an epoch ends, by the classes of the worker's runtime.

use std::time::Duration;

use sever_domain::OutcomeClass;
use sever_provider::CallError;

/// A provider that asks for patience and names no time.
const RATE_WAIT: Duration = Duration::from_millis(200);
/// The backoff of a retry, and the wait for what must come first: short, because nothing else happens meanwhile.
const PAUSE: Duration = Duration::from_millis(10);

/// What an epoch came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Settled {
    /// A complete closing inspection found nothing live.
    Done,
    /// Something must come first.
    Wait(Duration),
    /// Back off.
    Retry(String),
    /// The provider said when.
    RetryAt(Duration),
    /// Only manual tasks are open.
    Asked,
    /// A person must decide.
    Held(String),
    /// It can never work.
    Dead(String),
    /// The connection is parked.
    Credentials(String),
}

impl Settled {
    /// The settlement that a failed call asks for.
    pub(super) fn of(error: &CallError) -> Self {
        let what = error.to_string();
        match error.class {
            OutcomeClass::Wait => Self::Wait(error.retry_after.unwrap_or(PAUSE)),
            OutcomeClass::RetryAt => Self::RetryAt(error.retry_after.unwrap_or(RATE_WAIT)),
            OutcomeClass::Retry | OutcomeClass::Done | OutcomeClass::ShuttingDown => {
                Self::Retry(what)
            }
            OutcomeClass::Credentials => Self::Credentials(what),
            OutcomeClass::Permanent => Self::Dead(what),
            OutcomeClass::NeedsPerson => Self::Held(what),
        }
    }

    /// The graver of two: what a person must do, then what the provider asks, then what we would.
    pub(super) fn graver(one: Option<Self>, other: Self) -> Self {
        match one {
            Some(one) if one.rank() >= other.rank() => one,
            Some(_) | None => other,
        }
    }

    const fn rank(&self) -> u8 {
        match self {
            Self::Credentials(_) => 6,
            Self::Dead(_) => 5,
            Self::Held(_) => 4,
            Self::RetryAt(_) => 3,
            Self::Retry(_) => 2,
            Self::Wait(_) => 1,
            Self::Asked | Self::Done => 0,
        }
    }

    /// How long until the next epoch.
    pub(super) const fn pause(&self) -> Duration {
        match self {
            Self::Wait(wait) | Self::RetryAt(wait) => *wait,
            _ => PAUSE,
        }
    }
}
