//! What an application says of itself (RFC 7644 section 4).

use serde_json::Value;

use crate::exchange::Reply;
use crate::passage::{Call, Instance as _};
use crate::scim::error::Refusal;
use crate::scim::schemas as described;
use crate::scim::shape;
use crate::scim::state::{App, Kind};

const KINDS: [Kind; 2] = [Kind::User, Kind::Group];

/// `GET /ServiceProviderConfig`.
pub fn config(app: &mut App, _: &Call) -> Result<Reply, Refusal> {
    match app.settings.discovery_status {
        200 => Ok(shape::json(
            &app.settings,
            200,
            described::config(&app.settings),
        )),
        status => Err(App::refusal(status)),
    }
}

/// `GET /ResourceTypes`.
pub fn resource_types(app: &mut App, call: &Call) -> Result<Reply, Refusal> {
    let types = KINDS.map(|kind| described::resource_type(kind, &call.base));
    all(app, call, types.to_vec())
}

/// `GET /ResourceTypes/{type}`.
pub fn resource_type(app: &mut App, call: &Call) -> Result<Reply, Refusal> {
    let types = KINDS.map(|kind| described::resource_type(kind, &call.base));
    one(app, call, &types)
}

/// `GET /Schemas`.
pub fn schemas(app: &mut App, call: &Call) -> Result<Reply, Refusal> {
    let schemas = KINDS.map(|kind| described::schema(kind, &app.settings));
    all(app, call, schemas.to_vec())
}

/// `GET /Schemas/{urn}`.
pub fn schema(app: &mut App, call: &Call) -> Result<Reply, Refusal> {
    let schemas = KINDS.map(|kind| described::schema(kind, &app.settings));
    one(app, call, &schemas)
}

/// `/Me` and `/Bulk`: optional, and not there.
pub fn not_implemented(_: &mut App, _: &Call) -> Result<Reply, Refusal> {
    Err(App::refusal(501))
}

/// Section 4: parameters are ignored, and a filter is forbidden.
fn all(app: &App, call: &Call, documents: Vec<Value>) -> Result<Reply, Refusal> {
    if call.parameter("filter").is_some() {
        return Err(Refusal::new(403, "a filter is not allowed here"));
    }
    let total = documents.len();
    Ok(shape::list(&app.settings, documents, total, 1, None))
}

fn one(app: &App, call: &Call, documents: &[Value]) -> Result<Reply, Refusal> {
    let id = call.argument(0);
    let found = documents.iter().find(|document| {
        let own = document["id"].as_str().unwrap_or_default();
        own.eq_ignore_ascii_case(id)
    });
    let document = found.ok_or_else(|| Refusal::not_found(id))?;
    Ok(shape::json(&app.settings, 200, document.clone()))
}
