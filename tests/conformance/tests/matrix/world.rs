//! Who is in the world of a cell, by the same ids and names at every provider.

use serde_json::Value;
use sever_domain::identity::PersonAttributes;
use sever_testkit::conformance::Bystander;

/// The subject, person or integration.
pub const SUBJECT: &str = "00subject0000000000a1";
/// Somebody, or something, of the same kind that must not be touched.
pub const BYSTANDER: &str = "00bystander00000000b1";
/// The subject's login.
pub const LOGIN: &str = "ada@example.com";
/// The bystander's login.
pub const OTHER_LOGIN: &str = "ben@example.com";

/// What the directory knows of the person.
pub fn ada() -> PersonAttributes {
    PersonAttributes {
        emails: vec![LOGIN.to_owned()],
        given_name: Some("Ada".to_owned()),
        family_name: Some("Byron".to_owned()),
        external_ids: vec!["E7".to_owned()],
    }
}

/// The bystander, whose truth is below `state/{list}/`.
pub fn bystander(list: &str) -> Bystander {
    Bystander {
        truth: format!("{list}/{BYSTANDER}"),
        names: vec![BYSTANDER.to_owned(), OTHER_LOGIN.to_owned()],
    }
}

/// `document` with the members of `more`.
pub fn with(mut document: Value, more: Value) -> Value {
    if let (Value::Object(document), Value::Object(more)) = (&mut document, more) {
        document.extend(more);
    }
    document
}
