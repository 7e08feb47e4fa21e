//! Changes behind the back of the provider's clients: what an administrator, an import or an attacker does meanwhile.

use serde::Deserialize;
use serde_json::json;

use crate::control::{Answer, Refusal};
use crate::exchange::Reply;
use crate::okta::Org;
use crate::okta::state::{Status, Via};

/// One change. Not in the journal, not in the System Log.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Mutation {
    /// Puts a user into a group, whoever owns it.
    AddToGroup {
        /// The user.
        user: String,
        /// The group's id or name.
        group: String,
    },
    /// Takes a user out of a group.
    RemoveFromGroup {
        /// The user.
        user: String,
        /// The group's id or name.
        group: String,
    },
    /// Sets a user's status, without side effects.
    SetStatus {
        /// The user.
        user: String,
        /// The new status.
        status: Status,
    },
    /// Deactivates a user, with all side effects.
    Deactivate {
        /// The user.
        user: String,
    },
    /// Deletes a user at once.
    Delete {
        /// The user.
        user: String,
    },
    /// Gives a user another login.
    ChangeLogin {
        /// The user.
        user: String,
        /// The new login.
        login: String,
    },
    /// Starts sessions for a user.
    AddSessions {
        /// The user.
        user: String,
        /// How many.
        count: u32,
    },
}

/// Which access tokens of service apps.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Which {
    client_id: Option<String>,
}

/// Applies one change.
pub fn apply(org: &mut Org, change: Mutation, now_ms: i64) -> Answer {
    match change {
        Mutation::AddToGroup { user, group } => {
            let (user, group) = (find(org, &user)?, find_group(org, &group)?);
            org.join_group(&user, &group, Via::Direct, now_ms);
        }
        Mutation::RemoveFromGroup { user, group } => {
            let (user, group) = (find(org, &user)?, find_group(org, &group)?);
            org.leave_group(&user, &group, now_ms);
        }
        Mutation::SetStatus { user, status } => org.set_status(&find(org, &user)?, status, now_ms),
        Mutation::Deactivate { user } => org.deactivate(&find(org, &user)?, now_ms),
        Mutation::Delete { user } => org.delete_user(&find(org, &user)?, now_ms),
        Mutation::ChangeLogin { user, login } => change_login(org, &user, &login, now_ms)?,
        Mutation::AddSessions { user, count } => {
            let user = find(org, &user)?;
            if let Some(user) = org.users.get_mut(&user) {
                user.sessions += count;
            }
        }
    }
    Ok(Reply::empty(204))
}

/// `POST tokens/revoke`: access tokens stop working, of one service app or of all.
pub fn revoke_access_tokens(org: &mut Org, which: &Which) -> Answer {
    let before = org.access_tokens.len();
    org.access_tokens.retain(|_, token| {
        which
            .client_id
            .as_ref()
            .is_some_and(|id| *id != token.client_id)
    });
    Ok(Reply::json(
        200,
        &json!({ "revoked": before - org.access_tokens.len() }),
    ))
}

fn change_login(org: &mut Org, name: &str, login: &str, now_ms: i64) -> Result<(), Refusal> {
    let id = find(org, name)?;
    if org.logins.contains_key(&login.to_lowercase()) {
        return Err(Refusal(409, format!("login: {login} is taken")));
    }
    org.remember_for_search(&id, now_ms);
    if let Some(user) = org.users.get_mut(&id) {
        org.logins.remove(&user.core.login().to_lowercase());
        org.logins.insert(login.to_lowercase(), id);
        user.core.profile.insert("login".into(), json!(login));
        user.core.last_updated = now_ms;
    }
    Ok(())
}

fn find(org: &Org, name: &str) -> Result<String, Refusal> {
    org.find_user(name)
        .ok_or_else(|| Refusal::not_found(&format!("the user {name:?}")))
}

fn find_group(org: &Org, name: &str) -> Result<String, Refusal> {
    let found = org
        .groups
        .values()
        .find(|group| group.id == name || group.name == name);
    found
        .map(|group| group.id.clone())
        .ok_or_else(|| Refusal::not_found(&format!("the group {name:?}")))
}
