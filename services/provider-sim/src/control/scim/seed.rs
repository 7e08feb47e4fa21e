//! `POST /control/scim/{app}/seed` and `/seed-directory`.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::control::people::{Person, Wish, teams};
use crate::control::{Answer, Refusal};
use crate::exchange::Reply;
use crate::scim::App;
use crate::scim::state::{Kind, Resource};

/// People and groups to add. Unknown members are refused, so that a misspelt one does not pass for planted.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedDocument {
    groups: Vec<SeedGroup>,
    users: Vec<SeedUser>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SeedGroup {
    id: Option<String>,
    name: String,
    external_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SeedUser {
    /// The id; one that exists already gets the groups of this document.
    id: Option<String>,
    /// `userName`.
    login: String,
    /// `externalId`.
    external_id: Option<String>,
    /// The work address; the login without one.
    email: Option<String>,
    first_name: String,
    last_name: String,
    /// True without one.
    active: Option<bool>,
    /// Names or ids of groups.
    groups: Vec<String>,
    /// Values of `roles`.
    roles: Vec<String>,
    /// Values of `entitlements`.
    entitlements: Vec<String>,
    /// More attributes.
    attributes: Map<String, Value>,
}

/// Answers with the users that were planted.
pub fn plant(app: &mut App, document: &SeedDocument, now_ms: i64) -> Answer {
    for seed in &document.groups {
        plant_group(app, seed, now_ms);
    }
    let users: Vec<String> = document
        .users
        .iter()
        .map(|seed| plant_user(app, seed, now_ms))
        .collect::<Result<_, Refusal>>()?;
    let users: Vec<Value> = users.iter().map(|id| introduction(app, id)).collect();
    Ok(Reply::json(200, &json!({ "users": users })))
}

/// A company of any size.
pub fn plant_company(app: &mut App, seed: u64, wish: &Wish, now_ms: i64) -> Answer {
    let groups = teams().iter().map(|team| SeedGroup {
        name: (*team).to_owned(),
        ..SeedGroup::default()
    });
    let document = SeedDocument {
        groups: groups.collect(),
        users: wish.grant(seed)?.into_iter().map(employee).collect(),
    };
    plant(app, &document, now_ms)
}

fn employee(mut person: Person) -> SeedUser {
    let roles = match person.dice.chance(0.05) {
        true => vec!["admin".to_owned()],
        false => Vec::new(),
    };
    SeedUser {
        login: person.login,
        first_name: person.first_name.to_owned(),
        last_name: person.last_name.to_owned(),
        groups: person.teams.iter().map(|team| (*team).to_owned()).collect(),
        roles,
        ..SeedUser::default()
    }
}

fn plant_group(app: &mut App, seed: &SeedGroup, now_ms: i64) {
    if app.find_group(&seed.name).is_some() {
        return;
    }
    let id = seed.id.clone().unwrap_or_else(|| app.new_id());
    let mut attributes = Map::new();
    attributes.insert("displayName".into(), json!(seed.name));
    attributes.insert("members".into(), json!([]));
    if let Some(external_id) = &seed.external_id {
        attributes.insert("externalId".into(), json!(external_id));
    }
    app.insert(Kind::Group, Resource::new(&id, attributes, now_ms));
}

fn plant_user(app: &mut App, seed: &SeedUser, now_ms: i64) -> Result<String, Refusal> {
    let known = seed.id.as_ref().filter(|id| app.users.contains_key(*id));
    let id = match known {
        Some(id) => id.clone(),
        None => plant_account(app, seed, now_ms)?,
    };
    for name in &seed.groups {
        let group = app
            .find_group(name)
            .ok_or_else(|| Refusal::not_found(&format!("the group {name:?}")))?;
        app.join_group(&id, &group, now_ms);
    }
    Ok(id)
}

fn plant_account(app: &mut App, seed: &SeedUser, now_ms: i64) -> Result<String, Refusal> {
    if seed.login.is_empty() {
        return Err(Refusal(400, "users[].login: is missing".into()));
    }
    if app.is_taken(Kind::User, &seed.login, "") {
        let login = &seed.login;
        return Err(Refusal(409, format!("users[].login: {login} is taken")));
    }
    let id = seed.id.clone().unwrap_or_else(|| app.new_id());
    let email = seed.email.as_ref().unwrap_or(&seed.login);
    let values = |values: &[String]| -> Value {
        values
            .iter()
            .map(|value| json!({ "value": value }))
            .collect()
    };
    let mut attributes = seed.attributes.clone();
    for (name, value) in [
        ("userName", json!(seed.login)),
        ("externalId", json!(seed.external_id)),
        (
            "name",
            json!({ "givenName": seed.first_name, "familyName": seed.last_name }),
        ),
        (
            "emails",
            json!([{ "value": email, "type": "work", "primary": true }]),
        ),
        ("active", json!(seed.active.unwrap_or(true))),
        ("roles", values(&seed.roles)),
        ("entitlements", values(&seed.entitlements)),
    ] {
        if value != Value::Null && value != json!([]) {
            attributes.insert(name.to_owned(), value);
        }
    }
    app.insert(Kind::User, Resource::new(&id, attributes, now_ms));
    Ok(id)
}

/// What a caller needs to know of a user to write an HR directory.
fn introduction(app: &App, id: &str) -> Value {
    let Some(user) = app.users.get(id) else {
        return Value::Null;
    };
    let at = |pointer: &str| {
        let all = Value::Object(user.attributes.clone());
        all.pointer(pointer).cloned().unwrap_or_default()
    };
    json!({
        "id": id,
        "login": at("/userName"),
        "email": at("/emails/0/value"),
        "first_name": at("/name/givenName"),
        "last_name": at("/name/familyName"),
        "status": if app.can_act(id) { "active" } else { "inactive" },
    })
}
