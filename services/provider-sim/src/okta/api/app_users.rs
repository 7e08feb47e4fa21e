//! Users of apps.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::clock::iso;
use crate::exchange::Reply;
use crate::okta::call::Call;
use crate::okta::error::{ApiError, Code};
use crate::okta::page::{Page, whole};
use crate::okta::state::{App, AppUser, Assignment, Org, Status};

/// Default and largest page.
const PAGE: (usize, usize) = (50, 500);

#[derive(Deserialize)]
struct NewAppUser {
    id: String,
    #[serde(default)]
    credentials: Option<NewCredentials>,
    #[serde(default)]
    profile: Map<String, Value>,
}

#[derive(Deserialize)]
struct NewCredentials {
    #[serde(rename = "userName")]
    user_name: Option<String>,
}

/// `GET /apps/{app}/users`.
pub fn list(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let app = org.app(call.argument(0))?;
    let users = org.app_users(app, call.now_ms);
    let page = Page::cut(
        call,
        &org.settings,
        users.iter().map(|found| (&found.user, found)),
        PAGE,
    )?;
    let reply = page.reply(call, |found| to_json(call, app, found));
    org.look_at_app_users(None, call.now_ms);
    Ok(reply)
}

/// `GET /apps/{app}/users/{user}`: 404 for who is not assigned.
pub fn get(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let app = org.app(call.argument(0))?;
    let id = org.user_in(call, 1)?;
    let found = org.app_user(app, org.user(&id)?, call.now_ms);
    let reply = found.map(|found| Reply::json(200, &to_json(call, app, &found)));
    org.look_at_app_users(Some(&id), call.now_ms);
    reply.ok_or_else(|| ApiError::not_found(&id, "AppUser"))
}

/// `POST /apps/{app}/users`: 409 E0000062 for who is assigned, E0000117 for an inactive user.
pub fn assign(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let asked: NewAppUser = call.json()?;
    let app = org.app(call.argument(0))?.id.clone();
    let user = org.user(&asked.id)?;
    if user.apps.contains_key(&app) {
        return Err(Code::AlreadyAssigned.into());
    }
    if matches!(user.status(), Status::Deprovisioned | Status::Suspended) {
        return Err(Code::InactiveUser.into());
    }
    let user_name = asked
        .credentials
        .and_then(|credentials| credentials.user_name);
    let assignment = Assignment {
        created: call.now_ms,
        user_name: user_name.unwrap_or_else(|| user.core.login().to_owned()),
        profile: asked.profile,
    };
    org.user_mut(&asked.id)?
        .apps
        .insert(app.clone(), assignment);
    if let Some(app) = org.apps.get_mut(&app) {
        app.users.insert(asked.id.clone());
    }
    org.log(
        call,
        "application.user_membership.add",
        vec![org.user_target(&asked.id), org.app_target(&app)],
    );
    let app = org.app(&app)?;
    let found = org.app_user(app, org.user(&asked.id)?, call.now_ms);
    let found = found.ok_or_else(|| ApiError::not_found(&asked.id, "AppUser"))?;
    Ok(Reply::json(200, &to_json(call, app, &found)))
}

/// `DELETE /apps/{app}/users/{user}`: 403 E0000046 while a group grants the app, 404 for who is not assigned.
pub fn unassign(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let app = org.app(call.argument(0))?;
    let id = org.user_in(call, 1)?;
    let found = org.app_user(app, org.user(&id)?, call.now_ms);
    let app = app.id.clone();
    org.look_at_app_users(Some(&id), call.now_ms);
    let found = found.ok_or_else(|| ApiError::not_found(&id, "AppUser"))?;
    if !found.groups.is_empty() {
        return Err(Code::GrantedByGroup.into());
    }
    org.user_mut(&id)?.apps.remove(&app);
    if let Some(app) = org.apps.get_mut(&app) {
        app.users.remove(&id);
    }
    org.log(
        call,
        "application.user_membership.remove",
        vec![org.user_target(&id), org.app_target(&app)],
    );
    Ok(Reply::empty(204))
}

/// `GET /users/{user}/appLinks`: the tiles that the user sees.
pub fn links(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let user = org.user(&org.user_in(call, 0)?)?;
    let apps = org.apps_of(user, call.now_ms);
    let items: Vec<Value> = apps
        .iter()
        .filter(|(app, _)| app.active)
        .map(|(app, _)| {
            json!({ "id": app.id, "label": app.label, "appName": app.name, "appInstanceId": app.id, "hidden": false })
        })
        .collect();
    Ok(whole(call, &items))
}

/// The assignment as the API writes it.
pub fn to_json(call: &Call, app: &App, found: &AppUser) -> Value {
    json!({
        "id": found.user,
        "externalId": null,
        "created": iso(found.created),
        "lastUpdated": iso(found.created),
        "scope": if found.direct { "USER" } else { "GROUP" },
        "status": "ACTIVE",
        "syncState": "DISABLED",
        "credentials": { "userName": found.user_name },
        "profile": found.profile,
        "_links": {
            "app": { "href": call.url(&format!("/api/v1/apps/{}", app.id)) },
            "user": { "href": call.url(&format!("/api/v1/users/{}", found.user)) },
        },
    })
}
