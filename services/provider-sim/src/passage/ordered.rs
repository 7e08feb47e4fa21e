//! Answers that a fault rule orders instead of the real ones.

use std::time::Duration;

use hyper::header::{HeaderName, RETRY_AFTER};

use super::Instance;
use crate::exchange::Reply;
use crate::faults::Consequence;
use crate::pace::Pace;

/// The answer with `status` that a fault rule orders.
pub fn reply<S: Instance>(instance: &S, status: u16, order: &Consequence) -> Reply {
    let mut reply = match &order.body {
        Some(body) => Reply::json(status, body),
        None => instance.answer_of(&S::refusal(status)),
    };
    reply.status = status;
    if status == 429 {
        reply = with(
            reply,
            RETRY_AFTER,
            &order.reset_in_s.unwrap_or(1).to_string(),
        );
    }
    for (name, value) in &order.headers {
        if let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
            reply = with(reply, name, value);
        }
    }
    reply
}

fn with(mut reply: Reply, name: HeaderName, value: &str) -> Reply {
    reply.headers.retain(|(other, _)| *other != name);
    reply.with_header(name, value)
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
