//! Calls that did not give an answer, classified by whether they can have had their effect.

use std::time::Duration;

use sever_domain::OutcomeClass;

use crate::call::{CallError, Sent};

use super::rate_headers::RateHeaders;

/// The bare error of a call; the caller adds what it knows.
fn error(doing: &'static str, what: &str, class: OutcomeClass, sent: Sent) -> CallError {
    CallError {
        doing,
        what: what.to_owned(),
        class,
        sent,
        status: None,
        code: None,
        provider_request_id: None,
        retry_after: None,
    }
}

/// Nothing was sent: no slot or no rate within the deadline.
pub(super) fn not_sent_in_time(doing: &'static str) -> CallError {
    error(
        doing,
        "the deadline passed while the call waited for its turn",
        OutcomeClass::Retry,
        Sent::NotApplied,
    )
}

/// The deadline passed after the call had begun.
pub(super) fn no_answer_in_time(doing: &'static str) -> CallError {
    error(
        doing,
        "the provider did not answer within the deadline",
        OutcomeClass::Retry,
        Sent::MayBeApplied,
    )
}

/// The bucket is closed by what the provider said before.
pub(super) fn rate_kept(doing: &'static str, wait: Duration) -> CallError {
    CallError {
        retry_after: Some(wait),
        ..error(
            doing,
            "the rate of this endpoint is used up",
            OutcomeClass::RetryAt,
            Sent::NotApplied,
        )
    }
}

/// The provider answered 429.
pub(super) fn refused_by_rate(
    doing: &'static str,
    headers: &RateHeaders,
    provider_request_id: Option<String>,
) -> CallError {
    let concurrency = headers.is_concurrency_limit();
    let retry_after = headers.wait().filter(|_| !concurrency);
    let (what, class) = match (concurrency, retry_after) {
        (true, _) => (
            "the provider has too many calls under way",
            OutcomeClass::Retry,
        ),
        (false, Some(_)) => ("the provider's rate is used up", OutcomeClass::RetryAt),
        (false, None) => (
            "the provider's rate is used up and it did not say for how long",
            OutcomeClass::Retry,
        ),
    };
    CallError {
        status: Some(429),
        provider_request_id,
        retry_after,
        ..error(doing, what, class, Sent::NotApplied)
    }
}

/// The provider answered 503 and said when to come back (RFC 9110 section 15.6.4).
pub(super) fn away(
    doing: &'static str,
    wait: Duration,
    provider_request_id: Option<String>,
) -> CallError {
    CallError {
        status: Some(503),
        provider_request_id,
        retry_after: Some(wait),
        ..error(
            doing,
            "the provider is away and said until when",
            OutcomeClass::RetryAt,
            Sent::MayBeApplied,
        )
    }
}

/// The body was longer than is read. A read has no effect; a write's is unknown.
pub(super) fn body_too_long(doing: &'static str, status: u16) -> CallError {
    CallError {
        status: Some(status),
        ..error(
            doing,
            "the answer is longer than 8 MiB",
            OutcomeClass::Permanent,
            Sent::MayBeApplied,
        )
    }
}

/// The network failed. Only a connection that never came up is surely without effect; reqwest names
/// neither host nor URL here, and its own text is not used because it may.
pub(super) fn transport(doing: &'static str, cause: &reqwest::Error) -> CallError {
    if cause.is_connect() {
        error(
            doing,
            "no connection to the provider (refused, name not found, or TLS failed)",
            OutcomeClass::Retry,
            Sent::NotApplied,
        )
    } else if cause.is_builder() {
        error(
            doing,
            "the request cannot be built",
            OutcomeClass::Permanent,
            Sent::NotApplied,
        )
    } else {
        error(
            doing,
            "the connection broke before the answer was whole",
            OutcomeClass::Retry,
            Sent::MayBeApplied,
        )
    }
}
