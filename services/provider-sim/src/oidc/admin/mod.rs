//! The administration API of Keycloak, one file for each resource.

pub mod clients;
pub mod consents;
pub mod credentials;
pub mod federation;
pub mod groups;
mod page;
pub mod realm;
pub mod role_mappings;
pub mod roles;
pub mod sessions;
pub mod users;

use serde_json::{Value, json};

use super::error::Refusal;
use super::settings::Settings;
use super::state::{Client, Realm, User};
use crate::exchange::Reply;
use crate::passage::Call;

/// The argument that stands for the user; the realm's name is the first one everywhere.
fn user<'a>(realm: &'a Realm, call: &Call) -> Result<&'a User, Refusal> {
    let user = realm.users.get(call.argument(1));
    user.ok_or(Refusal::new(404, "User not found"))
}

fn user_mut<'a>(realm: &'a mut Realm, call: &Call) -> Result<&'a mut User, Refusal> {
    let user = realm.users.get_mut(call.argument(1));
    user.ok_or(Refusal::new(404, "User not found"))
}

fn client<'a>(realm: &'a Realm, uuid: &str) -> Result<&'a Client, Refusal> {
    let client = realm.clients.get(uuid);
    client.ok_or(Refusal::new(404, "Could not find client"))
}

/// The body as JSON.
fn body(call: &Call) -> Result<Value, Refusal> {
    const REFUSED: Refusal = Refusal::oauth(400, "unknown_error", "the body is no JSON");
    serde_json::from_slice(&call.body).map_err(|_| REFUSED)
}

/// The answer to a removal, of something that was there or not.
fn removed(was_there: bool, settings: &Settings) -> Result<Reply, Refusal> {
    match (was_there, settings.unconfirmed.repeat_delete) {
        (true, _) => Ok(Reply::empty(204)),
        (false, 404) => Err(Refusal::new(404, "Not found")),
        (false, _) => Ok(Reply::empty(204).unchanged()),
    }
}

/// A representation, with what a newer version might add.
fn grown(mut representation: Value, settings: &Settings) -> Value {
    if settings.unknown_members {
        representation["vendorExtension"] = json!({ "enabled": true, "id": "x" });
        representation["nothing"] = Value::Null;
    }
    representation
}
