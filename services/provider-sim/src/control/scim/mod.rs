//! `/control/scim/{app}`: applications, their people and groups, and the truth about them.

mod mutate;
mod seed;
mod truth;

use serde_json::json;

use super::{Answer, Refusal, require_name};
use crate::exchange::{Incoming, Reply};
use crate::scim::{App, Settings};
use crate::simulation::Simulation;

/// Answers a request below `/control/scim`.
pub fn answer(
    simulation: &Simulation,
    incoming: &Incoming,
    method: &str,
    segments: &[&str],
) -> Answer {
    match (method, segments) {
        ("GET", []) => {
            let names = simulation.scim.names();
            return Ok(Reply::json(200, &json!({ "orgs": names })));
        }
        ("PUT", [name]) => return put(simulation, incoming, name),
        ("DELETE", [name]) if simulation.scim.remove(name) => return Ok(Reply::empty(204)),
        _ => {}
    }
    let unknown = || Refusal(404, format!("no such order: {method} {}", incoming.path));
    let (name, order) = segments.split_first().ok_or_else(unknown)?;
    let site = simulation
        .scim
        .get(name)
        .ok_or_else(|| Refusal::not_found(&format!("the application {name:?}")))?;
    let app = &mut *site.lock();
    let now_ms = simulation.clock.now_ms();
    match (method, order) {
        ("GET", []) => Ok(Reply::json(200, &app.settings)),
        ("POST", ["seed"]) => seed::plant(app, &incoming.json()?, now_ms),
        ("POST", ["seed-directory"]) => {
            seed::plant_company(app, simulation.seed, &incoming.json()?, now_ms)
        }
        ("GET", ["state"]) => Ok(truth::summary(app)),
        ("GET", ["state", "users"]) => Ok(truth::users(app)),
        ("GET", ["state", "users", user]) => truth::user(app, user),
        ("POST", ["mutate"]) => mutate::apply(app, incoming.json()?, now_ms),
        _ => Err(unknown()),
    }
}

fn put(simulation: &Simulation, incoming: &Incoming, name: &str) -> Answer {
    require_name(name)?;
    let settings: Settings = incoming.json()?;
    settings.check()?;
    let app = App::new(name, simulation.seed, settings);
    let created = simulation.scim.put(name, app, |app, new| {
        app.settings = new.settings;
        app.window = new.window;
    });
    let host = incoming.header("host").unwrap_or("localhost");
    let base = format!("http://{host}/scim/{name}");
    Ok(Reply::json(
        if created { 201 } else { 200 },
        &json!({ "org": name, "base_url": base, "created": created }),
    ))
}
