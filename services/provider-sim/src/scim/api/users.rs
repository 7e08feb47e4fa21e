//! `/Users/{id}`.

use super::resources;
use crate::exchange::Reply;
use crate::passage::{Call, Instance as _};
use crate::scim::error::Refusal;
use crate::scim::settings::Delete;
use crate::scim::shape;
use crate::scim::state::{App, Kind, Resource};

/// `POST /Users`.
pub fn create(app: &mut App, call: &Call) -> Result<Reply, Refusal> {
    resources::create(app, Kind::User, call)
}

/// `GET /Users/{id}`: brings a change under way one read closer.
pub fn get(app: &mut App, call: &Call) -> Result<Reply, Refusal> {
    app.poll(call.argument(0), call.now_ms);
    let found = resources::find(app, Kind::User, call)?;
    if app.settings.etag && call.header("if-none-match") == Some(&found.etag()) {
        return Ok(Reply::empty(304));
    }
    Ok(shape::reply(app, Kind::User, found, call, 200))
}

/// `PUT /Users/{id}`.
pub fn replace(app: &mut App, call: &Call) -> Result<Reply, Refusal> {
    let after = resources::replaced(app, Kind::User, call)?;
    Ok(change(app, after, call))
}

/// `PATCH /Users/{id}`.
pub fn patch(app: &mut App, call: &Call) -> Result<Reply, Refusal> {
    let after = resources::patched(app, Kind::User, call)?;
    Ok(change(app, after, call))
}

/// `DELETE /Users/{id}` (RFC 7644 section 3.6).
pub fn delete(app: &mut App, call: &Call) -> Result<Reply, Refusal> {
    let found = resources::find(app, Kind::User, call)?;
    if app.deleted.contains(found.id()) {
        return Err(Refusal::not_found(found.id()));
    }
    resources::require_version(app, found, call)?;
    let (id, how) = (call.argument(0), app.settings.delete);
    let could_act = app.can_act(id);
    if !app.delete_user(id, how, call.now_ms) {
        return Err(App::refusal(501));
    }
    let reply = Reply::empty(204);
    Ok(match how {
        Delete::Soft if !could_act => reply.unchanged(),
        _ => reply,
    })
}

fn change(app: &mut App, after: Resource, call: &Call) -> Reply {
    let id = call.argument(0);
    let before = app.users.get(id).map(|user| &user.attributes);
    if before == Some(&after.attributes) {
        return resources::written(app, Kind::User, &after, false, call);
    }
    if app.change_user(id, after, call.now_ms) {
        return Reply::empty(202);
    }
    match app.users.get(id) {
        Some(user) => resources::written(app, Kind::User, user, true, call),
        None => Reply::empty(204),
    }
}
