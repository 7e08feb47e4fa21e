//! Which people a call concerns, for the journal and the fault rules.

use serde_json::Value;

use crate::vanta::call::Call;
use crate::vanta::routes::Found;
use crate::vanta::state::Tenant;

/// The id of the person that a call concerns: in the path, or in the body. A login counts as the person whose it is,
/// under its own id where it is nobody's. A bulk call has the ids of all its items, joined by commas.
pub fn target_person(tenant: &Tenant, found: &Found, call: &Call) -> Option<String> {
    let names: Vec<&str> = found
        .route
        .pattern
        .split('/')
        .filter(|segment| segment.starts_with('{'))
        .collect();
    let argument = |name: &str| {
        let index = names.iter().position(|found| *found == name)?;
        Some(call.argument(index).to_owned())
    };
    if let Some(person) = argument("{person}") {
        return Some(person);
    }
    if let Some(user) = argument("{user}") {
        return Some(person_of(tenant, &user));
    }
    match found.route.operation {
        "deactivate_users" => in_updates(call, |user| person_of(tenant, user)),
        "offboard_people" | "mark_as_not_people" | "mark_as_people" | "add_people"
        | "remove_people" => in_updates(call, str::to_owned),
        "add_person" => in_updates(call, str::to_owned).or_else(|| {
            let body: Value = call.json().ok()?;
            Some(body["id"].as_str()?.to_owned())
        }),
        _ => None,
    }
}

fn in_updates(call: &Call, person: impl Fn(&str) -> String) -> Option<String> {
    let body: Value = call.json().ok()?;
    let updates = body["updates"].as_array()?;
    let ids = updates.iter().filter_map(|update| update["id"].as_str());
    Some(ids.map(person).collect::<Vec<_>>().join(","))
}

fn person_of(tenant: &Tenant, user: &str) -> String {
    let person = tenant
        .users
        .get(user)
        .and_then(|user| tenant.person_of(user));
    person.map_or_else(|| user.to_owned(), |person| person.id.clone())
}
