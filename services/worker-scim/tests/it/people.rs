//! Who is in the application of a test.

use serde_json::{Value, json};

/// Ada with everything, and Bob in the same groups.
pub fn two() -> Value {
    json!({
        "groups": [{ "name": "Sales" }, { "name": "Berlin" }, { "name": "Other" }],
        "users": [
            {
                "login": "ada@example.com", "first_name": "Ada", "last_name": "Byron", "external_id": "E7",
                "groups": ["Sales", "Berlin"], "roles": ["org-admin", "reader"], "entitlements": ["seat"],
            },
            {
                "login": "bob@example.com", "first_name": "Bob", "last_name": "Byron",
                "groups": ["Sales", "Other"], "roles": ["reader"],
            },
        ],
    })
}
