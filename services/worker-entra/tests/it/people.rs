//! The people and applications of these tests.

use serde_json::{Value, json};

/// A subscription.
pub const SUBSCRIPTION: &str = "/subscriptions/11111111-1111-4111-a111-111111111111";

/// What a tenant holds around its people.
fn surroundings() -> Value {
    json!({
        "management_groups": [{"name": "root"}],
        "subscriptions": [
            {"id": "11111111-1111-4111-a111-111111111111", "name": "Production", "management_group": "root"},
            {"id": "22222222-2222-4222-a222-222222222222", "name": "Sandbox"},
        ],
        "groups": [
            {"name": "Staff", "kind": "team", "owners": ["ben@example.com"], "app_roles": ["Wiki"], "licences": ["sku-group"]},
            {"name": "VPN"}, {"name": "Production"}, {"name": "Ops"},
            {"name": "Rule", "kind": "dynamic"}, {"name": "Synced", "kind": "synced"},
            {"name": "Announcements", "kind": "distribution"},
        ],
        "applications": [
            {"id": "sp-crm", "application_id": "app-crm", "app_id": "a-crm", "name": "CRM"},
            {"id": "sp-wiki", "name": "Wiki"}, {"id": "sp-survey", "name": "Survey", "third_party": true},
        ],
    })
}

/// Somebody who has one of everything and is no administrator, and a colleague who must not be touched.
pub fn rich() -> Value {
    let mut document = surroundings();
    document["users"] = json!([
        {
            "id": "ada", "login": "ada@example.com", "first_name": "Ada", "last_name": "Byron", "employee_id": "E1", "sessions": 2,
            "groups": ["Staff", "VPN", "Rule", "Synced", "Announcements"],
            "eligible_roles": [{"role": "User Administrator"}],
            "eligible_groups": [{"group": "Ops", "owner": true}],
            "active_groups": [{"group": "Production"}],
            "licences": ["sku-own"], "app_roles": ["CRM"],
            "grants": [{"client": "Survey", "scope": "Mail.Read"}],
            "methods": ["passwordMethods", "phoneMethods", "fido2Methods"],
            "devices": [
                {"name": "laptop"}, {"name": "kiosk", "shared_with": ["ben@example.com"]},
                {"id": "phone", "name": "phone", "registered_only": true},
                {"id": "loan", "name": "loan", "registered_only": true, "owner": "ben@example.com"},
            ],
            "owns": ["Staff", "app-crm"],
            "azure": [{"scope": SUBSCRIPTION, "role": "Owner"}, {"scope": "/providers/Microsoft.Management/managementGroups/root", "role": "Reader"},
                      {"scope": SUBSCRIPTION, "role": "User Access Administrator", "eligible": true}],
        },
        {
            "id": "ben", "login": "ben@example.com", "first_name": "Ben", "last_name": "Costa", "sessions": 1,
            "groups": ["Staff", "VPN"], "licences": ["sku-own"], "app_roles": ["CRM"],
            "grants": [{"client": "Survey", "scope": "Mail.Read"}], "roles": [{"role": "Global Administrator"}],
            "azure": [{"scope": SUBSCRIPTION, "role": "Owner"}],
        },
    ]);
    document
}

/// What of the rich person no call ends: the memberships that others decide about.
pub const LEFT: [&str; 3] = ["Announcements", "Rule", "Synced"];

/// Somebody with a little of each, for tests that repeat many times.
pub fn plain() -> Value {
    json!({
        "subscriptions": [{"id": "11111111-1111-4111-a111-111111111111", "name": "Production"}],
        "groups": [{"name": "One"}, {"name": "Two"}],
        "applications": [{"id": "sp-crm", "name": "CRM"}],
        "users": [{
            "id": "fix", "login": "fix@example.com", "first_name": "Fix", "last_name": "Ed", "sessions": 1,
            "groups": ["One", "Two"], "eligible_roles": [{"role": "Security Reader"}], "licences": ["sku"],
            "app_roles": ["CRM"], "grants": [{"client": "CRM", "scope": "User.Read"}], "methods": ["phoneMethods", "fido2Methods"],
            "devices": [{"name": "laptop"}], "owns": ["sp-crm"], "azure": [{"scope": SUBSCRIPTION, "role": "Reader"}],
        }],
    })
}

/// An application that has one of everything, and one that must not be touched.
pub fn applications() -> Value {
    let application = |id: &str, name: &str| {
        json!({
            "id": id, "application_id": format!("app-{id}"), "app_id": format!("a-{id}"), "name": name,
            "secrets": [{"name": "one", "value": "s1"}, {"name": "two"}], "keys": [{"name": "cert"}, {"name": "cert 2"}],
            "federated": [{"name": "ci", "issuer": "https://ci.example.com", "subject": "main"}],
            "assigned": ["ada@example.com", "Users"], "permissions": [{"resource": "Graph", "role": "mail"}],
            "grants": [{"resource": "Graph", "scope": "User.Read"}, {"resource": "Graph", "scope": "Mail.Read", "user": "ada@example.com"}],
            "groups": ["Bots"], "roles": [{"role": "Directory Readers"}],
            "eligible_roles": [{"role": "Security Reader"}],
            "azure": [{"scope": SUBSCRIPTION, "role": "Reader"}, {"scope": SUBSCRIPTION, "role": "Contributor", "eligible": true}],
        })
    };
    json!({
        "subscriptions": [{"id": "11111111-1111-4111-a111-111111111111", "name": "Production"}],
        "groups": [{"name": "Bots"}, {"name": "Users"}],
        "applications": [
            {"id": "sp-graph", "name": "Graph", "first_party": true},
            application("sp-crm", "CRM"), application("sp-wiki", "Wiki"),
        ],
        "users": [
            {"id": "ada", "login": "ada@example.com"}, {"id": "ben", "login": "ben@example.com", "groups": ["Users"]},
        ],
    })
}
