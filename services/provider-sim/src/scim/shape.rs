//! How resources and lists are written.

use hyper::header::{CONTENT_TYPE, ETAG, LOCATION};
use serde_json::{Map, Value, json};

use super::attribute::key_of;
use super::settings::{AttributeCase, GroupMembers, Settings};
use super::state::{App, Kind, Resource};
use crate::clock::iso;
use crate::exchange::Reply;
use crate::passage::Call;

const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
const VENDOR: &str = "urn:example:params:scim:schemas:extension:vendor:2.0:User";

/// A resource as it is answered.
pub fn resource(app: &App, kind: Kind, found: &Resource, call: &Call) -> Value {
    let settings = &app.settings;
    let mut written = found.attributes.clone();
    written.remove("password");
    let mut schemas = vec![json!(kind.schema())];
    schemas.extend(
        written
            .keys()
            .filter(|name| name.starts_with("urn:"))
            .map(|urn| json!(urn)),
    );
    if kind == Kind::User {
        if !settings.has_active {
            written.remove("active");
        } else if settings.active_as_string {
            let active = written.get("active") == Some(&json!(true));
            let word = if active { "True" } else { "False" };
            written.insert("active".into(), json!(word));
        }
        if settings.user_groups {
            written.insert("groups".into(), groups(app, found.id(), call));
        }
    }
    if kind == Kind::Group {
        match settings.group_members {
            GroupMembers::Shown => {}
            GroupMembers::Empty => {
                written.insert("members".into(), json!([]));
            }
            GroupMembers::Hidden => {
                written.remove("members");
            }
        }
    }
    if settings.unknown_members {
        schemas.push(json!(VENDOR));
        written.insert(VENDOR.into(), json!({ "seats": [1, null], "active": true }));
        written.insert(
            "vendorFlags".into(),
            json!({ "nested": { "userName": "x" } }),
        );
        written.insert("nothing".into(), Value::Null);
    }
    written.insert("schemas".into(), Value::Array(schemas));
    written.insert("meta".into(), meta(settings, kind, found, call));
    narrowed(&mut written, call);
    Value::Object(written)
}

fn meta(settings: &Settings, kind: Kind, found: &Resource, call: &Call) -> Value {
    let mut meta = json!({
        "resourceType": kind.name(),
        "created": iso(found.created),
        "lastModified": iso(found.last_modified),
        "location": location(kind, found, call),
    });
    if settings.etag {
        meta["version"] = json!(found.etag());
    }
    meta
}

fn location(kind: Kind, found: &Resource, call: &Call) -> String {
    format!("{}{}/{}", call.base, kind.endpoint(), found.id())
}

fn groups(app: &App, user: &str, call: &Call) -> Value {
    let groups = app.groups_of(user);
    groups
        .map(|group| {
            let at = location(Kind::Group, group, call);
            json!({ "value": group.id(), "display": group.text("displayName"), "$ref": at, "type": "direct" })
        })
        .collect()
}

/// `attributes` and `excludedAttributes` (RFC 7644 section 3.9); `id` and `schemas` always stay.
fn narrowed(written: &mut Map<String, Value>, call: &Call) {
    let names = |parameter: &str| -> Option<Vec<String>> {
        let list = call.parameter(parameter)?;
        let top = |name: &str| name.split('.').next().unwrap_or_default().trim().to_owned();
        Some(list.split(',').map(top).collect())
    };
    if let Some(wanted) = names("attributes") {
        let kept = |name: &str| {
            let always = ["id", "schemas"].contains(&name);
            always || wanted.iter().any(|one| one.eq_ignore_ascii_case(name))
        };
        written.retain(|name, _| kept(name));
    }
    for name in names("excludedAttributes").unwrap_or_default() {
        if let Some(key) = key_of(written, &name).filter(|key| key != "id") {
            written.remove(&key);
        }
    }
}

/// One resource as an answer, with `Location` and `ETag`.
pub fn reply(app: &App, kind: Kind, found: &Resource, call: &Call, status: u16) -> Reply {
    let body = resource(app, kind, found, call);
    let reply =
        json(&app.settings, status, body).with_header(LOCATION, &location(kind, found, call));
    match app.settings.etag {
        true => reply.with_header(ETAG, &found.etag()),
        false => reply,
    }
}

/// A page of a list of `total` items, beginning at `start` (counted from 1); `next` is the cursor of the page after it.
pub fn list(
    settings: &Settings,
    resources: Vec<Value>,
    total: usize,
    start: usize,
    next: Option<String>,
) -> Reply {
    let mut body =
        json!({ "schemas": [LIST], "startIndex": start, "itemsPerPage": resources.len() });
    if settings.total_results {
        body["totalResults"] = json!(total);
    }
    if !resources.is_empty() || settings.empty_resources {
        body["Resources"] = Value::Array(resources);
    }
    if let Some(next) = next {
        body["nextCursor"] = json!(next);
    }
    if settings.unknown_members {
        body["vendorCursor"] = json!({ "next": null });
    }
    json(settings, 200, body)
}

/// `body` in the application's spelling and content type.
pub fn json(settings: &Settings, status: u16, body: Value) -> Reply {
    let body = respelt(settings.attribute_case, body);
    Reply::json(status, &body).with_header(CONTENT_TYPE, &settings.content_type)
}

fn respelt(case: AttributeCase, value: Value) -> Value {
    let name = |name: String| match case {
        _ if name.contains(':') || name.starts_with('$') => name,
        AttributeCase::Schema => name,
        AttributeCase::Lower => name.to_lowercase(),
        AttributeCase::Pascal => {
            let (first, rest) = name.split_at(name.chars().next().map_or(0, char::len_utf8));
            format!("{}{rest}", first.to_uppercase())
        }
    };
    match value {
        _ if case == AttributeCase::Schema => value,
        Value::Object(members) => members
            .into_iter()
            .map(|(key, value)| (name(key), respelt(case, value)))
            .collect(),
        Value::Array(values) => values
            .into_iter()
            .map(|value| respelt(case, value))
            .collect(),
        other => other,
    }
}
