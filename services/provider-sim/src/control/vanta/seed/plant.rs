//! Puts a seed document into a tenant.

use serde_json::{Value, json};

use super::document::{
    SeedAccount, SeedDocument, SeedIntegration, SeedKind, SeedPerson, SeedResources, SeedUser,
};
use crate::clock::iso;
use crate::control::{Answer, Refusal};
use crate::exchange::Reply;
use crate::vanta::state::{
    Account, Computer, Connection, Group, Integration, Kind, Person, Resource, Source, Task,
    Tenant, User,
};

/// Answers with the people that were planted. A document that names something unknown is refused at that place; what
/// came before it stays.
pub fn plant(tenant: &mut Tenant, document: &SeedDocument, now_ms: i64) -> Answer {
    for seed in &document.groups {
        let id = seed.id.clone().unwrap_or_else(|| tenant.new_id());
        let group = Group {
            id: id.clone(),
            name: seed.name.clone(),
            created: now_ms,
            imported: seed.imported,
        };
        tenant.groups.insert(id, group);
    }
    for seed in &document.users {
        plant_user(tenant, seed, None)?;
    }
    let people = document.people.iter();
    let people: Vec<String> = people
        .map(|seed| plant_person(tenant, seed, now_ms))
        .collect::<Result<_, _>>()?;
    for seed in &document.integrations {
        plant_integration(tenant, seed, now_ms)?;
    }
    for seed in &document.resources {
        plant_resources(tenant, seed, now_ms)?;
    }
    let people: Vec<Value> = people.iter().map(|id| introduction(tenant, id)).collect();
    Ok(Reply::json(200, &json!({ "people": people })))
}

/// What a caller needs to know of a person to write an HR directory.
fn introduction(tenant: &Tenant, id: &str) -> Value {
    let Some(person) = tenant.people.get(id) else {
        return Value::Null;
    };
    json!({
        "id": id,
        "email": person.email,
        "first_name": person.first,
        "last_name": person.last,
        "employment": person.employment,
        "user_id": tenant.user_of(person).map(|user| &user.id),
    })
}

fn plant_user(
    tenant: &mut Tenant,
    seed: &SeedUser,
    owner: Option<&SeedPerson>,
) -> Result<String, Refusal> {
    let email = seed.email.clone();
    let email = email.or_else(|| owner.map(|person| person.email.clone()));
    let email = email.ok_or_else(|| Refusal(400, "users[].email: is missing".into()))?;
    let id = seed.id.clone().unwrap_or_else(|| tenant.new_id());
    let user = User {
        id: id.clone(),
        name: seed.name.clone().unwrap_or_else(|| email.clone()),
        email,
        active: !seed.inactive,
        managed: seed.managed,
        admin: seed.admin,
    };
    tenant.users.insert(id.clone(), user);
    Ok(id)
}

fn plant_person(tenant: &mut Tenant, seed: &SeedPerson, now_ms: i64) -> Result<String, Refusal> {
    if seed.email.is_empty() {
        return Err(Refusal(400, "people[].email: is missing".into()));
    }
    let id = seed.id.clone().unwrap_or_else(|| tenant.new_id());
    let user = seed.user.as_ref();
    let user = user
        .map(|user| plant_user(tenant, user, Some(seed)))
        .transpose()?;
    let groups = seed.groups.iter().map(|name| group(tenant, name));
    let groups = groups.collect::<Result<_, _>>()?;
    let accounts = seed.accounts.iter();
    let accounts: Vec<Account> = accounts.map(|seed| account_of(tenant, seed)).collect();
    let person = Person {
        id: id.clone(),
        user,
        email: seed.email.clone(),
        first: seed.first_name.clone(),
        last: seed.last_name.clone(),
        employment: seed.employment.clone().unwrap_or_else(|| "CURRENT".into()),
        start_date: seed.start_date.clone().unwrap_or_else(|| iso(now_ms)),
        end_date: seed.end_date.clone(),
        job_title: seed.job_title.clone(),
        source: match seed.source.as_deref() {
            None | Some("VANTA") => Source::Vanta,
            Some("SCIM") => Source::Scim,
            Some(integration) => Source::Integration(integration.to_owned()),
        },
        leave: None,
        groups,
        accounts,
        tasks: seed.tasks.iter().map(|name| open_task(name)).collect(),
        offboarded: seed.offboarded.then_some(now_ms),
        not_a_person: seed.not_a_person.clone(),
        follows: seed.follows.clone(),
    };
    for serial in &seed.computers {
        let computer = Computer {
            id: tenant.new_id(),
            serial: serial.clone(),
            owner: id.clone(),
            integration: "vanta".into(),
        };
        tenant.computers.insert(computer.id.clone(), computer);
    }
    tenant.people.insert(id.clone(), person);
    Ok(id)
}

