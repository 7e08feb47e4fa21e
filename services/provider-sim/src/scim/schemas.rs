//! The schemas that are served, and the names in them (RFC 7643 sections 4, 5, 6 and 7).

use serde_json::{Value, json};

use super::settings::{Pages, Settings};
use super::state::Kind;

const USER: [&str; 20] = [
    "userName",
    "name",
    "displayName",
    "nickName",
    "profileUrl",
    "title",
    "userType",
    "preferredLanguage",
    "locale",
    "timezone",
    "active",
    "password",
    "emails",
    "phoneNumbers",
    "ims",
    "photos",
    "addresses",
    "entitlements",
    "roles",
    "x509Certificates",
];
const GROUP: [&str; 2] = ["displayName", "members"];
const MULTI_VALUED: [&str; 9] = [
    "emails",
    "phoneNumbers",
    "ims",
    "photos",
    "addresses",
    "entitlements",
    "roles",
    "x509Certificates",
    "members",
];

/// The attribute `name` as the schema spells it.
pub fn canonical(kind: Kind, name: &str) -> Option<&'static str> {
    let own: &[&'static str] = match kind {
        Kind::User => &USER,
        Kind::Group => &GROUP,
    };
    let common: &[&'static str] = &["externalId", "schemas"];
    own.iter()
        .chain(common)
        .copied()
        .find(|known| known.eq_ignore_ascii_case(name))
}

/// Whether clients cannot set the attribute.
pub fn is_read_only(name: &str) -> bool {
    ["id", "meta", "groups"]
        .iter()
        .any(|own| own.eq_ignore_ascii_case(name))
}

/// `/ServiceProviderConfig`.
pub fn config(settings: &Settings) -> Value {
    let by_cursor = settings.pages == Pages::Cursor;
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": { "supported": settings.patch.missing_status.is_none() },
        "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": 0 },
        "filter": { "supported": true, "maxResults": settings.page_size_max },
        "pagination": { "cursor": by_cursor, "index": !by_cursor },
        "changePassword": { "supported": false },
        "sort": { "supported": false },
        "etag": { "supported": settings.etag },
        "authenticationSchemes": [{
            "type": "oauthbearertoken", "name": "Bearer", "description": "A token of the application", "primary": true,
        }],
    })
}

/// One entry of `/ResourceTypes`.
pub fn resource_type(kind: Kind, base: &str) -> Value {
    let name = kind.name();
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
        "id": name,
        "name": name,
        "endpoint": kind.endpoint(),
        "schema": kind.schema(),
        "meta": { "resourceType": "ResourceType", "location": format!("{base}/ResourceTypes/{name}") },
    })
}

/// One entry of `/Schemas`.
pub fn schema(kind: Kind, settings: &Settings) -> Value {
    let names: &[&str] = match kind {
        Kind::User => &USER,
        Kind::Group => &GROUP,
    };
    let served = names
        .iter()
        .filter(|name| **name != "active" || settings.has_active);
    let attributes: Vec<Value> = served.map(|name| attribute(kind, name)).collect();
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
        "id": kind.schema(),
        "name": kind.name(),
        "attributes": attributes,
    })
}

fn attribute(kind: Kind, name: &str) -> Value {
    let multi = MULTI_VALUED.contains(&name);
    let type_name = match name {
        "active" => "boolean",
        "name" => "complex",
        _ if multi => "complex",
        _ => "string",
    };
    let required = name == kind.required();
    json!({
        "name": name,
        "type": type_name,
        "multiValued": multi,
        "required": required,
        "caseExact": false,
        "mutability": "readWrite",
        "returned": if name == "password" { "never" } else { "default" },
        "uniqueness": if required { "server" } else { "none" },
    })
}
