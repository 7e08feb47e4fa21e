//! Groups that grant an app.

use serde_json::{Value, json};

use crate::clock::iso;
use crate::exchange::Reply;
use crate::okta::call::Call;
use crate::okta::error::ApiError;
use crate::okta::page::Page;
use crate::okta::state::{App, Org};

/// Default and largest page.
const PAGE: (usize, usize) = (20, 200);

/// `GET /apps/{app}/groups`.
pub fn list(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let app = org.app(call.argument(0))?;
    let groups = app.groups.iter().map(|id| (id, id));
    let page = Page::cut(call, &org.settings, groups, PAGE)?;
    Ok(page.reply(call, |id| to_json(app, id)))
}

/// `GET /apps/{app}/groups/{group}`: 404 for a group that does not grant it.
pub fn get(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let (app, id) = (org.app(call.argument(0))?, call.argument(1));
    match app.groups.contains(id) {
        true => Ok(Reply::json(200, &to_json(app, id))),
        false => Err(ApiError::not_found(id, "ApplicationGroupAssignment")),
    }
}

/// `PUT /apps/{app}/groups/{group}`.
pub fn assign(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let (id, group) = (call.argument(0), call.argument(1));
    org.group(group)?;
    let app = org.app_mut(id)?;
    let new = app.groups.insert(group.to_owned());
    let reply = Reply::json(200, &to_json(app, group));
    if !new {
        return Ok(reply.unchanged());
    }
    let targets = vec![org.group_target(group), org.app_target(id)];
    org.log(call, "group.application_assignment.add", targets);
    Ok(reply)
}

/// `DELETE /apps/{app}/groups/{group}`.
pub fn unassign(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let (id, group) = (call.argument(0), call.argument(1));
    if !org.app_mut(id)?.groups.remove(group) {
        return Err(ApiError::not_found(group, "ApplicationGroupAssignment"));
    }
    let targets = vec![org.group_target(group), org.app_target(id)];
    org.log(call, "group.application_assignment.remove", targets);
    Ok(Reply::empty(204))
}

fn to_json(app: &App, id: &str) -> Value {
    json!({ "id": id, "priority": 0, "lastUpdated": iso(app.last_updated), "profile": {} })
}
