//! How the demonstration's fleet differs from an ordinary one, and saying so.

use std::collections::BTreeMap;
use std::path::PathBuf;

use reqwest::Method;
use serde_json::{Value, json};
use sever_api::connection_view::{ConnectionBody, ReconcileBody, Span};
use sever_config::DevConfig;
use sever_domain::{DriftAction, Provider, Situation};

use super::cast::{LEAVERS, LONG_SERVER, PEOPLE};
use crate::dev::addresses::Ports;
use crate::dev::environment::ServiceEnvironment;
use crate::dev::fleet::Plan;
use crate::dev::narrator::Narrator;
use crate::dev::simulator::Simulator;
use crate::dev::systems::System;

/// 50 people in one hour would trip the guard of an ordinary day.
const MASS_COUNT: u32 = 60;
const MASS_PERCENT: u32 = 15;
/// Ordinary access tokens run out while one watches.
const TOKEN_LIFETIME_S: i64 = 5;
const LONG_LIFETIME_S: i64 = 86_400;
const CLOCK_SKEW_S: i64 = 1;
/// How long a simulated system takes for a call, give or take half of it.
const LATENCY_MS: u32 = 10;
/// The pause between two of Entra's readings that must agree.
const AGREEING_PAUSE_MS: u64 = 250;

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
        settings,
        connection,
        agreeing_pause_ms: AGREEING_PAUSE_MS,
    }
}

/// As the real systems are: searches and replicas are behind, groups leave their apps late, a deactivation takes a moment.
fn settings(provider: Provider) -> Value {
    match provider {
        Provider::Okta => {
            json!({"search_lag_ms": 1000, "app_lag_ms": 500, "deactivate_polls": 1, "log_lag_ms": 1000})
        }
        Provider::Entra => {
            json!({"replica_lag_ms": 300, "audit_lag_ms": 1000, "audit_calls": 5, "unconfirmed": {"pim_gone_on_success": true}})
        }
        Provider::Vanta => json!({"sync_delay_ms": 500}),
        Provider::Scim => json!({"active_polls": 1}),
        Provider::Oidc => json!({"access_token_lifetime_s": 2 * TOKEN_LIFETIME_S}),
    }
}

/// The connection to the system whose base URL is known by then.
fn connection(system: System, base_url: &str) -> ConnectionBody {
    let span = |seconds| Span::seconds(seconds).expect("a day is a span");
    let lifetime_s = match system.provider {
        Provider::Oidc => 2 * TOKEN_LIFETIME_S,
        Provider::Okta | Provider::Entra | Provider::Vanta | Provider::Scim => TOKEN_LIFETIME_S,
    };
    let mut body = system.connection(base_url, lifetime_s, CLOCK_SKEW_S);
    if system.provider == Provider::Entra {
        body.reconcile = Some(ReconcileBody {
            policy: BTreeMap::from([(Situation::OrphanAccount, DriftAction::Hold)]),
            ..ReconcileBody::default()
        });
    }
    if system.provider == Provider::Okta {
        let long = format!("{base_url}/oauth2/{LONG_SERVER}");
        body.access_token_lifetime_by_issuer = BTreeMap::from([(long, span(LONG_LIFETIME_S))]);
    }
    body
}

/// Says what is not as in production.
pub(super) fn say_settings(narrator: Narrator) {
    narrator.say(format!(
        "settings of this demonstration, not for production: the mass guard lets {MASS_COUNT} people or {MASS_PERCENT} % of the \
         directory leave within an hour and source, because {LEAVERS} of {PEOPLE} do; access tokens live {TOKEN_LIFETIME_S} s \
         ({} s in Keycloak, one Okta issuer's 24 h) with {CLOCK_SKEW_S} s between clocks; Entra's readings are {AGREEING_PAUSE_MS} ms \
         apart; Vanta is asked faster than the real one allows; a simulated system takes about {LATENCY_MS} ms for a call, and is \
         late as the real one is",
        2 * TOKEN_LIFETIME_S
    ));
}

/// Makes the simulated systems as slow as announced.
///
/// # Errors
/// Where the simulator refuses.
pub(super) async fn slow_down(simulator: &Simulator) -> anyhow::Result<()> {
    let rule = json!({"when": {}, "then": {"latency_ms": LATENCY_MS / 2, "jitter_ms": LATENCY_MS}});
    let rules = json!({"rules": [rule]});
    simulator
        .send(Method::POST, "/control/faults", Some(&rules))
        .await
        .map(drop)
}
