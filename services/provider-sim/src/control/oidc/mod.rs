//! `/control/oidc/{realm}`: realms, their people, clients and tokens, and the truth about them.

mod mutate;
mod seed;
mod truth;

use serde_json::json;

use super::{Answer, Refusal, require_name};
use crate::exchange::{Incoming, Reply};
use crate::oidc::{Realm, Settings};
use crate::simulation::Simulation;

/// Answers a request below `/control/oidc`.
pub fn answer(
    simulation: &Simulation,
    incoming: &Incoming,
    method: &str,
    segments: &[&str],
) -> Answer {
    match (method, segments) {
        ("GET", []) => {
            let names = simulation.oidc.names();
            return Ok(Reply::json(200, &json!({ "orgs": names })));
        }
        ("PUT", [name]) => return put(simulation, incoming, name),
        ("DELETE", [name]) if simulation.oidc.remove(name) => return Ok(Reply::empty(204)),
        _ => {}
    }
    let unknown = || Refusal(404, format!("no such order: {method} {}", incoming.path));
    let (name, order) = segments.split_first().ok_or_else(unknown)?;
    let site = simulation
        .oidc
        .get(name)
        .ok_or_else(|| Refusal::not_found(&format!("the realm {name:?}")))?;
    let realm = &mut *site.lock();
    let now_ms = simulation.clock.now_ms();
    match (method, order) {
        ("GET", []) => Ok(Reply::json(200, &realm.settings)),
        ("POST", ["seed"]) => seed::plant(realm, &incoming.json()?, now_ms),
        ("POST", ["seed-directory"]) => {
            seed::plant_company(realm, simulation.seed, &incoming.json()?, now_ms)
        }
        ("GET", ["state"]) => Ok(truth::summary(realm)),
        ("GET", ["state", "users"]) => Ok(truth::users(realm)),
        ("GET", ["state", "users", user]) => truth::user(realm, user, now_ms),
        ("GET", ["state", "clients", client]) => truth::client(realm, client, now_ms),
        ("POST", ["mutate"]) => mutate::apply(realm, incoming.json()?, now_ms),
        ("POST", ["tokens", "revoke"]) => mutate::revoke_access_tokens(realm, &incoming.json()?),
        _ => Err(unknown()),
    }
}

fn put(simulation: &Simulation, incoming: &Incoming, name: &str) -> Answer {
    require_name(name)?;
    let settings: Settings = incoming.json()?;
    settings.check()?;
    let realm = Realm::new(name, simulation.seed, settings);
    let created = simulation.oidc.put(name, realm, |realm, new| {
        realm.settings = new.settings;
        realm.window = new.window;
    });
    let host = incoming.header("host").unwrap_or("localhost");
    let base = format!("http://{host}/oidc/{name}");
    Ok(Reply::json(
        if created { 201 } else { 200 },
        &json!({ "org": name, "base_url": base, "created": created }),
    ))
}
