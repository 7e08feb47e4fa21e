//! How the demonstration's fleet differs from an ordinary one, and saying so.

use std::collections::BTreeMap;
use std::path::PathBuf;

use reqwest::Method;
use serde_json::json;
use sever_api::connection_view::{ConnectionBody, Span};
use sever_config::DevConfig;
use sever_domain::Provider;

use super::cast::{LEAVERS, LONG_SERVER, PEOPLE};
use crate::dev::addresses::Ports;
use crate::dev::environment::ServiceEnvironment;
use crate::dev::fleet::{CONNECTION, Plan};
use crate::dev::narrator::Narrator;
use crate::dev::simulator::Simulator;

/// 48 people in one hour would trip the guard of an ordinary day.
const MASS_COUNT: u32 = 60;
const MASS_PERCENT: u32 = 15;
/// Ordinary access tokens run out while one watches.
const TOKEN_LIFETIME_S: i64 = 5;
const LONG_LIFETIME_S: i64 = 86_400;
const CLOCK_SKEW_S: i64 = 1;
/// How long the simulated org takes for a call, give or take half of it.
const LATENCY_MS: u32 = 10;

/// The fleet of the demonstration.
pub(super) fn plan(directory: PathBuf, servers: DevConfig) -> Plan {
    let environment = ServiceEnvironment::bare()
        .with("SEVER_GUARD_MASS_COUNT", MASS_COUNT.to_string())
        .with("SEVER_GUARD_MASS_PERCENT", MASS_PERCENT.to_string());
    Plan {
        directory,
        ports: Ports::Any,
        servers,
        environment,
        // As a real org does: search is behind, groups leave their apps late, a deactivation takes a moment.
        org: json!({"search_lag_ms": 1000, "app_lag_ms": 500, "deactivate_polls": 1, "log_lag_ms": 1000}),
        connection,
    }
}

/// The connection to the org whose base URL is known by then.
fn connection(base_url: &str) -> ConnectionBody {
    let span = |seconds| Span::seconds(seconds).expect("a day is a span");
    let long = format!("{base_url}/oauth2/{LONG_SERVER}");
    ConnectionBody {
        name: CONNECTION.to_owned(),
        provider: Provider::Okta,
        base_url: base_url.to_owned(),
        credential: String::new(),
        access_token_lifetime: span(TOKEN_LIFETIME_S),
        access_token_lifetime_by_issuer: BTreeMap::from([(long, span(LONG_LIFETIME_S))]),
        clock_skew: span(CLOCK_SKEW_S),
        in_flight_max: 16,
        jobs_max: 64,
        closed: false,
    }
}

/// Says what is not as in production.
pub(super) fn say_settings(narrator: Narrator) {
    narrator.say(format!(
        "settings of this demonstration, not for production: the mass guard lets {MASS_COUNT} people or {MASS_PERCENT} % of the \
         directory leave within an hour, because {LEAVERS} of {PEOPLE} do; access tokens live {TOKEN_LIFETIME_S} s (one issuer's \
         24 h) with {CLOCK_SKEW_S} s between clocks; the simulated Okta takes about {LATENCY_MS} ms for a call, and its search, \
         apps and deactivations are late as the real one's are"
    ));
}

/// Makes the simulated org as slow as announced.
///
/// # Errors
/// Where the simulator refuses.
pub(super) async fn slow_down(simulator: &Simulator) -> anyhow::Result<()> {
    let rule = json!({"when": {"provider": "okta"}, "then": {"latency_ms": LATENCY_MS / 2, "jitter_ms": LATENCY_MS}});
    let rules = json!({"rules": [rule]});
    simulator
        .send(Method::POST, "/control/faults", Some(&rules))
        .await
        .map(drop)
}
