//! Changes behind the back of the application's clients.

use serde::Deserialize;
use serde_json::json;

use crate::control::{Answer, Refusal};
use crate::exchange::Reply;
use crate::scim::App;
use crate::scim::settings::Delete;
use crate::scim::state::Kind;

/// One change; users by id or `userName`, groups by id or `displayName`. Not in the journal.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Mutation {
    /// Puts a user into a group.
    AddToGroup {
        /// The user.
        user: String,
        /// The group.
        group: String,
    },
    /// Takes a user out of a group.
    RemoveFromGroup {
        /// The user.
        user: String,
        /// The group.
        group: String,
    },
    /// Sets `active`.
    SetActive {
        /// The user.
        user: String,
        /// The value.
        active: bool,
    },
    /// Deletes a user at once.
    Delete {
        /// The user.
        user: String,
    },
    /// Gives a user another `userName`.
    ChangeLogin {
        /// The user.
        user: String,
        /// The new one.
        login: String,
    },
}

/// Applies one change.
pub fn apply(app: &mut App, change: Mutation, now_ms: i64) -> Answer {
    match change {
        Mutation::AddToGroup { user, group } => {
            let (user, group) = (find(app, &user)?, find_group(app, &group)?);
            app.join_group(&user, &group, now_ms);
        }
        Mutation::RemoveFromGroup { user, group } => {
            let (user, group) = (find(app, &user)?, find_group(app, &group)?);
            if let Some(group) = app.groups.get_mut(&group) {
                group.drop_member(&user);
                group.touch(now_ms);
            }
        }
        Mutation::SetActive { user, active } => {
            let user = find(app, &user)?;
            app.set_active(&user, active, now_ms);
        }
        Mutation::Delete { user } => {
            let user = find(app, &user)?;
            app.delete_user(&user, Delete::Hard, now_ms);
        }
        Mutation::ChangeLogin { user, login } => change_login(app, &user, &login, now_ms)?,
    }
    Ok(Reply::empty(204))
}

fn change_login(app: &mut App, name: &str, login: &str, now_ms: i64) -> Result<(), Refusal> {
    let id = find(app, name)?;
    if app.is_taken(Kind::User, login, &id) {
        return Err(Refusal(409, format!("login: {login} is taken")));
    }
    if let Some(mut user) = app.users.get(&id).cloned() {
        user.attributes.insert("userName".into(), json!(login));
        user.touch(now_ms);
        app.insert(Kind::User, user);
    }
    Ok(())
}

fn find(app: &App, name: &str) -> Result<String, Refusal> {
    app.find_user(name)
        .ok_or_else(|| Refusal::not_found(&format!("the user {name:?}")))
}

fn find_group(app: &App, name: &str) -> Result<String, Refusal> {
    app.find_group(name)
        .ok_or_else(|| Refusal::not_found(&format!("the group {name:?}")))
}
