//! A Keycloak: our own client with administrative roles, tokens that were registered with us, a client as integration.

use anyhow::Context as _;
use serde_json::{Value, json};
use sever_domain::SubjectKind;
use sever_testkit::conformance::{Adaptor, Bystander, Changes, Subject, Twist};
use sever_worker_oidc::OidcFactory;
use tempfile::TempDir;

use crate::world::{BYSTANDER, LOGIN, OTHER_LOGIN, SUBJECT, ada, bystander, with};

const SECRET: &str = "secret-of-the-worker";

pub struct Oidc {
    /// Where registered tokens are kept.
    secrets: TempDir,
}

impl Oidc {
    pub fn new() -> anyhow::Result<Self> {
        let secrets = TempDir::new().context("making a folder for registered tokens")?;
        for name in ["web", "refresh", "offline"] {
            std::fs::write(secrets.path().join(name), format!("ada-{name}"))?;
        }
        Ok(Self { secrets })
    }

    fn registered(&self, name: &str) -> Value {
        let file = |name: &str| format!("file:{}", self.secrets.path().join(name).display());
        json!({
            "name": name, "account": SUBJECT, "token": file(name), "client_id": "web", "client_secret": file("web"),
        })
    }
}

impl Adaptor for Oidc {
    type Factory = OidcFactory;

    fn factory(&self) -> OidcFactory {
        OidcFactory::default()
    }

    fn settings(&self, twist: Twist) -> Value {
        let plain = json!({ "access_token_lifetime_s": 3600 });
        match twist {
            Twist::Plain => plain,
            Twist::FilterIgnored => with(
                plain,
                json!({ "ignore_filter": true, "ignore_exact": true }),
            ),
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
        let tokens = match kind {
            SubjectKind::Person => vec![self.registered("refresh"), self.registered("offline")],
            SubjectKind::Integration => vec![],
        };
        json!({
            "client_id": "sever", "client_secret": SECRET, "profile": "keycloak", "realm": "main", "tokens": tokens,
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
        &["token"]
    }

    fn secret_families(&self) -> &'static [&'static str] {
        &["token", "introspection", "revocation"]
    }

    fn open_families(&self) -> &'static [&'static str] {
        &["discovery"]
    }

    /// A logout sets the user's not-before to now, and a rotation gives the client another secret that nobody knows.
    fn repeated(&self) -> &'static [&'static str] {
        &["log_out_user", "rotate_secret", "update_client"]
    }
}

/// Our own client.
fn own() -> Value {
    json!({ "client_id": "sever", "secret": SECRET, "admin_roles": ["manage-users", "manage-clients"] })
}

/// Somebody with everything, and a colleague at the same clients.
fn person() -> Subject {
    let token =
        |kind: &str, secret: &str| json!({ "client": "web", "kind": kind, "secret": secret });
    let access =
        json!({ "client": "web", "kind": "access", "secret": "ada-access", "lifetime_s": 36_000 });
    let subject = json!({
        "id": SUBJECT, "login": LOGIN, "first_name": "Ada", "last_name": "Byron",
        "attributes": { "employeeNumber": ["E7"] }, "groups": ["Sales", "Berlin"],
        "realm_roles": ["admin", "reader"], "client_roles": { "web": ["editor"] },
        "credentials": ["password", "otp"], "federated": { "google": "g1" }, "consents": { "web": ["profile"] },
        "sessions": ["mobile"],
        "tokens": [token("refresh", "ada-refresh"), token("offline", "ada-offline"), access],
    });
    let colleague = json!({
        "id": BYSTANDER, "login": OTHER_LOGIN, "first_name": "Ben", "last_name": "Byron", "groups": ["Sales", "Late"],
        "realm_roles": ["reader"], "consents": { "web": ["profile"] },
        "tokens": [token("refresh", "ben-refresh"), token("offline", "ben-offline")],
    });
    let world = json!({
        "clients": [
            own(),
            { "id": "client-web", "client_id": "web", "secret": "ada-web" },
            { "id": "client-mobile", "client_id": "mobile", "authentication": "none" },
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
        // An access token ends with its registered refresh token only where that goes before the sessions do; the plan
        // counts it as residual either way.
        volatile: &["not_before", "residual"],
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

/// A client with a service account that has roles, and another one.
fn integration() -> Subject {
    let client = |id: &str, name: &str| json!({ "id": id, "client_id": name, "secret": "b", "service_account": ["reader", "realm-admin"] });
    let world = json!({
        "clients": [own(), client(SUBJECT, "bot"), client(BYSTANDER, "other-bot")],
        "users": [{
            "id": "user-ben", "login": OTHER_LOGIN, "consents": { "bot": ["profile"] },
            "tokens": [{ "client": "other-bot", "kind": "offline", "secret": "ben-offline" }],
        }],
    });
    let other = Bystander {
        truth: format!("clients/{BYSTANDER}"),
        names: vec![BYSTANDER.to_owned(), "other-bot".to_owned()],
    };
    let user = Bystander {
        truth: "users/user-ben".to_owned(),
        names: vec![],
    };
    Subject {
        account: SUBJECT.to_owned(),
        person: None,
        seeds: vec![world],
        truth: format!("clients/{SUBJECT}"),
        // Its user stays, and has nothing.
        left: json!(["service_account:1"]),
        bystanders: vec![other, user],
        // The secret that nobody knows is another one each time.
        volatile: &["not_before", "secret"],
        changes: Changes::default(),
        people_do: vec![],
    }
}
