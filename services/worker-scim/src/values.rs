//! `roles` and `entitlements` of a user: taking one value away, and giving one back.

use serde_json::{Map, Value, json};
use sever_domain::entitlement::Entitlement;
use sever_domain::{Action, EntitlementKind};
use sever_provider::http::Method;
use sever_provider::{Answer, CallError};
use tokio::time::Instant;

use crate::account::user_by_id;
use crate::activate::{after_write, already, not_applied};
use crate::app::{App, Refused, Write, unusable};
use crate::document::{item_key, member, text_of};
use crate::errors::Meaning;
use crate::patch;
use crate::privilege::sounds_privileged;
use crate::user::User;

/// A form of the removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// PATCH `remove` with a path that picks the value.
    Picking,
    /// PATCH `replace` with the values that stay.
    Replace,
    /// The same without a path.
    Pathless,
    /// PUT of the whole user.
    Put,
}

const FORMS: [Form; 4] = [Form::Picking, Form::Replace, Form::Pathless, Form::Put];

/// The attribute that holds entitlements of a kind.
#[must_use]
pub const fn attribute_of(kind: EntitlementKind) -> Option<&'static str> {
    match kind {
        EntitlementKind::Role => Some("roles"),
        EntitlementKind::Licence => Some("entitlements"),
        _ => None,
    }
}

/// The values of a kind, one entitlement for each key.
#[must_use]
pub fn read(user: &User, kind: EntitlementKind) -> Vec<Entitlement> {
    let items = attribute_of(kind).and_then(|name| user.document.items(name));
    let mut found: Vec<Entitlement> = Vec::new();
    for item in items.unwrap_or_default() {
        let Some(key) = value_key(item) else { continue };
        if found.iter().all(|known| known.provider_key != key) {
            found.push(entitlement(kind, key, item));
        }
    }
    found
}

/// What a value is known by: one that names itself in no usual way by all that it says, because it may give something.
fn value_key(item: &Value) -> Option<String> {
    item_key(item).or_else(|| (!item.is_null()).then(|| item.to_string()))
}

fn entitlement(kind: EntitlementKind, key: String, item: &Value) -> Entitlement {
    let mut facts = Map::new();
    if let Some(object) = item.as_object() {
        for name in ["display", "type"] {
            if let Some(text) = member(object, name).and_then(text_of) {
                facts.insert(name.to_owned(), json!(text));
            }
        }
    } else {
        facts.insert("plain".to_owned(), json!(true));
    }
    Entitlement {
        kind,
        privileged: kind == EntitlementKind::Role && sounds_privileged(&[&key, display(&facts)]),
        provider_key: key,
        facts: Value::Object(facts),
    }
}

fn display(facts: &Map<String, Value>) -> &str {
    facts.get("display").and_then(Value::as_str).unwrap_or("")
}

/// Takes one value away. A second read decides; they share one deadline.
///
/// # Errors
/// What stops the ladder; class `NeedsPerson` where no form had the effect.
pub async fn remove(
    app: &App,
    id: &str,
    kind: EntitlementKind,
    key: &str,
    until: Instant,
) -> Result<Answer, CallError> {
    let doing = doing(kind);
    let attribute = attribute_of(kind).unwrap_or_default();
    // Whole lists of the same user are written: one after the other.
    let _one = app.one_writer.lock().await;
    for (at, form) in app.dialects.values.order(&FORMS) {
        let found = user_by_id(app, id, Some(until))
            .await
            .map_err(not_applied)?;
        let Some(user) = found.filter(|user| holds(user, kind, key)) else {
            return Ok(already(200));
        };
        let (method, json, version) = request(form, attribute, key, user);
        let write = Write {
            doing,
            method,
            id,
            json: Some(json),
            version,
        };
        let reply = match app.write_user(write, until).await {
            Ok(reply) => reply,
            Err(refused) if is_other_form(&refused) => {
                app.dialects.values.failed(at);
                continue;
            }
            Err(refused) => {
                app.dialects.values.ended(at, &refused.error);
                return Err(refused.error);
            }
        };
        let left = user_by_id(app, id, Some(until))
            .await
            .map_err(after_write)?;
        if left.is_none_or(|user| !holds(&user, kind, key)) {
            app.dialects.values.proven(at);
            return Ok(app.done(&reply));
        }
        app.dialects.values.failed(at);
    }
    Err(unusable(
        doing,
        "no form of removing it had the effect".to_owned(),
    ))
}

