//! Who is in the realm of a test.

use serde_json::{Value, json};

/// Ada with everything, Bob at the same clients, and the clients.
pub fn two() -> Value {
    json!({
        "clients": [
            { "id": "c-web", "client_id": "web", "secret": "w" },
            { "id": "c-mobile", "client_id": "mobile", "authentication": "none" },
            { "id": "c-bot", "client_id": "bot", "secret": "b", "service_account": ["reader", "realm-admin"] },
        ],
        "users": [
            {
                "id": "u-ada", "login": "ada@example.com", "first_name": "Ada", "last_name": "Byron",
                "attributes": { "employeeNumber": ["E7"] },
                "groups": ["Sales", "Berlin"], "realm_roles": ["admin", "reader"], "client_roles": { "web": ["editor"] },
                "credentials": ["password", "otp"], "federated": { "google": "g1" },
                "consents": { "web": ["profile"] }, "sessions": ["mobile"],
                "tokens": [
                    { "client": "web", "kind": "refresh", "secret": "ada-refresh" },
                    { "client": "web", "kind": "offline", "secret": "ada-offline" },
                    { "client": "web", "kind": "access", "secret": "ada-access", "lifetime_s": 60 },
                ],
            },
            {
                "id": "u-bob", "login": "bob@example.com", "first_name": "Bob", "last_name": "Byron",
                "groups": ["Sales"], "realm_roles": ["reader"], "consents": { "web": ["profile"] },
                "tokens": [
                    { "client": "web", "kind": "refresh", "secret": "bob-refresh" },
                    { "client": "web", "kind": "offline", "secret": "bob-offline" },
                ],
            },
        ],
    })
}
