//! Microsoft Entra ID: a client secret, a person who is no administrator, an enterprise application with its registration.

use serde_json::{Value, json};
use sever_domain::SubjectKind;
use sever_testkit::conformance::{Adaptor, Bystander, Changes, Subject, Twist};
use sever_worker_entra::EntraFactory;

use crate::world::{BYSTANDER, LOGIN, OTHER_LOGIN, SUBJECT, ada, bystander, with};

const CLIENT: &str = "0b6f7c1e-6d1e-4c55-9a07-6f2f7a3c9b10";
const SECRET: &str = "secret-of-the-worker";
const SUBSCRIPTION: &str = "/subscriptions/11111111-1111-4111-a111-111111111111";
const ROOT: &str = "/providers/Microsoft.Management/managementGroups/root";

pub struct Entra;

impl Adaptor for Entra {
    type Factory = EntraFactory;

    fn factory(&self) -> EntraFactory {
        EntraFactory::default()
    }

    fn settings(&self, twist: Twist) -> Value {
        let plain =
            json!({ "apps": [{ "client_id": CLIENT, "secret": SECRET, "name": "worker" }] });
        match twist {
            Twist::Plain => plain,
            Twist::FilterIgnored => with(plain, json!({ "ignore_filter": true })),
            Twist::PageRepeats => {
                let pages = json!({ "page_size": 1, "page_size_max": 1, "page_repeats": "twice" });
                with(plain, pages)
            }
            Twist::PagesWithoutEnd => {
                let pages =
                    json!({ "page_size": 1, "page_size_max": 1, "page_repeats": "forever" });
                with(plain, pages)
            }
        }
    }

    fn credential(&self, _kind: SubjectKind, put: &Value) -> String {
        json!({
            "tenant_id": put["tenant_id"], "client_id": CLIENT, "client_secret": SECRET,
            "agreeing_reads": 2, "agreeing_pause_ms": 1,
        })
        .to_string()
    }

    fn makes_tokens(&self, _kind: SubjectKind) -> bool {
        true
    }

    fn subject(&self, kind: SubjectKind) -> Option<Subject> {
        Some(match kind {
            SubjectKind::Person => person(),
            SubjectKind::Integration => integration(),
        })
    }

    fn token_families(&self) -> &'static [&'static str] {
        &["oauth.token"]
    }
}

fn subscriptions() -> Value {
    json!([
        { "id": "11111111-1111-4111-a111-111111111111", "name": "Production", "management_group": "root" },
        { "id": "22222222-2222-4222-a222-222222222222", "name": "Sandbox" },
    ])
}

