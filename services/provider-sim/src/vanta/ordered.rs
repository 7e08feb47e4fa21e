//! Answers that a fault rule orders instead of the real ones.

use std::time::Duration;

use hyper::header::{HeaderName, RETRY_AFTER};

use crate::exchange::Reply;
use crate::faults::Consequence;
use crate::pace::Pace;
use crate::vanta::error::ApiError;
use crate::vanta::settings::Settings;

/// The answer that `order` wants, with `status`.
pub fn reply(settings: &Settings, status: u16, order: &Consequence) -> Reply {
    let message = match status {
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not found",
        429 => "Too many requests",
        503 => "Service unavailable",
        _ => "Internal server error",
    };
    let mut reply = match &order.body {
        Some(body) => Reply::json(status, body),
        None => ApiError::new(status, message).reply(settings.unconfirmed.error_body),
    };
    if status == 429
        && let Some(seconds) = order.reset_in_s
    {
        reply = reply.with_header(RETRY_AFTER, &seconds.to_string());
    }
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