fn request(form: Form, attribute: &str, key: &str, user: User) -> (Method, Value, Option<String>) {
    let items = user.document.items(attribute).unwrap_or_default();
    let others: Value = items
        .into_iter()
        .filter(|item| value_key(item).as_deref() != Some(key))
        .cloned()
        .collect();
    match form {
        Form::Picking => {
            let path = patch::picking(attribute, key);
            (
                Method::PATCH,
                patch::at("remove", &path, &Value::Null),
                None,
            )
        }
        Form::Replace => {
            let json = patch::at("replace", attribute, &others);
            (Method::PATCH, json, user.version)
        }
        Form::Pathless => (
            Method::PATCH,
            patch::pathless(attribute, &others),
            user.version,
        ),
        Form::Put => {
            let mut document = user.document;
            document.set(attribute, others);
            (Method::PUT, Value::Object(document.0), user.version)
        }
    }
}

/// Gives one value back, as the pre-image had it.
///
/// # Errors
/// By what the answer means.
pub async fn add(
    app: &App,
    id: &str,
    action: Action,
    key: &str,
    facts: &Value,
    until: Instant,
) -> Result<Answer, CallError> {
    let kind = match action {
        Action::AssignLicence => EntitlementKind::Licence,
        _ => EntitlementKind::Role,
    };
    let value = match facts["plain"] == json!(true) {
        true => json!([key]),
        false => {
            let mut item = json!({ "value": key });
            for name in ["display", "type"] {
                if facts[name].is_string() {
                    item[name] = facts[name].clone();
                }
            }
            json!([item])
        }
    };
    let attribute = attribute_of(kind).unwrap_or_default();
    let write = Write {
        doing: "giving back a role or an entitlement",
        method: Method::PATCH,
        id,
        json: Some(patch::at("add", attribute, &value)),
        version: None,
    };
    let reply = app.write_user(write, until).await;
    let reply = reply.map_err(|refused| refused.error)?;
    Ok(app.done(&reply))
}

fn holds(user: &User, kind: EntitlementKind, key: &str) -> bool {
    read(user, kind)
        .iter()
        .any(|entitlement| entitlement.provider_key == key)
}

fn is_other_form(refused: &Refused) -> bool {
    matches!(
        refused.meaning,
        Meaning::WrongForm
            | Meaning::NoMethod
            | Meaning::NoTarget
            | Meaning::NoFilter
            | Meaning::Gone
    )
}

const fn doing(kind: EntitlementKind) -> &'static str {
    match kind {
        EntitlementKind::Licence => "taking an entitlement",
        _ => "taking a role",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;

    #[test]
    fn values_are_read_in_every_shape_and_power_by_its_name() {
        let document = json!({"id": "u", "Roles": [
            {"value": "org-Admin", "type": "x"}, {"value": "reader"}, "plain", {"value": "reader"}, {"x": 1}, null,
        ]});
        let user = User::of(Document::of(document).unwrap(), None).unwrap();
        let roles = read(&user, EntitlementKind::Role);
        let told: Vec<(&str, bool)> = roles
            .iter()
            .map(|role| (role.provider_key.as_str(), role.privileged))
            .collect();
        assert_eq!(
            told,
            [
                ("org-Admin", true),
                ("reader", false),
                ("plain", false),
                (r#"{"x":1}"#, false)
            ]
        );
        assert_eq!(roles[2].facts, json!({"plain": true}));
        assert_eq!(read(&user, EntitlementKind::Licence), vec![]);
    }
}
