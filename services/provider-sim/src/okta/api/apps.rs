//! Apps: lists with the apps of one user, and lifecycle.

use serde_json::{Value, json};

use crate::clock::iso;
use crate::exchange::Reply;
use crate::okta::call::Call;
use crate::okta::error::{ApiError, Code};
use crate::okta::filter::{Expression, Operator};
use crate::okta::page::Page;
use crate::okta::state::{App, Org};

/// Default and largest page of the apps.
const PAGE: (usize, usize) = (20, 200);

/// `GET /apps`, with `filter=user.id eq "..."` the apps of one user, and with `expand=user/{id}` that user's assignment
/// in each.
pub fn list(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let expression = call
        .parameter("filter")
        .map(Expression::parse)
        .transpose()?;
    if let Some(expression) = &expression {
        expression.check(&|name, operator| {
            operator == Operator::Eq
                && matches!(name, "user.id" | "group.id" | "id" | "status" | "name")
        })?;
    }
    let inactive_too = call.flag("includeNonDeleted", false)? || expression.is_some();
    let everything = org.settings.ignore_filter;
    let expanded = call
        .parameter("expand")
        .and_then(|expand| expand.strip_prefix("user/"));
    let expanded = expanded.and_then(|id| org.users.get(id));
    let wanted = |app: &App| {
        everything
            || expression
                .as_ref()
                .is_none_or(|expression| asks_for(org, app, expression, call.now_ms))
    };
    let apps = org
        .apps
        .iter()
        .filter(|(_, app)| (app.active || inactive_too) && wanted(app));
    let page = Page::cut(call, &org.settings, apps, PAGE)?;
    let reply = page.reply(call, |app| {
        let mut value = to_json(call, app);
        let found = expanded.and_then(|user| org.app_user(app, user, call.now_ms));
        if let Some(found) = found {
            value["_embedded"] = json!({ "user": super::app_users::to_json(call, app, &found) });
        }
        value
    });
    let looked_at = expanded.map(|user| user.id.clone());
    org.look_at_app_users(looked_at.as_deref(), call.now_ms);
    Ok(reply)
}

/// `GET /apps/{app}`.
pub fn get(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    Ok(Reply::json(200, &to_json(call, org.app(call.argument(0))?)))
}

/// `POST .../lifecycle/activate`.
pub fn activate(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    switch(org, call, true)
}

/// `POST .../lifecycle/deactivate`.
pub fn deactivate(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    if !org.app(call.argument(0))?.active {
        match org.settings.unconfirmed.app_deactivate_inactive {
            400 => return Err(ApiError::validation("app", "The app is not active")),
            403 => return Err(Code::Forbidden.into()),
            _ => {}
        }
    }
    switch(org, call, false)
}

/// `DELETE /apps/{app}`: only once it is inactive.
pub fn delete(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let id = call.argument(0);
    if org.app(id)?.active {
        return Err(match org.settings.unconfirmed.delete_active_app {
            400 => ApiError::validation("app", "The app is active"),
            _ => Code::DeleteAppForbidden.into(),
        });
    }
    org.log(
        call,
        "application.lifecycle.delete",
        vec![org.app_target(id)],
    );
    org.delete_app(id);
    Ok(Reply::empty(204))
}

/// The app as the API writes it.
pub fn to_json(call: &Call, app: &App) -> Value {
    json!({
        "id": app.id,
        "name": app.name,
        "label": app.label,
        "status": if app.active { "ACTIVE" } else { "INACTIVE" },
        "created": iso(app.created),
        "lastUpdated": iso(app.last_updated),
        "signOnMode": app.sign_on_mode,
        "features": if app.client.provisioning.is_some() { vec!["PUSH_NEW_USERS"] } else { vec![] },
        "credentials": { "oauthClient": {
            "client_id": app.client.client_id, "token_endpoint_auth_method": app.client.auth_method,
        } },
        "settings": { "oauthClient": { "redirect_uris": app.client.redirect_uris } },
        "_links": { "users": { "href": call.url(&format!("/api/v1/apps/{}/users", app.id)) } },
    })
}

fn asks_for(org: &Org, app: &App, expression: &Expression, now_ms: i64) -> bool {
    expression.holds(&|name| match name {
        "id" => vec![app.id.clone()],
        "name" => vec![app.name.clone()],
        "status" => vec![if app.active { "ACTIVE" } else { "INACTIVE" }.to_owned()],
        "group.id" => app.groups.iter().cloned().collect(),
        "user.id" => wanted_users(org, app, expression, now_ms),
        _ => Vec::new(),
    })
}

/// Which of the users that `expression` names have `app`: looking at those alone keeps a large app cheap.
fn wanted_users(org: &Org, app: &App, expression: &Expression, now_ms: i64) -> Vec<String> {
    let mut named = Vec::new();
    collect_users(expression, &mut named);
    let users = named.into_iter().filter_map(|id| org.users.get(id));
    users
        .filter(|user| org.app_user(app, user, now_ms).is_some())
        .map(|user| user.id.clone())
        .collect()
}

fn collect_users<'a>(expression: &'a Expression, named: &mut Vec<&'a str>) {
    match expression {
        Expression::And(parts) | Expression::Or(parts) => {
            parts.iter().for_each(|part| collect_users(part, named))
        }
        Expression::Compare(name, _, value) if name == "user.id" => named.push(value),
        Expression::Compare(..) => {}
    }
}

fn switch(org: &mut Org, call: &Call, active: bool) -> Result<Reply, ApiError> {
    let id = org.app(call.argument(0))?.id.clone();
    if org.app(&id)?.active == active {
        return Ok(org.bare_200().unchanged());
    }
    if active {
        org.app_mut(&id)?.active = true;
    } else {
        org.deactivate_app(&id, call.now_ms);
    }
    let kind = if active {
        "application.lifecycle.activate"
    } else {
        "application.lifecycle.deactivate"
    };
    org.log(call, kind, vec![org.app_target(&id)]);
    Ok(org.bare_200())
}
