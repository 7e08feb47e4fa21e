//! Changes behind the back of the provider's clients.

use serde::Deserialize;
use serde_json::json;

use super::seed::{SeedToken, plant};
use crate::control::{Answer, Refusal};
use crate::exchange::Reply;
use crate::oidc::Realm;
use crate::oidc::state::TokenKind;

/// One change; users by id, user name or address, clients by id or client id. Not in the journal.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Mutation {
    /// Puts a user into a group, made where it is missing.
    AddToGroup {
        /// The user.
        user: String,
        /// The group's name.
        group: String,
    },
    /// Takes a user out of a group.
    RemoveFromGroup {
        /// The user.
        user: String,
        /// The group's name.
        group: String,
    },
    /// Has a group give a role, of the realm or of a client; group and realm role are made where they are missing.
    AddRoleToGroup {
        /// The group's name.
        group: String,
        /// The role's name.
        role: String,
        /// The client whose role it is.
        #[serde(default)]
        client: Option<String>,
    },
    /// Puts a group below another; both made where they are missing.
    SetParent {
        /// The group's name.
        group: String,
        /// The name of the one above.
        parent: String,
    },
    /// Has a realm role, made where it is missing, contain a role of a client.
    AddRoleToRole {
        /// The realm role's name.
        role: String,
        /// The client.
        client: String,
        /// The name of the client's role.
        contains: String,
    },
    /// Sets `enabled` of a user.
    SetEnabled {
        /// The user.
        user: String,
        /// The value.
        enabled: bool,
    },
    /// Sets `enabled` of a client.
    SetClientEnabled {
        /// The client.
        client: String,
        /// The value.
        enabled: bool,
    },
    /// Deletes a user.
    Delete {
        /// The user.
        user: String,
    },
    /// Gives a user another user name.
    ChangeLogin {
        /// The user.
        user: String,
        /// The new one.
        login: String,
    },
    /// Starts an online session of a user at a client.
    AddSession {
        /// The user.
        user: String,
        /// The client.
        client: String,
    },
    /// Gives a user a token.
    AddToken {
        /// The user.
        user: String,
        /// The token.
        token: SeedToken,
    },
}

/// Which access tokens.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Which {
    client_id: Option<String>,
}

/// Applies one change.
pub fn apply(realm: &mut Realm, change: Mutation, now_ms: i64) -> Answer {
    match change {
        Mutation::AddToGroup { user, group } => {
            let (id, group) = (find(realm, &user)?, plant::group(realm, &group));
            realm
                .users
                .get_mut(&id)
                .map(|user| user.groups.insert(group));
        }
        Mutation::RemoveFromGroup { user, group } => {
            let (id, group) = (find(realm, &user)?, plant::group(realm, &group));
            realm
                .users
                .get_mut(&id)
                .map(|user| user.groups.remove(&group));
        }
        Mutation::AddRoleToGroup {
            group,
            role,
            client: None,
        } => {
            let (group, role) = (plant::group(realm, &group), plant::role(realm, &role));
            realm.group_roles.entry(group).or_default().insert(role);
        }
        Mutation::AddRoleToGroup {
            group,
            role,
            client: Some(client),
        } => {
            let (group, client) = (
                plant::group(realm, &group),
                plant::find_client(realm, &client)?,
            );
            let clients = realm.group_client_roles.entry(group).or_default();
            clients.entry(client).or_default().insert(role);
        }
        Mutation::SetParent { group, parent } => {
            let (group, parent) = (plant::group(realm, &group), plant::group(realm, &parent));
            realm.group_parents.insert(group, parent);
        }
        Mutation::AddRoleToRole {
            role,
            client,
            contains,
        } => {
            let (role, client) = (
                plant::role(realm, &role),
                plant::find_client(realm, &client)?,
            );
            let clients = realm.composites.entry(role).or_default();
            clients.entry(client).or_default().insert(contains);
        }
        Mutation::SetEnabled { user, enabled } => {
            let id = find(realm, &user)?;
            if let Some(user) = realm.users.get_mut(&id) {
                user.enabled = enabled;
            }
        }
        Mutation::SetClientEnabled { client, enabled } => {
            let id = plant::find_client(realm, &client)?;
            if let Some(client) = realm.clients.get_mut(&id) {
                client.enabled = enabled;
            }
        }
        Mutation::Delete { user } => {
            let id = find(realm, &user)?;
            realm.delete_user(&id);
        }
        Mutation::ChangeLogin { user, login } => {
            let id = find(realm, &user)?;
            if let Some(user) = realm.users.get_mut(&id) {
                user.username = login.to_lowercase();
            }
        }
        Mutation::AddSession { user, client } => {
            let (id, client) = (find(realm, &user)?, plant::find_client(realm, &client)?);
            plant::session(realm, &id, &client, false, now_ms);
        }
        Mutation::AddToken { user, token } => {
            let id = find(realm, &user)?;
            plant::plant_token(realm, &id, &token, now_ms)?;
        }
    }
    Ok(Reply::empty(204))
}

/// `POST tokens/revoke`: access tokens that clients fetched for themselves stop working, of one client or of all.
pub fn revoke_access_tokens(realm: &mut Realm, which: &Which) -> Answer {
    let wanted = which.client_id.as_deref().map(|id| realm.find_client(id));
    let before = realm.tokens.len();
    realm.tokens.retain(|_, token| {
        let of_client = wanted
            .as_ref()
            .is_none_or(|client| client.as_ref() == Some(&token.client));
        !(token.kind == TokenKind::Access && token.session.is_none() && of_client)
    });
    let revoked = before - realm.tokens.len();
    Ok(Reply::json(200, &json!({ "revoked": revoked })))
}

fn find(realm: &Realm, name: &str) -> Result<String, Refusal> {
    realm
        .find_user(name)
        .ok_or_else(|| Refusal::not_found(&format!("the user {name:?}")))
}