/// Somebody who has one of everything and is no administrator, and a colleague with the same.
fn person() -> Subject {
    let subject = json!({
        "id": SUBJECT, "login": LOGIN, "first_name": "Ada", "last_name": "Byron", "employee_id": "E7", "sessions": 2,
        "groups": ["Staff", "VPN", "Rule", "Synced", "Announcements"],
        "eligible_roles": [{ "role": "User Administrator" }],
        "eligible_groups": [{ "group": "Ops", "owner": true }], "active_groups": [{ "group": "Production" }],
        "licences": ["sku-own"], "app_roles": ["CRM"], "grants": [{ "client": "Survey", "scope": "Mail.Read" }],
        "methods": ["passwordMethods", "phoneMethods", "fido2Methods"],
        "devices": [{ "name": "laptop" }, { "name": "kiosk", "shared_with": [OTHER_LOGIN] }],
        "owns": ["Staff", "app-crm"],
        "azure": [{ "scope": SUBSCRIPTION, "role": "Owner" }, { "scope": ROOT, "role": "Reader" }],
    });
    let colleague = json!({
        "id": BYSTANDER, "login": OTHER_LOGIN, "first_name": "Ben", "last_name": "Byron", "sessions": 1,
        "groups": ["Staff", "VPN"], "licences": ["sku-own"], "app_roles": ["CRM"],
        "grants": [{ "client": "Survey", "scope": "Mail.Read" }], "roles": [{ "role": "Global Administrator" }],
        "azure": [{ "scope": SUBSCRIPTION, "role": "Owner" }], "owns": ["app-crm"],
    });
    let world = json!({
        "management_groups": [{ "name": "root" }], "subscriptions": subscriptions(),
        "groups": [
            { "name": "Staff", "kind": "team", "owners": [OTHER_LOGIN], "app_roles": ["Wiki"], "licences": ["sku-group"] },
            { "name": "VPN" }, { "name": "Production" }, { "name": "Ops" }, { "name": "Late" },
            { "name": "Rule", "kind": "dynamic" }, { "name": "Synced", "kind": "synced" },
            { "name": "Announcements", "kind": "distribution" },
        ],
        "applications": [
            { "id": "sp-crm", "application_id": "app-crm", "app_id": "a-crm", "name": "CRM" },
            { "id": "sp-wiki", "name": "Wiki" }, { "id": "sp-survey", "name": "Survey", "third_party": true },
        ],
        "users": [subject, colleague],
    });
    Subject {
        account: SUBJECT.to_owned(),
        person: Some(ada()),
        seeds: vec![world],
        truth: format!("users/{SUBJECT}"),
        left: json!([]),
        bystanders: vec![bystander("users")],
        volatile: &[],
        changes: Changes {
            more_access: Some(json!({ "do": "add_to_group", "user": SUBJECT, "group": "Late" })),
            renamed: Some(
                json!({ "do": "change_login", "user": SUBJECT, "login": "ada.kim@example.com" }),
            ),
            deleted: Some(json!({ "do": "delete", "user": SUBJECT })),
        },
        people_do: vec![],
    }
}

/// An application that has one of everything, and one that has the same.
fn integration() -> Subject {
    let application = |id: &str, name: &str| {
        json!({
            "id": id, "application_id": format!("app-{id}"), "app_id": format!("a-{id}"), "name": name,
            "secrets": [{ "name": "one", "value": "s1" }, { "name": "two" }], "keys": [{ "name": "cert" }, { "name": "cert 2" }],
            "federated": [{ "name": "ci", "issuer": "https://ci.example.com", "subject": "main" }],
            "assigned": ["ada@example.com", "Users"], "permissions": [{ "resource": "Graph", "role": "mail" }],
            "grants": [
                { "resource": "Graph", "scope": "User.Read" },
                { "resource": "Graph", "scope": "Mail.Read", "user": "ada@example.com" },
            ],
            "groups": ["Bots"], "roles": [{ "role": "Directory Readers" }],
            "eligible_roles": [{ "role": "Security Reader" }], "azure": [{ "scope": SUBSCRIPTION, "role": "Reader" }],
        })
    };
    let world = json!({
        "management_groups": [{ "name": "root" }], "subscriptions": subscriptions(),
        "groups": [{ "name": "Bots" }, { "name": "Users" }],
        "applications": [
            { "id": "sp-graph", "name": "Graph", "first_party": true },
            application(SUBJECT, "CRM"), application(BYSTANDER, "Wiki"),
        ],
        "users": [
            { "id": "user-ada", "login": LOGIN }, { "id": "user-ben", "login": OTHER_LOGIN, "groups": ["Users"] },
        ],
    });
    Subject {
        account: SUBJECT.to_owned(),
        person: None,
        seeds: vec![world],
        truth: format!("service-principals/{SUBJECT}"),
        left: json!([]),
        bystanders: vec![
            Bystander {
                truth: format!("service-principals/{BYSTANDER}"),
                names: vec![BYSTANDER.to_owned()],
            },
            // No call may end anything of a person's own.
            Bystander {
                truth: "users/user-ben".to_owned(),
                names: vec![],
            },
        ],
        volatile: &[],
        changes: Changes {
            more_access: Some(
                json!({ "do": "add_secret", "app": format!("app-{SUBJECT}"), "value": "s9" }),
            ),
            ..Changes::default()
        },
        people_do: vec![],
    }
}
