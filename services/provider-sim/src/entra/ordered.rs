//! Answers that a fault rule orders instead of the real ones.

use std::time::Duration;

use hyper::header::HeaderName;

use crate::entra::call::Call;
use crate::entra::error::ApiError;
use crate::entra::rate::{retry_after, too_many};
use crate::entra::settings::Settings;
use crate::exchange::Reply;
use crate::faults::Consequence;
use crate::pace::Pace;

/// The answer that a fault rule orders instead of the real one.
pub fn reply(settings: &Settings, call: &Call, status: u16, order: &Consequence) -> Reply {
    let mut error = match status {
        401 => ApiError::invalid_token("Access token validation failure."),
        403 => ApiError::denied(),
        404 => ApiError::not_found("ordered"),
        409 => ApiError::new(
            409,
            "Directory_ConcurrencyViolation",
            "Concurrency violation.",
        ),
        429 => too_many(),
        503 => ApiError::new(503, "serviceNotAvailable", "The service is unavailable."),
        504 => ApiError::new(504, "UnknownError", "Gateway timeout."),
        _ => ApiError::new(status, "generalException", "An unexpected error occurred."),
    };
    if matches!(status, 429 | 503) {
        let wait_ms = i64::try_from(order.reset_in_s.unwrap_or(1)).unwrap_or(1) * 1000;
        error.retry_after = retry_after(settings.retry_after, wait_ms);
    }
    let mut reply = error.reply(settings, call);
    if let Some(body) = &order.body {
        reply.body = Reply::json(status, body).body;
    }
    reply.status = status;
    for (name, value) in &order.headers {
        if let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
            reply.headers.retain(|(other, _)| *other != name);
            reply = reply.with_header(name, value);
        }
    }
    reply
}

/// How the body of the answer is sent.
pub fn pace(order: &Consequence) -> Pace {
    match order.slow_body_ms {
        _ if order.half_body => Pace::Half,
        Some(ms) => Pace::Slow {
            pieces: 4,
            pause: Duration::from_millis(ms / 4),
        },
        None => Pace::AtOnce,
    }
}
