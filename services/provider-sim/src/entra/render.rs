//! Objects as Graph shows them.

use serde_json::{Map, Value, json};

use crate::entra::call::Call;
use crate::entra::query;
use crate::entra::state::{Kind, Record, Row, Tenant};
use crate::exchange::Reply;

/// What a user shows where `$select` is not given (users resource).
pub const USER_DEFAULT: [&str; 11] = [
    "id",
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
];

/// One object as the answer to a call: selected members and the context.
pub fn one(tenant: &Tenant, call: &Call, kind: Kind, id: &str, record: &Record) -> Reply {
    let set = match kind {
        Kind::User => "users",
        Kind::Group => "groups",
        Kind::Application => "applications",
        Kind::ServicePrincipal => "servicePrincipals",
        Kind::Device => "devices",
    };
    let mut body = object(tenant, call, kind, id, record);
    if let Value::Object(members) = &mut body {
        match query::select(call) {
            Some(names) => members.retain(|name, _| names.contains(name)),
            None if kind == Kind::User => {
                members.retain(|name, _| USER_DEFAULT.contains(&name.as_str()));
            }
            None => {}
        }
    }
    body["@odata.context"] = json!(call.context(&format!("{set}/$entity")));
    Reply::json(200, &body)
}

/// One plain row as the answer to a call.
pub fn plain(call: &Call, status: u16, context: &str, record: &Record) -> Reply {
    let mut body = shown(record);
    body["@odata.context"] = json!(call.context(context));
    Reply::json(status, &body)
}

/// An object with all members that it may show to this call; a list selects afterwards, so that it can filter by others.
pub fn object(tenant: &Tenant, call: &Call, kind: Kind, id: &str, record: &Record) -> Value {
    let select = query::select(call);
    let wants = |name: &str| {
        select
            .as_ref()
            .is_some_and(|names| names.iter().any(|selected| selected == name))
    };
    let mut value = shown(record);
    match kind {
        Kind::User if wants("licenseAssignmentStates") || wants("assignedLicenses") => {
            let states = tenant.licences(id, record);
            value["assignedLicenses"] = assigned(&states);
            value["licenseAssignmentStates"] = Value::Array(states);
        }
        // The content of keys is shown only where it is asked for.
        Kind::Application | Kind::ServicePrincipal if !wants("keyCredentials") => {
            if let Some(keys) = value["keyCredentials"].as_array_mut() {
                keys.iter_mut().for_each(|key| key["key"] = Value::Null);
            }
        }
        _ => {}
    }
    value
}

/// An object in a list of directory objects of several types.
pub fn typed(tenant: &Tenant, call: &Call, kind: Kind, id: &str, record: &Record) -> Value {
    let mut value = object(tenant, call, kind, id, record);
    value["@odata.type"] = json!(format!("#{}", kind.cast()));
    value
}

/// All members but the simulator's own.
pub fn shown(record: &Record) -> Value {
    let visible = record.iter().filter(|(name, _)| !name.starts_with('_'));
    Value::Object(
        visible
            .map(|(name, value)| (name.clone(), stripped(value)))
            .collect(),
    )
}

/// The rows as plain values.
pub fn rows(rows: &[Row]) -> Vec<Value> {
    rows.iter().map(|row| shown(&row.record)).collect()
}

fn stripped(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(stripped).collect(),
        Value::Object(members) => {
            let visible = members.iter().filter(|(name, _)| !name.starts_with('_'));
            let visible: Map<String, Value> = visible
                .map(|(name, value)| (name.clone(), stripped(value)))
                .collect();
            Value::Object(visible)
        }
        other => other.clone(),
    }
}

fn assigned(states: &[Value]) -> Value {
    let mut skus: Vec<&Value> = states.iter().map(|state| &state["skuId"]).collect();
    skus.dedup();
    skus.iter()
        .map(|sku| json!({ "skuId": sku, "disabledPlans": [] }))
        .collect()
}
