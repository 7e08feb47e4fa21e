//! The people of these tests.

use serde_json::{Value, json};

/// What an org holds around its people.
fn surroundings() -> Value {
    json!({
        "groups": [
            {"name": "Staff"}, {"name": "VPN"}, {"name": "Directory", "type": "APP_GROUP"},
            {"name": "Service Desk", "roles": [{"type": "HELP_DESK_ADMIN"}]},
        ],
        "apps": [
            {"label": "Wiki"}, {"label": "Chat"}, {"label": "Mail", "groups": ["Staff"]},
            {"label": "System", "keeps_on_deactivate": true, "groups": ["Everyone"]},
        ],
        "idps": [{"name": "Google", "type": "GOOGLE"}],
    })
}

fn with_users(users: &Value) -> Value {
    let mut document = surroundings();
    document["users"] = users.clone();
    document
}

/// One client with a refresh token and a consent.
fn client(id: &str) -> Value {
    json!({
        "client_id": id, "name": id,
        "tokens": [{"scopes": ["offline_access"]}], "grants": [{"scope": "offline_access"}],
    })
}

/// Somebody who has one of everything, and a colleague who must not be touched.
pub fn rich() -> Value {
    let mut document = with_users(&json!([
        {
            "login": "ada@example.com", "first_name": "Ada", "last_name": "Byron", "sessions": 2,
            "groups": ["Staff", "VPN", "Directory", "Service Desk"],
            "apps": ["Wiki", "Chat"],
            "clients": [client("0oaclientmobile00001"), client("0oaclientdesktop0001")],
            "api_tokens": [{"name": "script"}],
            "roles": [{"type": "APP_ADMIN"}],
            "factors": [{"type": "push"}, {"type": "webauthn", "provider": "FIDO"}],
            "devices": [{"name": "laptop"}],
            "idps": ["Google"],
        },
        {
            "login": "ben@example.com", "first_name": "Ben", "last_name": "Costa", "sessions": 1,
            "groups": ["Staff"], "apps": ["Wiki"], "clients": [client("0oaclientmobile00001")],
            "api_tokens": [{"name": "other script"}], "roles": [{"type": "APP_ADMIN"}],
        },
    ]));
    document["devices"] = json!([
        {"name": "kiosk", "users": ["ada@example.com", "ben@example.com"]}
    ]);
    document
}

/// The person of the benchmark: 1 session, 2 clients, 3 groups, 2 applications, 1 role, 2 factors.
pub fn fixed() -> Value {
    json!({
        "groups": [{"name": "One"}, {"name": "Two"}, {"name": "Three"}],
        "apps": [{"label": "Wiki"}, {"label": "Chat"}],
        "users": [{
            "login": "fix@example.com", "first_name": "Fix", "last_name": "Ed", "sessions": 1,
            "groups": ["One", "Two", "Three"], "apps": ["Wiki", "Chat"],
            "clients": [client("0oaclientmobile00001"), client("0oaclientdesktop0001")],
            "roles": [{"type": "APP_ADMIN"}],
            "factors": [{"type": "push"}, {"type": "sms"}],
        }],
    })
}
