//! Our own client: its proofs, its token, and what it may not do.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sever_domain::closing::Verdict;
use sever_domain::entitlement::FamilyResult;
use sever_domain::{EntitlementKind, Intent, OutcomeClass};
use sever_provider::{Connector as _, ConnectorFactory as _};
use sever_worker_oidc::OidcFactory;

use crate::drive::opt_out;
use crate::people;
use crate::sim::{SECRET, Sim};

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

fn minted(journal: &[Value]) -> usize {
    journal
        .iter()
        .filter(|call| call["family"] == "token")
        .count()
}

#[tokio::test]
async fn a_client_with_a_key_removes_a_person_with_one_token() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::two()).await;
    let own = json!({ "client_id": "signer", "authentication": "private_key_jwt", "admin_roles": ["manage-users"] });
    sim.seed(&json!({ "clients": [own] })).await;
    let credential = json!({ "client_id": "signer", "kid": "k1", "key": key(), "profile": "keycloak", "realm": "main" });
    let connector = OidcFactory::default()
        .connect(sim.settings(&credential))
        .unwrap()
        .people;
    let outcome = opt_out(&connector, Intent::Remove, "u-ada").await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    assert_eq!(minted(&sim.journal().await), 1);
    assert_eq!(
        connector.own_account().await,
        Ok(None),
        "it may not look at clients"
    );
}

#[tokio::test]
async fn a_refused_secret_is_wrong_credentials_and_is_not_told() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::two()).await;
    for profile in [json!({}), json!({ "profile": "keycloak", "realm": "main" })] {
        let mut more = profile;
        more["client_secret"] = json!("another-secret");
        let connector = sim.connect(more).people;
        let error = connector.canary().await.unwrap_err();
        assert_eq!(error.class, OutcomeClass::Credentials, "{error}");
        assert!(!format!("{error} {error:?} {connector:?}").contains("another-secret"));
    }
    assert!(!format!("{:?}", sim.keycloak()).contains(SECRET));
}

#[tokio::test]
async fn a_token_that_expires_in_the_middle_is_minted_anew() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::two()).await;
    let connector = sim.keycloak();
    connector.canary().await.unwrap();
    sim.control("POST", "/oidc/main/tokens/revoke", &json!({}))
        .await;
    let first = connector.canary().await;
    assert!(first.is_err(), "the refusal forgets the token");
    connector.canary().await.unwrap();
    assert_eq!(minted(&sim.journal().await), 2);
    sim.configure(json!({ "access_token_lifetime_s": 1 })).await;
    let outcome = opt_out(&sim.keycloak(), Intent::Remove, "u-ada").await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
}

#[tokio::test]
async fn a_family_that_may_not_be_read_says_so() {
    let sim = Sim::start(json!({ "forbidden_families": ["users.consents"] })).await;
    sim.seed(&people::two()).await;
    let reading = sim.keycloak().inspect("u-ada").await.unwrap();
    let forbidden: Vec<EntitlementKind> = reading
        .families
        .iter()
        .filter(|family| family.result == FamilyResult::Forbidden)
        .map(|family| family.family)
        .collect();
    assert_eq!(forbidden, [EntitlementKind::Token, EntitlementKind::Grant]);
    let outcome = opt_out(&sim.keycloak(), Intent::Remove, "u-ada").await;
    assert_eq!(outcome.verdict, Verdict::NeedsPerson);
}

#[tokio::test]
async fn another_issuer_and_another_realm_are_not_ours() {
    let sim = Sim::start(json!({ "issuer": "https://elsewhere.example" })).await;
    sim.seed(&people::two()).await;
    let keycloak = json!({ "profile": "keycloak", "realm": "main" });
    for more in [json!({}), keycloak] {
        let error = sim.connect(more).people.canary().await.unwrap_err();
        assert_eq!(error.class, OutcomeClass::NeedsPerson);
        assert!(error.what.contains("another issuer"), "{error}");
    }
    sim.configure(json!({})).await;
    let other = sim.connect(json!({ "profile": "keycloak", "realm": "other" }));
    assert_eq!(
        other.people.canary().await.unwrap_err().class,
        OutcomeClass::NeedsPerson
    );
    let outside = sim.connect(json!({ "issuer": "https://elsewhere.example" }));
    assert_eq!(
        outside.people.canary().await.unwrap_err().class,
        OutcomeClass::NeedsPerson
    );
}

#[tokio::test]
async fn the_issuer_is_named_to_the_provider_as_the_provider_writes_it() {
    let sim = Sim::start(json!({ "keycloak": false })).await;
    let own = json!({ "client_id": "signer", "authentication": "private_key_jwt" });
    sim.seed(&json!({ "clients": [own] })).await;
    let credential = json!({ "client_id": "signer", "kid": "k1", "key": key() });
    let settings = sim.settings(&credential);
    let with_slash = format!("{}/", settings.base_url.as_str().trim_end_matches('/'));
    sim.configure(json!({ "keycloak": false, "issuer": with_slash }))
        .await;
    let connector = OidcFactory::default().connect(settings).unwrap().people;
    assert_eq!(connector.canary().await, Ok(()), "its slash is kept in aud");
}

#[tokio::test]
async fn settings_that_cannot_be_used_name_their_field() {
    let sim = Sim::start(json!({})).await;
    let refused = |change: &dyn Fn(&mut sever_provider::ConnectionSettings)| {
        let credential = json!({ "client_id": "sever", "client_secret": SECRET });
        let mut settings = sim.settings(&credential);
        change(&mut settings);
        OidcFactory::default().connect(settings).unwrap_err().field
    };
    assert_eq!(refused(&|it| it.credential = "".into()), "credential");
    assert_eq!(
        refused(&|it| it.base_url = "http://op.example".parse().unwrap()),
        "base_url"
    );
    assert_eq!(refused(&|it| it.in_flight_max = 0), "in_flight_max");
}
