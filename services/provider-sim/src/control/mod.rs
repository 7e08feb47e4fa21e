//! The control API: orders to the simulator, and the truth about what it holds. Unauthenticated; for loopback only.
//!
//! Errors are `{"error": "..."}` and name what was wrong.

mod entra;
mod faults;
mod journal;
mod oidc;
mod okta;
mod people;
mod scim;
mod vanta;

use serde::Deserialize;
use serde_json::json;

use crate::exchange::{Incoming, Reply};
use crate::simulation::Simulation;

/// A refusal: status and what was wrong.
struct Refusal(u16, String);

impl From<String> for Refusal {
    fn from(what: String) -> Self {
        Self(400, what)
    }
}

impl Refusal {
    fn not_found(what: &str) -> Self {
        Self(404, format!("{what} does not exist"))
    }
}

type Answer = Result<Reply, Refusal>;

/// Refuses a name that would not stand in a path as it is.
fn require_name(name: &str) -> Result<(), Refusal> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    match !name.is_empty() && name.chars().all(plain) {
        true => Ok(()),
        false => Err(Refusal(
            400,
            format!("{name:?}: names have letters, digits, - and _"),
        )),
    }
}

/// Answers a request below `/control`, whose decoded segments are `segments`.
pub fn answer(simulation: &Simulation, incoming: &Incoming, segments: &[String]) -> Reply {
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let method = incoming.method.as_str();
    let answer = match (method, &segments[..]) {
        ("GET", ["journal"]) => journal::read(simulation, incoming),
        ("DELETE", ["journal"]) => journal::clear(simulation),
        ("GET", ["faults"]) => faults::list(simulation),
        ("POST", ["faults"]) => faults::add(simulation, incoming),
        ("DELETE", ["faults"]) => faults::remove(simulation, None),
        ("DELETE", ["faults", id]) => faults::remove(simulation, Some(id)),
        ("GET", ["clock"]) => Ok(clock(simulation)),
        ("POST", ["clock"]) => advance(simulation, incoming),
        (_, ["okta", rest @ ..]) => okta::answer(simulation, incoming, method, rest),
        (_, ["scim", rest @ ..]) => scim::answer(simulation, incoming, method, rest),
        (_, ["oidc", rest @ ..]) => oidc::answer(simulation, incoming, method, rest),
        (_, ["entra", rest @ ..]) => entra::answer(simulation, incoming, method, rest),
        (_, ["vanta", rest @ ..]) => vanta::answer(simulation, incoming, method, rest),
        _ => Err(Refusal(
            404,
            format!("no such order: {method} {}", incoming.path),
        )),
    };
    answer.unwrap_or_else(|Refusal(status, error)| Reply::json(status, &json!({ "error": error })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_ms: i64,
}

fn clock(simulation: &Simulation) -> Reply {
    let now = crate::clock::iso(simulation.clock.now_ms());
    Reply::json(
        200,
        &json!({ "now": now, "offset_ms": simulation.clock.offset_ms() }),
    )
}

fn advance(simulation: &Simulation, incoming: &Incoming) -> Answer {
    let Advance { advance_ms } = incoming.json()?;
    if advance_ms < 0 {
        return Err(Refusal(400, "advance_ms: time does not go back".into()));
    }
    simulation.clock.advance(advance_ms);
    Ok(clock(simulation))
}
