//! `/control/vanta/{tenant}`: tenants, their people and access, and the truth about them.

mod directory;
mod mutate;
mod seed;
mod truth;

use serde_json::json;

use super::{Answer, Refusal};
use crate::exchange::{Incoming, Reply};
use crate::simulation::Simulation;
use crate::vanta::{Settings, refresh};

/// Answers a request below `/control/vanta`.
pub fn answer(
    simulation: &Simulation,
    incoming: &Incoming,
    method: &str,
    segments: &[&str],
) -> Answer {
    match (method, segments) {
        ("GET", []) => {
            let names = simulation.vanta.names();
            return Ok(Reply::json(200, &json!({ "tenants": names })));
        }
        ("PUT", [name]) => return put(simulation, incoming, name),
        ("DELETE", [name]) if simulation.vanta.remove(name) => return Ok(Reply::empty(204)),
        _ => {}
    }
    let unknown = || Refusal(404, format!("no such order: {method} {}", incoming.path));
    let (name, order) = segments.split_first().ok_or_else(unknown)?;
    let site = simulation
        .vanta
        .find(name)
        .ok_or_else(|| Refusal::not_found(&format!("the tenant {name:?}")))?;
    let tenant = &mut *site.lock();
    let now_ms = simulation.clock.now_ms();
    refresh(simulation, tenant, now_ms);
    match (method, order) {
        ("GET", []) => Ok(Reply::json(200, &tenant.settings)),
        ("POST", ["seed"]) => seed::plant(tenant, &incoming.json()?, now_ms),
        ("POST", ["seed-directory"]) => {
            directory::plant(tenant, simulation.seed, &incoming.json()?, now_ms)
        }
        ("GET", ["state"]) => Ok(truth::summary(tenant, now_ms)),
        ("GET", ["state", "people"]) => Ok(truth::people(tenant)),
        ("GET", ["state", "people", person]) => truth::person(tenant, person, now_ms),
        ("GET", ["state", "integrations", id]) => truth::integration(tenant, id),
        ("GET", ["state", "applications", id]) => truth::application(tenant, id, now_ms),
        ("GET", ["state", "resources"]) => Ok(truth::pushed(tenant)),
        ("POST", ["mutate"]) => mutate::apply(tenant, incoming.json()?, now_ms),
        ("POST", ["tokens", "revoke"]) => mutate::revoke_tokens(tenant, &incoming.json()?),
        _ => Err(unknown()),
    }
}

/// Creates a tenant, or gives an existing one new settings; its people stay.
fn put(simulation: &Simulation, incoming: &Incoming, name: &str) -> Answer {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || !name.chars().all(plain) {
        let message = "the name of a tenant: letters, digits, - and _";
        return Err(Refusal(400, message.into()));
    }
    let settings: Settings = incoming.json()?;
    settings.check()?;
    let created = simulation.vanta.put(name, simulation.seed, settings);
    let host = incoming.header("host").unwrap_or("localhost");
    let base = format!("http://{host}/vanta/{name}");
    Ok(Reply::json(
        if created { 201 } else { 200 },
        &json!({ "tenant": name, "base_url": base, "created": created }),
    ))
}
