//! `POST /control/oidc/{realm}/seed` and `/seed-directory`.
//!
//! Objects are told apart by `id`, `client_id` or name; references are those too. Clients come first, then users with all
//! that hangs on them.

mod document;
pub mod plant;

use serde_json::{Value, json};

pub use document::SeedDocument;
pub use document::SeedToken;
use document::{SeedClient, SeedUser};

use crate::control::Answer;
use crate::control::people::{Person, Wish};
use crate::exchange::Reply;
use crate::oidc::Realm;
use crate::oidc::state::TokenKind;

const CLIENTS: [&str; 3] = ["web", "mobile", "command-line"];

/// Answers with the users and clients that were planted.
pub fn plant(realm: &mut Realm, document: &SeedDocument, now_ms: i64) -> Answer {
    let clients: Vec<String> = document
        .clients
        .iter()
        .map(|seed| plant::client(realm, seed, now_ms))
        .collect();
    let users: Vec<String> = document
        .users
        .iter()
        .map(|seed| plant::user(realm, seed, now_ms))
        .collect::<Result<_, _>>()?;
    let clients: Vec<Value> = clients
        .iter()
        .filter_map(|id| realm.clients.get(id))
        .map(|client| json!({ "id": client.uuid, "client_id": client.client_id, "secret": client.secret }))
        .collect();
    let users: Vec<Value> = users.iter().map(|id| introduction(realm, id)).collect();
    let body = json!({ "users": users, "clients": clients });
    Ok(Reply::json(200, &body))
}

/// A company of any size.
pub fn plant_company(realm: &mut Realm, seed: u64, wish: &Wish, now_ms: i64) -> Answer {
    let clients = CLIENTS.iter().map(|client_id| SeedClient {
        client_id: (*client_id).to_owned(),
        ..SeedClient::default()
    });
    let document = SeedDocument {
        clients: clients.collect(),
        users: wish.grant(seed)?.into_iter().map(employee).collect(),
    };
    plant(realm, &document, now_ms)
}

fn employee(mut person: Person) -> SeedUser {
    let dice = &mut person.dice;
    let mut tokens = vec![SeedToken::new(
        dice.pick::<&str>(&CLIENTS),
        TokenKind::Refresh,
    )];
    if dice.chance(0.4) {
        tokens.push(SeedToken::new(
            dice.pick::<&str>(&CLIENTS),
            TokenKind::Offline,
        ));
    }
    SeedUser {
        login: person.login,
        first_name: person.first_name.to_owned(),
        last_name: person.last_name.to_owned(),
        groups: person.teams.iter().map(|team| (*team).to_owned()).collect(),
        realm_roles: match dice.chance(0.05) {
            true => vec!["admin".to_owned()],
            false => Vec::new(),
        },
        credentials: vec!["password".to_owned()],
        tokens,
        ..SeedUser::default()
    }
}

/// What a caller needs to know of a user to write an HR directory.
fn introduction(realm: &Realm, id: &str) -> Value {
    let Some(user) = realm.users.get(id) else {
        return Value::Null;
    };
    json!({
        "id": id,
        "login": user.username,
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "status": if user.enabled { "enabled" } else { "disabled" },
    })
}
