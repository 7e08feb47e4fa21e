//! PATCH (RFC 7644 section 3.5.2): all operations of a request, or none.

mod forms;
mod operation;
mod path;

use serde_json::{Map, Value};

use super::error::Refusal;
use super::settings::Settings;
use super::state::Kind;
use operation::Operation;
pub use operation::truth;

/// Applies the operations in `body` to `attributes`.
///
/// # Errors
/// 400 with the `scimType` of table 9; `attributes` are then to be thrown away.
pub fn apply(
    kind: Kind,
    attributes: &mut Map<String, Value>,
    body: &Value,
    settings: &Settings,
) -> Result<(), Refusal> {
    let operations = body
        .as_object()
        .and_then(|body| super::attribute::member(body, "Operations"))
        .and_then(Value::as_array)
        .ok_or_else(|| Refusal::bad("invalidSyntax", "Operations are missing"))?;
    for operation in operations {
        let operation = Operation::read(operation)?;
        if forms::is_taken(kind, &operation, settings)? {
            operation.apply(kind, attributes, settings)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::settings::{ActiveForm, FormRefusal};

    fn user() -> Map<String, Value> {
        let user = json!({
            "id": "u1", "userName": "ada", "active": true, "name": { "givenName": "Ada" },
            "emails": [{ "value": "a@example.com", "type": "work" }], "roles": [{ "value": "admin" }],
        });
        user.as_object().unwrap().clone()
    }

    fn patched(
        kind: Kind,
        before: &Map<String, Value>,
        operations: Value,
        settings: &Settings,
    ) -> Result<Map<String, Value>, Option<&'static str>> {
        let mut after = before.clone();
        let body = json!({ "Operations": operations });
        apply(kind, &mut after, &body, settings)
            .map(|()| after)
            .map_err(|refusal| refusal.scim_type)
    }

    #[test]
    fn the_documented_operations_do_what_they_say() {
        let settings = Settings::default();
        for (operation, pointer, wanted) in [
            (
                json!({"op": "replace", "path": "active", "value": false}),
                "/active",
                json!(false),
            ),
            (
                json!({"op": "Replace", "value": {"active": false}}),
                "/active",
                json!(false),
            ),
            (
                json!({"op": "Replace", "path": "ACTIVE", "value": "False"}),
                "/active",
                json!(false),
            ),
            (
                json!({"op": "replace", "value": {"name.givenName": "A"}}),
                "/name/givenName",
                json!("A"),
            ),
            (
                json!({"op": "replace", "path": "emails[type eq \"work\"].value", "value": "b@example.com"}),
                "/emails/0/value",
                json!("b@example.com"),
            ),
            (
                json!({"op": "remove", "path": "roles"}),
                "/roles",
                Value::Null,
            ),
            (
                json!({"op": "replace", "path": "roles", "value": []}),
                "/roles",
                json!([]),
            ),
            (
                json!({"op": "replace", "value": {"id": "x", "displayName": "A"}}),
                "/id",
                json!("u1"),
            ),
        ] {
            let after = patched(Kind::User, &user(), json!([operation]), &settings).unwrap();
            let after = Value::Object(after);
            assert_eq!(
                after.pointer(pointer).cloned().unwrap_or_default(),
                wanted,
                "{operation}"
            );
        }
    }

    #[test]
    fn what_the_standard_refuses_is_refused_with_its_type() {
        for (operation, wanted) in [
            (json!({"op": "remove"}), Some("noTarget")),
            (
                json!({"op": "remove", "path": "userName"}),
                Some("mutability"),
            ),
            (
                json!({"op": "replace", "path": "id", "value": "x"}),
                Some("mutability"),
            ),
            (
                json!({"op": "replace", "path": "nonsense", "value": 1}),
                Some("invalidPath"),
            ),
            (
                json!({"op": "replace", "path": "active", "value": "maybe"}),
                Some("invalidValue"),
            ),
            (
                json!({"op": "explode", "path": "active"}),
                Some("invalidSyntax"),
            ),
            (
                json!({"op": "replace", "path": "emails[type eq \"home\"].value", "value": "x"}),
                Some("noTarget"),
            ),
        ] {
            let settings = Settings::default();
            let refused = patched(Kind::User, &user(), json!([operation]), &settings);
            assert_eq!(refused.unwrap_err(), wanted, "{operation}");
        }
    }

    #[test]
    fn members_go_one_by_one_or_all() {
        let group = json!({ "id": "g", "displayName": "G", "members": [{ "value": "a" }, { "value": "b" }] });
        let group = group.as_object().unwrap();
        let left = |operation: &Value, settings: &Settings| {
            let after = patched(Kind::Group, group, json!([operation]), settings).unwrap();
            after
                .get("members")
                .and_then(Value::as_array)
                .map_or(0, Vec::len)
        };
        let standard = Settings::default();
        let by_filter = json!({"op": "remove", "path": "members[value eq \"a\"]"});
        let by_value = json!({"op": "Remove", "path": "members", "value": [{"value": "a"}]});
        assert_eq!(
            (left(&by_filter, &standard), left(&by_value, &standard)),
            (1, 1)
        );
        assert_eq!(
            left(
                &json!({"op": "remove", "path": "members[value eq \"c\"]"}),
                &standard
            ),
            2
        );
        let mut strict = Settings::default();
        strict
            .patch
            .members
            .retain(|form| *form != crate::scim::settings::MemberForm::Value);
        assert_eq!(left(&by_value, &strict), 0);
    }

    #[test]
    fn a_form_that_is_not_taken_is_refused_or_ignored() {
        let mut settings = Settings::default();
        settings.patch.active = vec![ActiveForm::Pathless];
        let by_path = json!([{"op": "replace", "path": "active", "value": false}]);
        let refused = patched(Kind::User, &user(), by_path.clone(), &settings);
        assert_eq!(refused.unwrap_err(), Some("invalidPath"));
        settings.patch.active_refusal = FormRefusal::Ignored;
        let ignored = patched(Kind::User, &user(), by_path, &settings).unwrap();
        assert_eq!(ignored["active"], true);
    }
}
