//! Changes behind the back of the provider's clients: what an administrator, an import or an attacker does meanwhile.

use serde::Deserialize;
use serde_json::json;

use super::seed::{SeedRole, names, role_of};
use crate::control::{Answer, Refusal};
use crate::exchange::Reply;
use crate::okta::Org;
use crate::okta::state::{App, Assignment, ScopeGrant, Secret, Status, Via};

/// One change. Not in the journal; in the System Log only where the order says by whom it is (see [`super::behind`]).
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
    /// Gives a group an administrative role, as `APP_ADMIN`.
    GiveGroupRole {
        /// The group's id or name.
        group: String,
        /// The role.
        role: String,
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
    /// Switches an app on or off; off with its side effects.
    SetApp {
        /// The app's id or label.
        app: String,
        /// Whether it is in use.
        active: bool,
    },
    /// Lets a group grant an app.
    AssignAppGroup {
        /// The app's id or label.
        app: String,
        /// The group's id or name.
        group: String,
    },
    /// Assigns a user to an app.
    AssignAppUser {
        /// The app's id or label.
        app: String,
        /// The user.
        user: String,
    },
    /// Gives an app another client secret, past the limit of two if need be.
    AddAppSecret {
        /// The app's id or label.
        app: String,
    },
    /// Grants a scope to an app.
    GrantAppScope {
        /// The app's id or label.
        app: String,
        /// The scope.
        scope: String,
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
        Mutation::GiveGroupRole { group, role } => {
            let group = find_group(org, &group)?;
            let seed = SeedRole {
                kind: role,
                ..SeedRole::default()
            };
            let role = role_of(org, &seed);
            if let Some(group) = org.groups.get_mut(&group) {
                group.roles.insert(role.id.clone(), role);
            }
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
        Mutation::SetApp { app, active } => set_app(org, &names::app(org, &app)?, active, now_ms),
        Mutation::AssignAppGroup { app, group } => {
            let group = find_group(org, &group)?;
            app_of(org, &app)?.groups.insert(group);
        }
        Mutation::AssignAppUser { app, user } => assign_app_user(org, &app, &user, now_ms)?,
        Mutation::AddAppSecret { app } => {
            let secret = Secret {
                id: org.new_id("ocs"),
                value: org.dice.text(40),
                active: true,
                created: now_ms,
            };
            let client = &mut app_of(org, &app)?.client;
            client.secrets.insert(secret.id.clone(), secret);
        }
        Mutation::GrantAppScope { app, scope } => {
            let grant = ScopeGrant {
                id: org.new_id("oag"),
                scope,
                created_by: "00uadministrator0000".into(),
                created: now_ms,
            };
            let client = &mut app_of(org, &app)?.client;
            client.grants.insert(grant.id.clone(), grant);
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

fn set_app(org: &mut Org, id: &str, active: bool, now_ms: i64) {
    if !active {
        org.deactivate_app(id, now_ms);
    } else if let Some(app) = org.apps.get_mut(id) {
        app.active = true;
    }
}

fn assign_app_user(org: &mut Org, app: &str, user: &str, now_ms: i64) -> Result<(), Refusal> {
    let user = find(org, user)?;
    let app = app_of(org, app)?;
    app.users.insert(user.clone());
    let id = app.id.clone();
    if let Some(user) = org.users.get_mut(&user) {
        let assignment = Assignment {
            created: now_ms,
            user_name: user.core.login().to_owned(),
            profile: serde_json::Map::new(),
        };
        user.apps.insert(id, assignment);
    }
    Ok(())
}

fn app_of<'a>(org: &'a mut Org, name: &str) -> Result<&'a mut App, Refusal> {
    let id = names::app(org, name)?;
    let app = org.apps.get_mut(&id);
    app.ok_or_else(|| Refusal::not_found(&format!("the app {name:?}")))
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
