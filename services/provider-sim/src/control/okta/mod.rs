//! `/control/okta/{org}`: orgs, their people and access, and the truth about them.

mod app_truth;
mod behind;
pub mod directory;
mod mutate;
mod seed;
mod truth;

use serde_json::json;

use super::{Answer, Refusal};
use crate::exchange::{Incoming, Reply};
use crate::okta::Settings;
use crate::simulation::Simulation;

/// Answers a request below `/control/okta`.
pub fn answer(
    simulation: &Simulation,
    incoming: &Incoming,
    method: &str,
    segments: &[&str],
) -> Answer {
    match (method, segments) {
        ("GET", []) => return Ok(Reply::json(200, &json!({ "orgs": simulation.okta_orgs() }))),
        ("PUT", [name]) => return put(simulation, incoming, name),
        ("DELETE", [name]) if simulation.remove_okta_org(name) => return Ok(Reply::empty(204)),
        _ => {}
    }
    let unknown = || Refusal(404, format!("no such order: {method} {}", incoming.path));
    let (name, order) = segments.split_first().ok_or_else(unknown)?;
    let site = simulation
        .okta_org(name)
        .ok_or_else(|| Refusal::not_found(&format!("the org {name:?}")))?;
    let org = &mut *site.lock();
    let now_ms = simulation.clock.now_ms();
    match (method, order) {
        ("GET", []) => Ok(Reply::json(200, &org.settings)),
        ("POST", ["seed"]) => seed::plant(org, &incoming.json()?, now_ms),
        ("POST", ["seed-directory"]) => {
            directory::plant(org, simulation.seed, &incoming.json()?, now_ms)
        }
        ("GET", ["state"]) => Ok(truth::summary(org, now_ms)),
        ("GET", ["state", "users"]) => Ok(truth::users(org)),
        ("GET", ["state", "users", user]) => truth::user(org, user, now_ms),
        ("GET", ["state", "apps"]) => Ok(app_truth::apps(org)),
        ("GET", ["state", "apps", app]) => app_truth::app(org, app, now_ms),
        ("POST", ["mutate"]) => behind::mutate(org, incoming.json()?, now_ms),
        ("POST", ["tokens", "revoke"]) => mutate::revoke_access_tokens(org, &incoming.json()?),
        _ => Err(unknown()),
    }
}

/// Creates an org, or gives an existing one new settings; its people stay.
fn put(simulation: &Simulation, incoming: &Incoming, name: &str) -> Answer {
    let plain =
        |character: char| character.is_ascii_alphanumeric() || character == '-' || character == '_';
    if name.is_empty() || !name.chars().all(plain) {
        return Err(Refusal(
            400,
            "the name of an org: letters, digits, - and _".into(),
        ));
    }
    let settings: Settings = incoming.json()?;
    settings.check()?;
    let created = simulation.put_okta_org(name, settings);
    let base = format!(
        "http://{}/okta/{name}",
        incoming.header("host").unwrap_or("localhost")
    );
    Ok(Reply::json(
        if created { 201 } else { 200 },
        &json!({ "org": name, "base_url": base, "created": created }),
    ))
}
