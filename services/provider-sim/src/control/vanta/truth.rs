//! What is really so, for tests to judge by: no paging, no delay, no permission.

use serde_json::{Value, json};

use crate::clock::iso;
use crate::control::{Answer, Refusal};
use crate::exchange::Reply;
use crate::vanta::Tenant;
use crate::vanta::state::Person;

/// `GET state`: counts.
pub fn summary(tenant: &Tenant, now_ms: i64) -> Reply {
    let people = tenant.people.values();
    let offboarded = people.clone().filter(|person| person.offboarded.is_some());
    let former = people.filter(|person| person.is_former());
    let users = tenant.users.values();
    Reply::json(
        200,
        &json!({
            "people": tenant.people.len(),
            "former": former.count(),
            "offboarded": offboarded.count(),
            "users": tenant.users.len(),
            "active_users": users.filter(|user| user.active).count(),
            "groups": tenant.groups.len(),
            "integrations": tenant.integrations.len(),
            "applications": tenant.settings.applications.len(),
            "tokens": tenant.tokens.len(),
            "now": iso(now_ms),
        }),
    )
}

/// `GET state/people`: who there is.
pub fn people(tenant: &Tenant) -> Reply {
    let people = tenant.people.values();
    let people: Vec<Value> = people
        .map(|person| {
            json!({ "id": person.id, "email": person.email, "employment": person.employment })
        })
        .collect();
    Reply::json(200, &json!({ "people": people }))
}

/// `GET state/people/{person}`: everything about one person.
pub fn person(tenant: &Tenant, name: &str, now_ms: i64) -> Answer {
    let person = tenant
        .find_person(name)
        .and_then(|id| tenant.people.get(&id));
    let person = person.ok_or_else(|| Refusal::not_found(&format!("the person {name:?}")))?;
    let accounts = person.accounts.iter().map(|account| {
        json!({
            "id": account.id, "system": account.system, "monitored": account.monitored, "active": account.active,
            "overridden": account.overridden, "seen_active": account.seen_active(now_ms),
        })
    });
    let pushed: Vec<&str> = tenant
        .pushed_accounts(&person.email)
        .map(|row| row.unique_id.as_str())
        .collect();
    let user = tenant.user_of(person).map(|user| {
        json!({ "id": user.id, "active": user.active, "managed": user.managed, "admin": user.admin })
    });
    Ok(Reply::json(
        200,
        &json!({
            "id": person.id,
            "exists": true,
            "email": person.email,
            "employment": person.employment,
            "tasks_status": person.tasks_status(now_ms),
            "offboarded": person.offboarded.is_some(),
            "not_a_person": person.not_a_person,
            "open_tasks": person.tasks.iter().filter(|task| !task.done).map(|task| &task.name).collect::<Vec<_>>(),
            "groups": person.groups,
            "accounts": accounts.collect::<Vec<_>>(),
            "pushed_accounts": pushed,
            "user": user,
            "applications": applications_of(tenant, person),
            "owns": owned(tenant, person),
            "live": live(tenant, person),
        }),
    ))
}

/// `GET state/integrations/{integration}`: `live` has its working connections.
pub fn integration(tenant: &Tenant, id: &str) -> Answer {
    let Some(found) = tenant.integrations.get(id) else {
        let gone = json!({ "id": id, "exists": false, "live": [] });
        return Ok(Reply::json(200, &gone));
    };
    let working = found.connections.iter();
    let working = working
        .filter(|connection| !connection.disabled && connection.error.is_none())
        .count();
    let live: Vec<String> = (working > 0)
        .then(|| format!("connections:{working}"))
        .into_iter()
        .collect();
    Ok(Reply::json(
        200,
        &json!({ "id": id, "exists": true, "connections": found.connections.len(), "live": live }),
    ))
}

/// `GET state/applications/{client}`: `live` has its token, whether it may fetch another, and the rows it pushed.
pub fn application(tenant: &Tenant, id: &str, now_ms: i64) -> Answer {
    let application = tenant.application(id);
    let tokens = tenant.tokens.values();
    let tokens = tokens
        .filter(|token| token.client_id == id && now_ms < token.expires_at)
        .count();
    let ids = application.map_or(&[][..], |found| &found.resource_ids);
    let rows: usize = tenant
        .pushed
        .iter()
        .filter(|((_, resource_id), _)| ids.contains(resource_id))
        .map(|(_, set)| set.live())
        .sum();
    let counts = [
        ("application", usize::from(application.is_some())),
        ("tokens", tokens),
        ("resources", rows),
    ];
    Ok(Reply::json(
        200,
        &json!({ "client_id": id, "exists": application.is_some(), "live": words(&counts) }),
    ))
}

/// `GET state/resources`: what was pushed.
pub fn pushed(tenant: &Tenant) -> Reply {
    let sets = tenant.pushed.iter();
    let sets: Vec<Value> = sets
        .map(|((kind, resource_id), set)| {
            json!({ "type": kind, "resource_id": resource_id, "rows": set.rows.len(), "live": set.live() })
        })
        .collect();
    Reply::json(200, &json!({ "resources": sets }))
}

/// What still gives access, one word and count each; empty when nothing does: a record that is not offboarded, the
/// login, accounts at their sources, and API applications that the person made.
fn live(tenant: &Tenant, person: &Person) -> Vec<String> {
    let open = person.offboarded.is_none() && person.not_a_person.is_none();
    let accounts = person.accounts.iter();
    let login = tenant.user_of(person).is_some_and(|user| user.active);
    words(&[
        ("person", usize::from(open)),
        ("login", usize::from(login)),
        (
            "accounts",
            accounts.filter(|account| account.active).count(),
        ),
        (
            "pushed_accounts",
            tenant.pushed_accounts(&person.email).count(),
        ),
        ("applications", applications_of(tenant, person).len()),
    ])
}

fn words(counts: &[(&str, usize)]) -> Vec<String> {
    let counts = counts.iter().filter(|(_, count)| *count > 0);
    counts
        .map(|(name, count)| format!("{name}:{count}"))
        .collect()
}

fn applications_of<'a>(tenant: &'a Tenant, person: &Person) -> Vec<&'a str> {
    let mut found = Vec::new();
    for application in &tenant.settings.applications {
        let creator = application.created_by.as_deref();
        if creator.and_then(|name| tenant.find_person(name)) == Some(person.id.clone()) {
            found.push(application.client_id.as_str());
        }
    }
    found
}

/// Resources of integrations that the person's login owns.
fn owned<'a>(tenant: &'a Tenant, person: &Person) -> Vec<&'a str> {
    let Some(user) = tenant.user_of(person) else {
        return Vec::new();
    };
    let kinds = tenant
        .integrations
        .values()
        .flat_map(|found| found.kinds.values());
    kinds
        .flat_map(|kind| kind.resources.values())
        .filter(|resource| resource.owner.as_deref() == Some(user.id.as_str()))
        .map(|resource| resource.id.as_str())
        .collect()
}
