//! Rate limits: a fixed window for each bucket, and a part of it for each credential.

use std::collections::HashMap;

use hyper::header::HeaderName;

use crate::exchange::Reply;
use crate::okta::settings::Settings;

/// The quota of the bucket.
pub const LIMIT: HeaderName = HeaderName::from_static("x-rate-limit-limit");
/// What is left of it.
pub const REMAINING: HeaderName = HeaderName::from_static("x-rate-limit-remaining");
/// When the window ends, in seconds since the Unix epoch.
pub const RESET: HeaderName = HeaderName::from_static("x-rate-limit-reset");

/// The windows of an org.
#[derive(Debug, Default)]
pub struct Limiter {
    windows: HashMap<String, Window>,
}

#[derive(Debug, Default)]
struct Window {
    started_ms: Option<i64>,
    used: u32,
    by_principal: HashMap<String, u32>,
}

/// The state of a bucket after a call was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Calls per window.
    pub limit: u32,
    /// Calls left in this window.
    pub remaining: u32,
    /// End of the window in seconds since the Unix epoch.
    pub reset_s: i64,
    /// The call was over the limit.
    pub exceeded: bool,
}

impl Limiter {
    /// Counts a call of `principal` to `method` in `bucket`. A refused call is not counted.
    pub fn count(
        &mut self,
        settings: &Settings,
        method: &str,
        bucket: &str,
        principal: &str,
        now_ms: i64,
    ) -> Quota {
        let key = format!("{method} {bucket}");
        let named = settings
            .rate_limits
            .get(&key)
            .or_else(|| settings.rate_limits.get(bucket));
        let limit = named.copied().unwrap_or(settings.rate_limit);
        let length_ms = settings.rate_window_s * 1000;
        let window = self.windows.entry(key).or_default();
        // A window starts with the first call after the last one ended; it is not aligned to the wall clock.
        let started_ms = match window.started_ms {
            Some(started_ms) if now_ms < started_ms + length_ms => started_ms,
            _ => {
                *window = Window {
                    started_ms: Some(now_ms),
                    ..Window::default()
                };
                now_ms
            }
        };
        let share = (u64::from(limit) * u64::from(settings.principal_percent) / 100) as u32;
        let mine = window.by_principal.entry(principal.to_owned()).or_default();
        let exceeded = window.used >= limit || *mine >= share;
        if !exceeded {
            window.used += 1;
            *mine += 1;
        }
        let remaining = (limit - window.used.min(limit)).min(share - (*mine).min(share));
        let reset_s = (started_ms + length_ms + 999).div_euclid(1000);
        Quota {
            limit,
            remaining,
            reset_s,
            exceeded,
        }
    }

    /// Forgets all windows, as after a change of the limits.
    pub fn clear(&mut self) {
        self.windows.clear();
    }
}

impl Quota {
    /// What the 429 of the concurrency limit shows: zeros, and a reset that is only a hint.
    pub fn of_concurrency(now_ms: i64) -> Self {
        Self {
            limit: 0,
            remaining: 0,
            reset_s: now_ms.div_euclid(1000) + 1,
            exceeded: true,
        }
    }

    /// `reply` with the headers that tell this quota.
    pub fn on(self, reply: Reply) -> Reply {
        reply
            .with_header(LIMIT, &self.limit.to_string())
            .with_header(REMAINING, &self.remaining.to_string())
            .with_header(RESET, &self.reset_s.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_starts_with_its_first_call_and_refuses_over_its_limit() {
        let settings = Settings {
            rate_limits: [("/api/v1/users".to_owned(), 2)].into(),
            ..Settings::default()
        };
        let mut limiter = Limiter::default();
        let mut call = |now_ms| limiter.count(&settings, "GET", "/api/v1/users", "a", now_ms);
        assert_eq!(
            call(10_500),
            Quota {
                limit: 2,
                remaining: 1,
                reset_s: 71,
                exceeded: false
            }
        );
        assert_eq!(call(20_000).remaining, 0);
        assert!(call(70_499).exceeded);
        assert!(!call(70_500).exceeded);
    }

    #[test]
    fn one_credential_cannot_use_more_than_its_part() {
        let settings = Settings {
            rate_limit: 4,
            principal_percent: 50,
            ..Settings::default()
        };
        let mut limiter = Limiter::default();
        let mut call = |principal| {
            limiter
                .count(&settings, "GET", "/api/v1/users", principal, 1_000_000)
                .exceeded
        };
        assert_eq!(
            [call("a"), call("a"), call("a"), call("b")],
            [false, false, true, false]
        );
    }
}
