//! Answers that a fault rule orders instead of the real ones.

use std::time::Duration;

use hyper::header::HeaderName;

use crate::exchange::Reply;
use crate::faults::Consequence;
use crate::okta::call::Call;
use crate::okta::error::{ApiError, Code};
use crate::okta::rate::Quota;
use crate::okta::state::Org;
use crate::pace::Pace;

/// The answer that a fault rule orders instead of the real one.
pub fn reply(org: &Org, call: &Call, status: u16, order: &Consequence) -> Reply {
    let code = match status {
        401 => Code::InvalidToken,
        403 => Code::Forbidden,
        404 => Code::NotFound,
        429 => Code::TooManyRequests,
        503 => Code::ReadOnly,
        _ => Code::Internal,
    };
    let error_id = format!("oae{}", &call.request_id[3..20]);
    let mut reply = match &order.body {
        Some(body) => Reply::json(status, body),
        None => ApiError::new(code).reply(&error_id, org.settings.error_causes_as_object),
    };
    reply.status = status;
    if status == 429 {
        let reset_s = call.now_ms.div_euclid(1000)
            + i64::try_from(order.reset_in_s.unwrap_or(1)).unwrap_or(0);
        let limit = org.settings.rate_limit;
        reply = Quota {
            limit,
            remaining: 0,
            reset_s,
            exceeded: true,
        }
        .on(reply);
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
