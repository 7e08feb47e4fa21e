//! `/control/faults`.

use serde::Deserialize;
use serde_json::json;

use super::{Answer, Refusal};
use crate::exchange::{Incoming, Reply};
use crate::faults::Order;
use crate::simulation::Simulation;

/// One rule, or several that are ordered together.
#[derive(Deserialize)]
#[serde(untagged)]
enum Orders {
    Several { rules: Vec<serde_json::Value> },
    One(serde_json::Value),
}

/// `GET`: the rules, how many calls each saw, and how often it fired.
pub fn list(simulation: &Simulation) -> Answer {
    Ok(Reply::json(
        200,
        &json!({ "rules": simulation.faults.list() }),
    ))
}

/// `POST` of a rule, or of `{"rules": [...]}`; all are checked before the first is taken.
pub fn add(simulation: &Simulation, incoming: &Incoming) -> Answer {
    let values = match incoming.json()? {
        Orders::Several { rules } => rules,
        Orders::One(rule) => vec![rule],
    };
    let mut orders = Vec::with_capacity(values.len());
    for value in values {
        // Read one by one: the error of an untagged reader would not name the field.
        let order: Order =
            serde_json::from_value(value).map_err(|error| format!("reading a rule: {error}"))?;
        order.check()?;
        orders.push(order);
    }
    let ids = orders
        .into_iter()
        .map(|order| simulation.faults.add(order))
        .collect::<Result<Vec<u64>, String>>()?;
    Ok(Reply::json(201, &json!({ "ids": ids })))
}

/// `DELETE`, of all rules or of one.
pub fn remove(simulation: &Simulation, id: Option<&str>) -> Answer {
    let id = id
        .map(|id| {
            id.parse()
                .map_err(|_| Refusal(400, format!("{id}: is not the number of a rule")))
        })
        .transpose()?;
    Ok(Reply::json(
        200,
        &json!({ "removed": simulation.faults.remove(id) }),
    ))
}
