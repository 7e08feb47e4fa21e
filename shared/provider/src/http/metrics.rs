//! The metrics of calls to providers.

use std::time::Duration;

use ::metrics::{counter, histogram};

/// Counts one call. `status` is the HTTP status, `None` where no answer came.
pub(super) fn called(
    provider: &'static str,
    endpoint_family: &'static str,
    status: Option<u16>,
    took: Duration,
) {
    counter!(
        "sever_provider_calls_total",
        "provider" => provider,
        "endpoint_family" => endpoint_family,
        "status" => status_label(status)
    )
    .increment(1);
    histogram!(
        "sever_provider_call_duration_seconds",
        "provider" => provider,
        "endpoint_family" => endpoint_family
    )
    .record(took);
}

/// A bounded set of labels, without an allocation: the statuses that runbooks speak of, and a class for
/// the rest.
const fn status_label(status: Option<u16>) -> &'static str {
    match status {
        None => "none",
        Some(200) => "200",
        Some(201) => "201",
        Some(202) => "202",
        Some(204) => "204",
        Some(400) => "400",
        Some(401) => "401",
        Some(403) => "403",
        Some(404) => "404",
        Some(405) => "405",
        Some(409) => "409",
        Some(411) => "411",
        Some(412) => "412",
        Some(429) => "429",
        Some(500) => "500",
        Some(501) => "501",
        Some(502) => "502",
        Some(503) => "503",
        Some(504) => "504",
        Some(status) => match status / 100 {
            2 => "2xx",
            3 => "3xx",
            4 => "4xx",
            5 => "5xx",
            _ => "other",
        },
    }
}
