//! What is the same for users and groups.

use serde_json::{Map, Value, json};

use crate::exchange::Reply;
use crate::passage::Call;
use crate::scim::attribute::member;
use crate::scim::error::Refusal;
use crate::scim::patch;
use crate::scim::schemas;
use crate::scim::shape;
use crate::scim::state::{App, Kind, Resource};

/// The resource that a call names.
pub fn find<'a>(app: &'a App, kind: Kind, call: &Call) -> Result<&'a Resource, Refusal> {
    let id = call.argument(0);
    app.of(kind).get(id).ok_or_else(|| Refusal::not_found(id))
}

/// Creates a resource (RFC 7644 section 3.3).
pub fn create(app: &mut App, kind: Kind, call: &Call) -> Result<Reply, Refusal> {
    let mut attributes = sent(kind, call)?;
    if kind == Kind::User {
        attributes.entry("active").or_insert(json!(true));
    }
    let id = app.new_id();
    let resource = Resource::new(&id, attributes, call.now_ms);
    require_unique(app, kind, &resource)?;
    let reply = shape::reply(app, kind, &resource, call, 201);
    app.insert(kind, resource);
    Ok(reply)
}

/// The resource as it would be after a PUT (section 3.5.1); a PUT without `active` leaves it.
pub fn replaced(app: &App, kind: Kind, call: &Call) -> Result<Resource, Refusal> {
    let before = find(app, kind, call)?;
    require_version(app, before, call)?;
    let mut after = before.clone();
    let mut attributes = sent(kind, call)?;
    if let Some(active) = before.attributes.get("active") {
        attributes.entry("active").or_insert(active.clone());
    }
    attributes.insert("id".into(), json!(before.id()));
    after.attributes = attributes;
    require_unique(app, kind, &after)?;
    Ok(after)
}

/// The resource as it would be after a PATCH.
pub fn patched(app: &App, kind: Kind, call: &Call) -> Result<Resource, Refusal> {
    let before = find(app, kind, call)?;
    require_version(app, before, call)?;
    let body: Value = serde_json::from_slice(&call.body)
        .map_err(|_| Refusal::bad("invalidSyntax", "the body is no JSON"))?;
    let mut after = before.clone();
    patch::apply(kind, &mut after.attributes, &body, &app.settings)?;
    require_unique(app, kind, &after)?;
    Ok(after)
}

/// The answer to a write that left `after`.
pub fn written(app: &App, kind: Kind, after: &Resource, changed: bool, call: &Call) -> Reply {
    let reply = match (call.method.as_str(), app.settings.patch.success_status) {
        ("PATCH", 204) => Reply::empty(204),
        _ => shape::reply(app, kind, after, call, 200),
    };
    if changed { reply } else { reply.unchanged() }
}

/// `If-Match` (section 3.14).
pub fn require_version(app: &App, found: &Resource, call: &Call) -> Result<(), Refusal> {
    match call.header("if-match") {
        Some(wanted) if app.settings.etag && wanted != "*" && wanted != found.etag() => {
            Err(Refusal::new(412, "the resource has another version"))
        }
        _ => Ok(()),
    }
}

fn require_unique(app: &App, kind: Kind, resource: &Resource) -> Result<(), Refusal> {
    let name = resource.text(kind.required());
    if name.is_empty() {
        let required = kind.required();
        return Err(Refusal::bad(
            "invalidValue",
            format!("{required}: is missing"),
        ));
    }
    if app.is_taken(kind, name, resource.id()) {
        return Err(Refusal {
            scim_type: Some("uniqueness"),
            ..Refusal::new(409, "the name is taken")
        });
    }
    Ok(())
}

/// The attributes in the body that a client may set, by their names in the schema.
fn sent(kind: Kind, call: &Call) -> Result<Map<String, Value>, Refusal> {
    let invalid = || Refusal::bad("invalidSyntax", "the body is no resource");
    let body: Value = serde_json::from_slice(&call.body).map_err(|_| invalid())?;
    let body = body.as_object().ok_or_else(invalid)?;
    let mut attributes = Map::new();
    for (name, value) in body {
        if schemas::is_read_only(name) || name.eq_ignore_ascii_case("schemas") || value.is_null() {
            continue;
        }
        let name = schemas::canonical(kind, name).unwrap_or(name);
        attributes.insert(name.to_owned(), value.clone());
    }
    if let Some(active) = member(&attributes, "active") {
        let active = patch::truth(active)?;
        attributes.insert("active".into(), json!(active));
    }
    Ok(attributes)
}
