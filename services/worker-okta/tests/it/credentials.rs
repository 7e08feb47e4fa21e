//! Credentials: refused ones, and a service app's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sever_domain::closing::Verdict;
use sever_domain::{Intent, OutcomeClass};
use sever_provider::{Connector as _, ConnectorFactory as _};
use sever_worker_okta::{OktaConnector, OktaFactory};

use crate::drive::opt_out;
use crate::people;
use crate::sim::{Sim, TOKEN};

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

fn service_app(sim: &Sim) -> OktaConnector {
    let credential = json!({"client_id": "0oaworker", "kid": "k1", "key": key()}).to_string();
    OktaFactory::default()
        .connect(sim.settings(&credential))
        .unwrap()
        .people
}

fn org(enabled: bool) -> serde_json::Value {
    json!({"oauth_clients": [{"client_id": "0oaworker", "scopes": SCOPES, "enabled": enabled}]})
}

#[tokio::test]
async fn a_refused_token_is_wrong_credentials() {
    let sim = Sim::start(json!({})).await;
    let user = sim.seed(&people::fixed()).await.remove(0);
    let connector = OktaFactory::default()
        .connect(sim.settings("another token"))
        .unwrap()
        .people;
    assert_eq!(
        connector.canary().await.unwrap_err().class,
        OutcomeClass::Credentials
    );
    let error = connector.inspect(&user).await.unwrap_err();
    assert_eq!(error.class, OutcomeClass::Credentials);
    assert!(!format!("{error} {error:?} {connector:?}").contains("another token"));
}

#[tokio::test]
async fn a_token_names_its_owner_and_asks_once() {
    let sim = Sim::start(json!({})).await;
    let owner = sim.seed(&people::fixed()).await.remove(0);
    let token = json!({"token": TOKEN, "name": "worker", "user_id": owner});
    sim.configure(json!({ "ssws_tokens": [token] })).await;
    let connector = sim.connector();
    for _ in 0..3 {
        assert_eq!(connector.own_account().await, Ok(Some(owner.clone())));
    }
    assert_eq!(sim.journal().await.len(), 1);
}

#[tokio::test]
async fn a_service_app_removes_a_person_with_one_token() {
    let sim = Sim::start(org(true)).await;
    let user = sim.seed(&people::fixed()).await.remove(0);
    let connector = service_app(&sim);
    assert_eq!(connector.own_account().await, Ok(None));
    let outcome = opt_out(&connector, Intent::Remove, &user).await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    let journal = sim.journal().await;
    let minted = journal
        .iter()
        .filter(|call| call["operation"] == "issue_token");
    assert_eq!(minted.count(), 1);
}

#[tokio::test]
async fn a_revoked_access_token_is_minted_anew_and_a_disabled_app_is_wrong_credentials() {
    let sim = Sim::start(org(true)).await;
    sim.seed(&people::fixed()).await;
    let connector = service_app(&sim);
    connector.canary().await.unwrap();
    sim.configure(org(false)).await;
    sim.control("POST", "/okta/main/tokens/revoke", &json!({}))
        .await;
    // The first refusal forgets the token; the next call tries to mint one, and is refused that.
    assert!(connector.canary().await.is_err());
    assert_eq!(
        connector.canary().await.unwrap_err().class,
        OutcomeClass::Credentials
    );
    sim.configure(org(true)).await;
    connector.canary().await.unwrap();
}

#[tokio::test]
async fn settings_that_cannot_be_used_name_their_field() {
    let sim = Sim::start(json!({})).await;
    let refused = |change: &dyn Fn(&mut sever_provider::ConnectionSettings)| {
        let mut settings = sim.settings(TOKEN);
        change(&mut settings);
        OktaFactory::default().connect(settings).unwrap_err().field
    };
    assert_eq!(refused(&|it| it.credential = "".into()), "credential");
    assert_eq!(
        refused(&|it| it.base_url = "http://acme.okta.com".parse().unwrap()),
        "base_url"
    );
    assert_eq!(refused(&|it| it.in_flight_max = 0), "in_flight_max");
}
