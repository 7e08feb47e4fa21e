//! `/control/journal`.

use super::{Answer, Refusal};
use crate::exchange::{Incoming, Reply};
use crate::journal::Wanted;
use crate::simulation::Simulation;

/// Entries of a page where `limit` is not given, and at most.
const LIMIT: usize = 1_000;
const LIMIT_MAX: usize = 100_000;

/// `GET ?after=&limit=&effect=write&user=&org=&provider=&family=`.
pub fn read(simulation: &Simulation, incoming: &Incoming) -> Answer {
    let mut wanted = Wanted {
        limit: LIMIT,
        ..Wanted::default()
    };
    for (name, value) in incoming.query() {
        let number = || {
            value
                .parse::<u64>()
                .map_err(|_| Refusal(400, format!("{name}: must be a whole number")))
        };
        match name.as_str() {
            "after" => wanted.after = number()?,
            "limit" => {
                wanted.limit = usize::try_from(number()?)
                    .unwrap_or(LIMIT_MAX)
                    .clamp(1, LIMIT_MAX)
            }
            "effect" if value == "write" => wanted.writes_only = true,
            "user" => wanted.user = Some(value),
            "org" => wanted.org = Some(value),
            "provider" => wanted.provider = Some(value),
            "family" => wanted.family = Some(value),
            _ => {
                return Err(Refusal(
                    400,
                    format!("{name}={value}: not a filter of the journal"),
                ));
            }
        }
    }
    Ok(Reply::json(200, &simulation.journal.read(&wanted)))
}

/// `DELETE`.
pub fn clear(simulation: &Simulation) -> Answer {
    simulation.journal.clear();
    Ok(Reply::empty(204))
}
