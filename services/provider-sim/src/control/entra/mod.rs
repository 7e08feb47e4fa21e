//! `/control/entra/{tenant}`: tenants, their people, applications and access, and the truth about them.

mod behind;
mod directory;
mod mutate;
mod seed;
mod truth;

use serde_json::json;

use super::{Answer, Refusal};
use crate::entra::Settings;
use crate::entra::state::Replica;
use crate::exchange::{Incoming, Reply};
use crate::simulation::Simulation;

/// Answers a request below `/control/entra`.
pub fn answer(
    simulation: &Simulation,
    incoming: &Incoming,
    method: &str,
    segments: &[&str],
) -> Answer {
    match (method, segments) {
        ("GET", []) => {
            return Ok(Reply::json(
                200,
                &json!({ "tenants": simulation.entra_tenants() }),
            ));
        }
        ("PUT", [name]) => return put(simulation, incoming, name),
        ("DELETE", [name]) if simulation.remove_entra_tenant(name) => return Ok(Reply::empty(204)),
        _ => {}
    }
    let unknown = || Refusal(404, format!("no such order: {method} {}", incoming.path));
    let (name, order) = segments.split_first().ok_or_else(unknown)?;
    let site = simulation
        .entra_tenant(name)
        .ok_or_else(|| Refusal::not_found(&format!("the tenant {name:?}")))?;
    let tenant = &mut *site.lock();
    let now_ms = simulation.clock.now_ms();
    let lag = tenant.settings.lag();
    tenant.store.begin(Replica::Primary, lag, now_ms);
    tenant.purge(now_ms);
    match (method, order) {
        ("GET", []) => Ok(Reply::json(200, &tenant.settings)),
        ("POST", ["seed"]) => seed::plant(tenant, &incoming.json()?, now_ms),
        ("POST", ["seed-directory"]) => {
            directory::plant(tenant, simulation.seed, &incoming.json()?, now_ms)
        }
        ("GET", ["state"]) => Ok(truth::summary(tenant, now_ms)),
        ("GET", ["state", "users"]) => Ok(truth::users(tenant)),
        ("GET", ["state", "users", user]) => truth::user(tenant, user),
        ("GET", ["state", "service-principals"]) => Ok(truth::service_principals(tenant)),
        ("GET", ["state", "service-principals", id]) => truth::service_principal(tenant, id),
        ("POST", ["mutate"]) => behind::mutate(tenant, incoming.json()?, now_ms),
        ("POST", ["tokens", "revoke"]) => mutate::revoke_access_tokens(tenant, &incoming.json()?),
        _ => Err(unknown()),
    }
}

/// Creates a tenant, or gives an existing one new settings; what is in it stays.
fn put(simulation: &Simulation, incoming: &Incoming, name: &str) -> Answer {
    let plain =
        |character: char| character.is_ascii_alphanumeric() || character == '-' || character == '_';
    if name.is_empty() || !name.chars().all(plain) {
        let what = "the name of a tenant: letters, digits, - and _".to_owned();
        return Err(Refusal(400, what));
    }
    let settings: Settings = incoming.json()?;
    settings.check()?;
    let (tenant_id, created) = simulation.put_entra_tenant(name, settings);
    let host = incoming.header("host").unwrap_or("localhost");
    let base = format!("http://{host}/entra/{name}");
    Ok(Reply::json(
        if created { 201 } else { 200 },
        &json!({ "tenant": name, "tenant_id": tenant_id, "base_url": base, "created": created }),
    ))
}
