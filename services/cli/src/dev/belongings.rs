//! What the people of the company have in each system but Okta, as documents for the simulator.

use serde_json::{Value, json};
use sever_domain::Provider;

use super::simulator::SeededUser;
use super::systems::INSTANCE;

const TEAMS: [&str; 6] = [
    "Engineering",
    "Design",
    "Product",
    "Sales",
    "Support",
    "Finance",
];
const ACCESS: [&str; 4] = ["VPN", "Source code", "Customer data", "On-call"];
const ENTRA_APPS: [&str; 4] = ["Git Hosting", "Wiki", "Chat", "Expense Reports"];
const LICENCE: &str = "6fd2c87f-b296-42f0-b197-1e91e994b900";
const SANDBOX: &str = "/subscriptions/22222222-2222-4222-a222-222222222222";
const CLIENTS: [&str; 3] = ["web", "mobile", "command-line"];

/// A seed document with these people, each with the place in the company.
pub(super) fn document(provider: Provider, people: &[(usize, &SeededUser)]) -> Value {
    let each = |belongings: fn(usize, &SeededUser) -> Value| -> Vec<Value> {
        let people = people.iter();
        people
            .map(|(place, user)| belongings(*place, user))
            .collect()
    };
    let named = |names: &[&str], member: &str| -> Vec<Value> {
        names.iter().map(|name| json!({ member: name })).collect()
    };
    match provider {
        Provider::Okta => json!({}),
        Provider::Entra => json!({"users": each(in_entra)}),
        Provider::Scim => json!({"groups": named(&TEAMS, "name"), "users": each(in_scim)}),
        Provider::Oidc => {
            json!({"clients": named(&CLIENTS, "client_id"), "users": each(in_keycloak)})
        }
        Provider::Vanta => json!({"people": each(in_vanta)}),
    }
}

fn one<'a>(names: &[&'a str], place: usize) -> &'a str {
    names[place % names.len()]
}

fn in_entra(place: usize, user: &SeededUser) -> Value {
    let mut belongings = json!({
        "login": user.login, "first_name": user.first_name, "last_name": user.last_name,
        "employee_id": super::people::external_id(place), "sessions": 2,
        "groups": [one(&TEAMS, place), one(&ACCESS, place), "All employees"],
        "app_roles": [one(&ENTRA_APPS, place)],
        "grants": [{"client": one(&ENTRA_APPS, place + 1), "scope": "User.Read offline_access"}],
        "methods": ["phoneMethods", "passwordMethods"],
        "devices": [{"name": format!("{}'s device", user.first_name)}],
    });
    if place.is_multiple_of(3) {
        belongings["licences"] = json!([LICENCE]);
    }
    if place % 100 == 13 {
        belongings["roles"] = json!([{"role": "Helpdesk Administrator"}]);
        belongings["eligible_roles"] = json!([{"role": "User Administrator"}]);
    }
    if place % 50 == 33 {
        belongings["azure"] = json!([{"scope": SANDBOX, "role": "Contributor"}]);
    }
    belongings
}

fn in_scim(place: usize, user: &SeededUser) -> Value {
    json!({
        "login": user.login, "first_name": user.first_name, "last_name": user.last_name,
        "external_id": super::people::external_id(place), "groups": [one(&TEAMS, place), one(&TEAMS, place + 1)],
    })
}

fn in_keycloak(place: usize, user: &SeededUser) -> Value {
    let realm_roles: &[&str] = if place % 100 == 53 { &["admin"] } else { &[] };
    json!({
        "login": user.login, "first_name": user.first_name, "last_name": user.last_name,
        "groups": [one(&TEAMS, place)], "realm_roles": realm_roles, "credentials": ["password"],
        "sessions": [one(&CLIENTS, place)],
        "tokens": [{"client": one(&CLIENTS, place), "kind": "refresh"}, {"client": "mobile", "kind": "offline"}],
    })
}

/// Employment and the account in Okta follow Okta, as with Vanta's own integration. The first one and one more sign in to Vanta itself.
fn in_vanta(place: usize, user: &SeededUser) -> Value {
    let follows = json!({"provider": "okta", "org": INSTANCE, "user": user.login});
    let mut belongings = json!({
        "email": user.login, "first_name": user.first_name, "last_name": user.last_name,
        "source": "okta", "follows": follows, "accounts": [{"system": "Okta", "follows": follows}],
    });
    if place == 0 || place % 400 == 203 {
        belongings["user"] = json!({});
    }
    belongings
}
