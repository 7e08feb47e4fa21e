//! Okta: people with a service app, whose access tokens can be revoked; integrations with an API token.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sever_domain::SubjectKind;
use sever_testkit::conformance::{Adaptor, Changes, Subject, Twist};
use sever_worker_okta::OktaFactory;

use crate::world::{BYSTANDER, LOGIN, OTHER_LOGIN, SUBJECT, ada, bystander, with};

const TOKEN: &str = "secret-of-the-worker";
const SCOPES: [&str; 14] = [
    "okta.users.manage",
    "okta.users.read",
    "okta.groups.manage",
    "okta.groups.read",
    "okta.roles.manage",
    "okta.roles.read",
    "okta.apps.manage",
    "okta.apps.read",
    "okta.apiTokens.manage",
    "okta.apiTokens.read",
    "okta.devices.manage",
    "okta.devices.read",
    "okta.idps.manage",
    "okta.idps.read",
];

pub struct Okta;

impl Adaptor for Okta {
    type Factory = OktaFactory;

    fn factory(&self) -> OktaFactory {
        OktaFactory::default()
    }

    fn settings(&self, twist: Twist) -> Value {
        let plain = json!({
            "ssws_tokens": [{ "token": TOKEN, "name": "worker" }],
            "oauth_clients": [{ "client_id": "0oaworker", "scopes": SCOPES }],
        });
        match twist {
            Twist::Plain => plain,
            Twist::FilterIgnored => with(plain, json!({ "ignore_filter": true })),
            Twist::PageRepeats => with(
                plain,
                json!({ "page_size_max": 1, "page_repeats": "twice" }),
            ),
            Twist::PagesWithoutEnd => with(
                plain,
                json!({ "page_size_max": 1, "page_repeats": "forever" }),
            ),
        }
    }

    fn credential(&self, kind: SubjectKind, _put: &Value) -> String {
        match kind {
            SubjectKind::Person => {
                json!({ "client_id": "0oaworker", "kid": "k1", "key": key() }).to_string()
            }
            SubjectKind::Integration => TOKEN.to_owned(),
        }
    }

    fn makes_tokens(&self, kind: SubjectKind) -> bool {
        kind == SubjectKind::Person
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

/// A SEC1 key (RFC 5915) with a made-up scalar.
fn key() -> String {
    let mut der = vec![0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20];
    der.extend([7; 32]);
    der.extend([
        0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,
    ]);
    let label = "EC PRIVATE KEY";
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        STANDARD.encode(der)
    )
}

/// One client with a refresh token and a consent.
fn client(id: &str) -> Value {
    json!({
        "client_id": id, "name": id,
        "tokens": [{ "scopes": ["offline_access"] }], "grants": [{ "scope": "offline_access" }],
    })
}

/// Somebody who has one of everything, and a colleague with the same groups, applications and device.
fn person() -> Subject {
    let subject = json!({
        "id": SUBJECT, "login": LOGIN, "first_name": "Ada", "last_name": "Byron", "sessions": 2,
        "groups": ["Staff", "VPN", "Directory", "Service Desk"], "apps": ["Wiki", "Chat"],
        "clients": [client("0oaclientmobile00001"), client("0oaclientdesktop0001")],
        "api_tokens": [{ "name": "script" }], "roles": [{ "type": "APP_ADMIN" }],
        "factors": [{ "type": "push" }, { "type": "webauthn", "provider": "FIDO" }],
        "devices": [{ "name": "laptop" }], "idps": ["Google"],
    });
    let colleague = json!({
        "id": BYSTANDER, "login": OTHER_LOGIN, "first_name": "Ben", "last_name": "Byron", "sessions": 1,
        "groups": ["Staff", "VPN"], "apps": ["Wiki"], "clients": [client("0oaclientmobile00001")],
        "api_tokens": [{ "name": "other script" }], "roles": [{ "type": "APP_ADMIN" }],
        "factors": [{ "type": "push" }],
    });
    let world = json!({
        "groups": [
            { "name": "Staff" }, { "name": "VPN" }, { "name": "Late" }, { "name": "Directory", "type": "APP_GROUP" },
            { "name": "Service Desk", "roles": [{ "type": "HELP_DESK_ADMIN" }] },
        ],
        "apps": [
            { "label": "Wiki" }, { "label": "Chat" }, { "label": "Mail", "groups": ["Staff"] },
            { "label": "System", "keeps_on_deactivate": true, "groups": ["Everyone"] },
        ],
        "idps": [{ "name": "Google", "type": "GOOGLE" }],
        "users": [subject, colleague],
        "devices": [{ "name": "kiosk", "users": [LOGIN, OTHER_LOGIN] }],
    });
    Subject {
        account: SUBJECT.to_owned(),
        person: Some(ada()),
        seeds: vec![world],
        truth: format!("users/{SUBJECT}"),
        // Okta keeps the assignment of its system application through Everyone.
        left: json!(["apps:1"]),
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

/// An application that has one of everything, and another one with the same people.
fn integration() -> Subject {
    let crm = json!({
        "id": SUBJECT, "label": "CRM", "groups": ["Sales"], "provisioning": true,
        "redirect_uris": ["https://crm.example/callback"],
        "secrets": [{ "id": "ocssecret1" }, { "id": "ocssecret2" }], "keys": [{ "id": "pkskey1" }],
        "grants": ["okta.users.read", "okta.groups.manage"],
        "roles": [{ "id": "irbrole1", "type": "READ_ONLY_ADMIN" }],
    });
    let other = json!({
        "id": BYSTANDER, "label": "HR", "groups": ["Sales"], "secrets": [{ "id": "ocssecret3" }],
        "grants": ["okta.users.read"],
    });
    let user = |id: &str, login: &str, apps: &[&str]| {
        let token = json!({ "id": format!("oar{id}") });
        let client = json!({ "client_id": SUBJECT, "name": "CRM", "tokens": [token] });
        json!({ "id": id, "login": login, "groups": ["Sales"], "apps": apps, "clients": [client] })
    };
    let world = json!({
        "groups": [{ "id": "00gsales", "name": "Sales" }],
        "apps": [crm, other],
        "inline_hooks": [{ "id": "cal1", "name": "other", "uri": "https://hr.example/ask", "app": "HR" }],
        "users": [user("00uada", LOGIN, &["CRM", "HR"]), user("00uben", OTHER_LOGIN, &[])],
    });
    let mut other = bystander("apps");
    other.names = vec![BYSTANDER.to_owned()];
    Subject {
        account: SUBJECT.to_owned(),
        person: None,
        seeds: vec![world],
        truth: format!("apps/{SUBJECT}"),
        left: json!([]),
        bystanders: vec![other],
        volatile: &[],
        changes: Changes {
            more_access: Some(
                json!({ "do": "grant_app_scope", "app": "CRM", "scope": "okta.logs.read" }),
            ),
            ..Changes::default()
        },
        people_do: vec![],
    }
}
