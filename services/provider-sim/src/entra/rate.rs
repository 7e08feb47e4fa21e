//! Throttling: resource units and writes of Graph, calls of Azure Resource Manager.
//!
//! The real limits are token buckets; here they are windows that start with their first call.

use std::collections::HashMap;

use hyper::header::HeaderName;

use crate::entra::call::Call;
use crate::entra::error::ApiError;
use crate::entra::routes::{Route, Service};
use crate::entra::settings::{RetryAfter, Settings};
use crate::exchange::Reply;

const UNITS: HeaderName = HeaderName::from_static("x-ms-resource-unit");
const PERCENTAGE: HeaderName = HeaderName::from_static("x-ms-throttle-limit-percentage");
const SCOPE: HeaderName = HeaderName::from_static("x-ms-throttle-scope");
const INFORMATION: HeaderName = HeaderName::from_static("x-ms-throttle-information");
const READS_LEFT: HeaderName =
    HeaderName::from_static("x-ms-ratelimit-remaining-subscription-reads");
const DELETES_LEFT: HeaderName =
    HeaderName::from_static("x-ms-ratelimit-remaining-subscription-deletes");
const WRITES_LEFT: HeaderName =
    HeaderName::from_static("x-ms-ratelimit-remaining-subscription-writes");

/// The windows of a tenant.
#[derive(Debug, Default)]
pub struct Limiter {
    windows: HashMap<String, Window>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Window {
    started_ms: i64,
    used: u32,
}

/// What a call cost, and what is left.
#[derive(Debug, Clone, Copy, Default)]
pub struct Charge {
    units: u32,
    /// Used part of the resource units.
    fraction: f64,
    /// Calls left at Azure; `None`: a call of Graph.
    left: Option<u32>,
    /// Milliseconds until the window ends, where the call was over the limit.
    wait_ms: Option<i64>,
    by_writes: bool,
}

impl Limiter {
    /// Counts a call; one that is refused counts too.
    pub fn count(&mut self, settings: &Settings, route: &Route, call: &Call, app: &str) -> Charge {
        match route.service {
            Service::Login => Charge::default(),
            Service::Arm => {
                let key = format!("arm {app} {}", call.method);
                let (used, wait_ms) = self.take(key, 1, settings.azure_calls, 10_000, call.now_ms);
                Charge {
                    left: Some(settings.azure_calls.saturating_sub(used)),
                    wait_ms,
                    ..Charge::default()
                }
            }
            Service::Graph => self.count_graph(settings, route, call, app),
        }
    }

    /// Forgets all windows, as after a change of the limits.
    pub fn clear(&mut self) {
        self.windows.clear();
    }

    fn count_graph(
        &mut self,
        settings: &Settings,
        route: &Route,
        call: &Call,
        app: &str,
    ) -> Charge {
        if route.family == "audits" {
            let key = format!("audits {app}");
            let (_, wait_ms) = self.take(key, 1, settings.audit_calls, 10_000, call.now_ms);
            return Charge {
                units: 1,
                wait_ms,
                ..Charge::default()
            };
        }
        let units = units(route, call);
        let limit = settings.resource_units;
        let (used, wait_ms) = self.take(format!("units {app}"), units, limit, 10_000, call.now_ms);
        let mut charge = Charge {
            units,
            fraction: f64::from(used) / f64::from(limit.max(1)),
            wait_ms,
            ..Charge::default()
        };
        if route.is_write() {
            let key = format!("writes {app}");
            let (_, wait_ms) = self.take(key, 1, settings.writes, 150_000, call.now_ms);
            charge.by_writes = wait_ms.is_some();
            charge.wait_ms = charge.wait_ms.or(wait_ms);
        }
        charge
    }

    fn take(
        &mut self,
        key: String,
        units: u32,
        limit: u32,
        length_ms: i64,
        now_ms: i64,
    ) -> (u32, Option<i64>) {
        let window = self.windows.entry(key).or_default();
        if now_ms >= window.started_ms + length_ms {
            *window = Window {
                started_ms: now_ms,
                used: 0,
            };
        }
        window.used = window.used.saturating_add(units);
        let wait_ms = (window.used > limit).then(|| window.started_ms + length_ms - now_ms);
        (window.used, wait_ms)
    }
}

impl Charge {
    /// The refusal of a call that was over the limit.
    pub fn refusal(&self, settings: &Settings) -> Option<ApiError> {
        let wait_ms = self.wait_ms?;
        let mut error = too_many();
        error.retry_after = retry_after(settings.retry_after, wait_ms);
        Some(error)
    }

    /// `reply` with the headers that tell this charge.
    pub fn on(&self, reply: Reply, route: &Route, call: &Call) -> Reply {
        if let Some(left) = self.left {
            let name = match call.method.as_str() {
                "GET" => READS_LEFT,
                "DELETE" => DELETES_LEFT,
                _ => WRITES_LEFT,
            };
            return reply.with_header(name, &left.to_string());
        }
        if route.service != Service::Graph {
            return reply;
        }
        let mut reply = reply.with_header(UNITS, &self.units.to_string());
        if self.fraction > 0.8 {
            reply = reply.with_header(PERCENTAGE, &format!("{:.1}", self.fraction.min(1.8)));
        }
        if self.wait_ms.is_some() {
            let (verb, reason) = match self.by_writes {
                true => ("Write", "WriteLimitExceeded"),
                false => ("ReadWrite", "ResourceUnitLimitExceeded"),
            };
            let scope = format!("Tenant_Application/{verb}/{}", call.principal.name);
            reply = reply
                .with_header(SCOPE, &scope)
                .with_header(INFORMATION, reason);
        }
        reply
    }
}

/// The refusal of a call that was over a limit.
pub fn too_many() -> ApiError {
    ApiError::new(429, "TooManyRequests", "Too Many Requests")
}

/// `Retry-After` for a wait, as the settings have it.
pub fn retry_after(form: RetryAfter, wait_ms: i64) -> Option<String> {
    match form {
        RetryAfter::Whole => Some(((wait_ms + 999) / 1000).max(1).to_string()),
        RetryAfter::Fractional => Some(format!("{}.{:03}", wait_ms / 1000, wait_ms % 1000)),
        RetryAfter::Absent => None,
    }
}

/// What a call costs (throttling limits, "Identity and access").
fn units(route: &Route, call: &Call) -> u32 {
    if call.method != "GET" {
        return 1;
    }
    let base: i32 = match route.operation {
        "list_members" => 3,
        "list_transitive_groups" => 5,
        operation if operation.starts_with("list_") => 2,
        _ => 1,
    };
    let select = i32::from(call.parameter("$select").is_some());
    let expand = i32::from(call.parameter("$expand").is_some());
    let top = call.parameter("$top").and_then(|top| top.parse().ok());
    let small = i32::from(top.is_some_and(|top: u32| top < 20));
    (base - select + expand - small).max(1).unsigned_abs()
}
