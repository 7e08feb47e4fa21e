//! `/Groups/{id}`.

use super::resources;
use crate::exchange::Reply;
use crate::passage::Call;
use crate::scim::error::Refusal;
use crate::scim::shape;
use crate::scim::state::{App, Kind, Resource};

/// `POST /Groups`.
pub fn create(app: &mut App, call: &Call) -> Result<Reply, Refusal> {
    resources::create(app, Kind::Group, call)
}

/// `GET /Groups/{id}`.
pub fn get(app: &mut App, call: &Call) -> Result<Reply, Refusal> {
    let found = resources::find(app, Kind::Group, call)?;
    Ok(shape::reply(app, Kind::Group, found, call, 200))
}

/// `PUT /Groups/{id}`.
pub fn replace(app: &mut App, call: &Call) -> Result<Reply, Refusal> {
    let after = resources::replaced(app, Kind::Group, call)?;
    Ok(change(app, after, call))
}

/// `PATCH /Groups/{id}`.
pub fn patch(app: &mut App, call: &Call) -> Result<Reply, Refusal> {
    let after = resources::patched(app, Kind::Group, call)?;
    Ok(change(app, after, call))
}

/// `DELETE /Groups/{id}`.
pub fn delete(app: &mut App, call: &Call) -> Result<Reply, Refusal> {
    let found = resources::find(app, Kind::Group, call)?;
    resources::require_version(app, found, call)?;
    app.groups.remove(call.argument(0));
    Ok(Reply::empty(204))
}

fn change(app: &mut App, mut after: Resource, call: &Call) -> Reply {
    let before = app.groups.get(call.argument(0));
    let changed = before.map(|group| &group.attributes) != Some(&after.attributes);
    if changed {
        after.touch(call.now_ms);
    }
    let reply = resources::written(app, Kind::Group, &after, changed, call);
    app.insert(Kind::Group, after);
    reply
}