fn open_task(name: &str) -> Task {
    Task {
        name: name.to_owned(),
        done: false,
    }
}

fn account_of(tenant: &mut Tenant, seed: &SeedAccount) -> Account {
    Account {
        id: seed.id.clone().unwrap_or_else(|| tenant.new_id()),
        system: seed.system.clone(),
        monitored: !seed.unmonitored,
        active: !seed.inactive,
        overridden: false,
        follows: seed.follows.clone(),
        seen_at: 0,
        looks_left: 0,
    }
}

fn plant_integration(
    tenant: &mut Tenant,
    seed: &SeedIntegration,
    now_ms: i64,
) -> Result<(), Refusal> {
    if seed.id.is_empty() {
        return Err(Refusal(400, "integrations[].id: is missing".into()));
    }
    let ids = match seed.connections.is_empty() {
        true => vec![tenant.new_id()],
        false => seed.connections.clone(),
    };
    let connections: Vec<Connection> = ids
        .into_iter()
        .map(|id| Connection {
            id,
            disabled: false,
            error: None,
        })
        .collect();
    let first = connections.first().map(|found| found.id.clone());
    let mut integration = Integration {
        id: seed.id.clone(),
        name: seed.name.clone().unwrap_or_else(|| seed.id.clone()),
        connections,
        kinds: std::collections::BTreeMap::new(),
    };
    for kind in &seed.kinds {
        let planted = kind_of(tenant, kind, first.as_deref(), now_ms)?;
        integration.kinds.insert(kind.name.clone(), planted);
    }
    tenant.integrations.insert(seed.id.clone(), integration);
    Ok(())
}

fn kind_of(
    tenant: &mut Tenant,
    seed: &SeedKind,
    connection: Option<&str>,
    now_ms: i64,
) -> Result<Kind, Refusal> {
    let mut kind = Kind {
        scopable: seed.scopable,
        ..Kind::default()
    };
    for seed in &seed.resources {
        let owner = seed.owner.as_ref();
        let owner = owner.map(|name| user(tenant, name)).transpose()?;
        let id = seed.id.clone().unwrap_or_else(|| tenant.new_id());
        let resource = Resource {
            id: id.clone(),
            name: seed.name.clone(),
            owner,
            connection: connection.map(str::to_owned),
            in_scope: true,
            description: None,
            created: now_ms,
        };
        kind.resources.insert(id, resource);
    }
    Ok(kind)
}

fn plant_resources(tenant: &mut Tenant, seed: &SeedResources, now_ms: i64) -> Result<(), Refusal> {
    let missing = || Refusal(400, "resources[].rows[].uniqueId: is missing".into());
    let rows = seed.rows.iter().map(|row| {
        let id = row["uniqueId"].as_str().ok_or_else(missing)?;
        Ok((id.to_owned(), row.clone()))
    });
    let rows: Vec<(String, Value)> = rows.collect::<Result<_, Refusal>>()?;
    let key = (seed.kind.clone(), seed.resource_id.clone());
    let set = tenant.pushed.entry(key).or_default();
    set.replace(rows, false, now_ms);
    Ok(())
}

/// The id of the group that `name` means.
fn group(tenant: &Tenant, name: &str) -> Result<String, Refusal> {
    let mut groups = tenant.groups.values();
    let found = groups.find(|group| group.id == name || group.name == name);
    found
        .map(|group| group.id.clone())
        .ok_or_else(|| Refusal::not_found(&format!("the group {name:?}")))
}

/// The id of the user that `name` means.
fn user(tenant: &Tenant, name: &str) -> Result<String, Refusal> {
    tenant
        .find_user(name)
        .ok_or_else(|| Refusal::not_found(&format!("the user {name:?}")))
}
