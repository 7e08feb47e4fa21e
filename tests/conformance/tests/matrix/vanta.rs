//! Vanta: two API applications, one of them our own connector's; much is asked of people.

use serde_json::{Value, json};
use sever_domain::SubjectKind;
use sever_testkit::conformance::{Adaptor, Bystander, Changes, Subject, Twist};
use sever_worker_vanta::VantaFactory;

use crate::world::{BYSTANDER, LOGIN, OTHER_LOGIN, SUBJECT, ada, bystander, with};

/// Who acknowledges.
const BOSS: &str = "0000000000000000000000b0";
const SECRET: &str = "vcs_1";
/// Our own connector, which is the integration to remove.
const OWN: &str = "vci_own";

pub struct Vanta;

impl Adaptor for Vanta {
    type Factory = VantaFactory;

    fn factory(&self) -> VantaFactory {
        VantaFactory::default()
    }

    fn settings(&self, twist: Twist) -> Value {
        let plain = json!({
            "token_rate_limit": 1_000_000,
            "applications": [
                { "client_id": "vci_manage", "client_secret": SECRET, "name": "worker" },
                { "client_id": OWN, "client_secret": SECRET, "type": "build", "resource_ids": ["r1"] },
            ],
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

    fn credential(&self, _kind: SubjectKind, _put: &Value) -> String {
        let own = json!({
            "client_id": OWN, "client_secret": SECRET,
            "sets": [{ "type": "user_account", "resource_id": "r1" }],
        });
        json!({
            "client_id": "vci_manage", "client_secret": SECRET, "acknowledger": BOSS, "connector": own,
            "requests_per_minute": 10_000,
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

/// Rows of our own connector: one of the subject, one of the colleague.
fn rows() -> Value {
    let row = |id: &str, email: &str| json!({ "uniqueId": id, "email": email, "status": "ACTIVE" });
    json!([{
        "type": "user_account", "resource_id": "r1",
        "rows": [row("row-a", LOGIN), row("row-b", OTHER_LOGIN)],
    }])
}

/// Somebody with a login, an ended account elsewhere, a row of our own connector, and work left for people; and a colleague.
fn person() -> Subject {
    let boss = json!({ "id": BOSS, "email": "boss@example.com", "user": { "admin": true } });
    let subject = json!({
        "id": SUBJECT, "email": LOGIN, "first_name": "Ada", "last_name": "Byron", "employment": "CURRENT", "source": "okta",
        "user": {}, "groups": ["Employees"], "tasks": ["Return the badge"],
        "accounts": [{ "system": "Okta", "inactive": true }],
    });
    let colleague = json!({
        "id": BYSTANDER, "email": OTHER_LOGIN, "first_name": "Ben", "last_name": "Byron", "employment": "FORMER",
        "user": {}, "groups": ["Employees"], "tasks": ["Return the badge"],
    });
    let world = json!({
        "groups": [{ "name": "Employees" }], "people": [boss, subject, colleague], "resources": rows(),
    });
    Subject {
        account: SUBJECT.to_owned(),
        person: Some(ada()),
        seeds: vec![world],
        truth: format!("people/{SUBJECT}"),
        left: json!([]),
        bystanders: vec![bystander("people")],
        volatile: &[],
        changes: Changes {
            more_access: None,
            renamed: Some(
                json!({ "do": "change_email", "person": SUBJECT, "email": "ada.kim@example.com" }),
            ),
            deleted: Some(json!({ "do": "delete_person", "person": SUBJECT })),
        },
        people_do: vec![
            json!({ "do": "set_employment", "person": SUBJECT, "status": "FORMER" }),
            json!({ "do": "complete_task", "person": SUBJECT }),
        ],
    }
}

/// Our own connector with its rows, and a connected system that must stay.
fn integration() -> Subject {
    let boss = json!({ "id": BOSS, "email": "boss@example.com", "user": { "admin": true } });
    let world = json!({
        "people": [boss, { "id": BYSTANDER, "email": "cy@example.com", "user": {} }],
        "resources": rows(),
        "integrations": [{ "id": "github-of-others", "name": "GitHub" }],
    });
    let integration = Bystander {
        truth: "integrations/github-of-others".to_owned(),
        names: vec!["github-of-others".to_owned()],
    };
    Subject {
        account: OWN.to_owned(),
        person: None,
        seeds: vec![world],
        truth: format!("applications/{OWN}"),
        left: json!([]),
        bystanders: vec![integration, bystander("people")],
        volatile: &[],
        changes: Changes::default(),
        people_do: vec![json!({ "do": "delete_application", "client_id": OWN })],
    }
}
