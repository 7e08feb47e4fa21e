//! A SCIM 2.0 application: a bearer token that nobody renews, and no integrations.

use serde_json::{Value, json};
use sever_domain::SubjectKind;
use sever_testkit::conformance::{Adaptor, Changes, Subject, Twist};
use sever_worker_scim::ScimFactory;

use crate::world::{BYSTANDER, LOGIN, OTHER_LOGIN, SUBJECT, ada, bystander, with};

const TOKEN: &str = "secret-of-the-worker";

pub struct Scim;

impl Adaptor for Scim {
    type Factory = ScimFactory;

    fn factory(&self) -> ScimFactory {
        ScimFactory::default()
    }

    fn settings(&self, twist: Twist) -> Value {
        let plain = json!({ "tokens": [{ "token": TOKEN, "name": "worker" }] });
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
        TOKEN.to_owned()
    }

    fn makes_tokens(&self, _kind: SubjectKind) -> bool {
        false
    }

    fn subject(&self, kind: SubjectKind) -> Option<Subject> {
        match kind {
            SubjectKind::Person => Some(person()),
            SubjectKind::Integration => None,
        }
    }

    fn token_families(&self) -> &'static [&'static str] {
        &[]
    }
}

/// Somebody with groups, roles and an entitlement, and a colleague in the same groups.
fn person() -> Subject {
    let group = |name: &str| json!({ "id": format!("group-{name}"), "name": name });
    let subject = json!({
        "id": SUBJECT, "login": LOGIN, "first_name": "Ada", "last_name": "Byron", "external_id": "E7",
        "groups": ["Sales", "Berlin"], "roles": ["org-admin", "reader"], "entitlements": ["seat"],
    });
    let colleague = json!({
        "id": BYSTANDER, "login": OTHER_LOGIN, "first_name": "Ben", "last_name": "Byron",
        "groups": ["Sales", "Berlin", "Late"], "roles": ["reader"],
    });
    let world = json!({
        "groups": [group("Sales"), group("Berlin"), group("Late")], "users": [colleague, subject],
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
