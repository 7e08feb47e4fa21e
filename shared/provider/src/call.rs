//! What a call to a provider came to, in classes rather than strings.

use std::time::Duration;

use sever_domain::OutcomeClass;
use thiserror::Error;

/// How a provider answered a write that it took, or did not need to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerKind {
    /// It did it.
    Done,
    /// It was already so.
    AlreadyGone,
}

/// The provider's answer to a write. Never proof: a fresh read decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Done, or already so.
    pub kind: AnswerKind,
    /// The HTTP status.
    pub status: u16,
    /// The provider's own id of the exchange, as evidence.
    pub provider_request_id: Option<String>,
}

/// Whether a failed call can have had its effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// It was surely not applied: refused, throttled, or never sent.
    NotApplied,
    /// It may have been applied: the answer was lost, late, or a server error.
    MayBeApplied,
}

/// A call that did not give what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{doing} failed: {what}{}", .code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default())]
pub struct CallError {
    /// What was being done, in the words of the step or read; no personal data.
    pub doing: &'static str,
    /// What the provider or the network said, in our words; no personal data, no secret.
    pub what: String,
    /// What it means for what happens next. Never `Done`.
    pub class: OutcomeClass,
    /// Whether it can have had its effect.
    pub sent: Sent,
    /// The HTTP status, where one came.
    pub status: Option<u16>,
    /// The provider's error code, where one came.
    pub code: Option<String>,
    /// The provider's id of the exchange, where one came.
    pub provider_request_id: Option<String>,
    /// With `RetryAt`: how long from now until the provider wants to be asked again.
    pub retry_after: Option<Duration>,
}

impl CallError {
    /// The error with the marks by which its provider finds the exchange again: status and request id, where they came.
    #[must_use]
    pub fn on_record(&self) -> String {
        let status = self.status.map(|status| format!("HTTP {status}"));
        let request = self
            .provider_request_id
            .as_ref()
            .map(|id| format!("request {id}"));
        let marks: Vec<String> = [status, request].into_iter().flatten().collect();
        match marks.is_empty() {
            true => self.to_string(),
            false => format!("{self} [{}]", marks.join(", ")),
        }
    }
}

/// An answer, or a call, that can never be used as it is: a person must look.
#[must_use]
pub const fn unusable(doing: &'static str, what: String) -> CallError {
    CallError {
        doing,
        what,
        class: OutcomeClass::NeedsPerson,
        sent: Sent::NotApplied,
        status: None,
        code: None,
        provider_request_id: None,
        retry_after: None,
    }
}

/// An answer that does not hold together now and may do so later.
#[must_use]
pub fn inconsistent(doing: &'static str, what: &str) -> CallError {
    CallError {
        class: OutcomeClass::Retry,
        ..unusable(doing, what.to_owned())
    }
}
