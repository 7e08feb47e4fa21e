//! Credentials: refused ones, two audiences, tokens that end.

use serde_json::json;
use sever_domain::OutcomeClass;
use sever_provider::{Connector as _, ConnectorFactory as _};
use sever_worker_entra::EntraFactory;

use crate::people;
use crate::sim::{CLIENT, SECRET, Sim};

#[tokio::test]
async fn a_refused_secret_is_wrong_credentials_and_is_not_printed() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::plain()).await;
    let people = sim
        .connected(&json!({"client_secret": "another secret"}))
        .people;
    let error = people.canary().await.unwrap_err();
    assert_eq!(error.class, OutcomeClass::Credentials);
    assert_eq!(error.code.as_deref(), Some("AADSTS7000215"));
    assert_eq!(
        people.inspect("fix").await.unwrap_err().class,
        OutcomeClass::Credentials
    );
    assert!(!format!("{error} {error:?} {people:?}").contains("another secret"));
}

#[tokio::test]
async fn another_tenant_is_told_by_its_id() {
    let sim = Sim::start(json!({"tenant_id": "11111111-2222-4333-a444-555555555555"})).await;
    sim.people().canary().await.unwrap();
    let named = sim.connected(&json!({"tenant_id": "main"})).people;
    named.canary().await.unwrap();
    let other = sim
        .connected(&json!({"tenant_id": "99999999-2222-4333-a444-555555555555"}))
        .people;
    assert_eq!(
        other.canary().await.unwrap_err().class,
        OutcomeClass::Credentials
    );
}

#[tokio::test]
async fn a_revoked_token_is_minted_anew_and_a_refused_one_is_wrong_credentials() {
    let sim = Sim::start(json!({})).await;
    let people = sim.people();
    people.canary().await.unwrap();
    sim.control("POST", "/entra/main/tokens/revoke", &json!({}))
        .await;
    // The first refusal forgets the token, which had worked; the next call mints one.
    assert_eq!(
        people.canary().await.unwrap_err().class,
        OutcomeClass::Retry
    );
    people.canary().await.unwrap();
    sim.configure(
        json!({"apps": [{"client_id": CLIENT, "secret": SECRET, "secret_expired": true}]}),
    )
    .await;
    sim.control("POST", "/entra/main/tokens/revoke", &json!({}))
        .await;
    assert!(people.canary().await.is_err());
    let error = people.canary().await.unwrap_err();
    assert_eq!(
        (error.class, error.code.as_deref()),
        (OutcomeClass::Credentials, Some("AADSTS7000222"))
    );
}

#[tokio::test]
async fn tokens_that_are_refused_one_after_the_other_are_wrong_credentials() {
    let sim = Sim::start(json!({})).await;
    sim.fault(json!({"when": {"family": "organization"}, "then": {"status": 401}}))
        .await;
    let people = sim.people();
    let mut last = OutcomeClass::Done;
    for _ in 0..5 {
        last = people.canary().await.unwrap_err().class;
    }
    assert_eq!(last, OutcomeClass::Credentials);
}

#[tokio::test]
async fn azure_that_shows_nothing_is_not_azure_that_holds_nothing() {
    let sim = Sim::start(json!({})).await;
    let mut document = people::plain();
    document["subscriptions"] = json!([]);
    document["users"][0]["azure"] = json!([]);
    sim.seed(&document).await;
    let outcome = crate::drive::opt_out(&sim.people(), sever_domain::Intent::Remove, "fix").await;
    // A credential without a reading role sees no subscription either.
    let unproven = &outcome.closing.unproven[0];
    assert_eq!(unproven.family, sever_domain::EntitlementKind::ResourceRole);
    assert_eq!(outcome.verdict, sever_domain::closing::Verdict::Live);
    assert!(!sim.writes().await.contains(&"delete_user".to_owned()));
}

#[tokio::test]
async fn both_connectors_share_one_token_for_each_audience() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::applications()).await;
    let connected = sim.connected(&json!({}));
    let integrations = connected.integrations.unwrap();
    connected.people.inspect("ada").await.unwrap();
    integrations.inspect("sp-crm").await.unwrap();
    let own = integrations.own_account().await.unwrap();
    assert!(own.is_some());
    assert_eq!(integrations.own_account().await.unwrap(), own);
    assert_eq!(connected.people.own_account().await.unwrap(), None);
    let journal = sim.journal().await;
    let count = |operation: &str| {
        journal
            .iter()
            .filter(|call| call["operation"] == operation)
            .count()
    };
    assert_eq!(count("issue_token"), 2);
}

#[tokio::test]
async fn without_azure_nothing_is_asked_there_and_a_rule_says_so() {
    let app = json!({"client_id": CLIENT, "secret": SECRET, "azure": false});
    let sim = Sim::start(json!({"apps": [app]})).await;
    sim.seed(&people::plain()).await;
    let told = sim.connected(&json!({"azure": false})).people;
    let outcome = crate::drive::opt_out(&told, sever_domain::Intent::Disable, "fix").await;
    assert_eq!(outcome.verdict, sever_domain::closing::Verdict::NothingLive);
    assert!(
        outcome
            .closing
            .rules_used
            .iter()
            .any(|used| used.rule == "entra.no_azure_in_the_tenant")
    );
    let untold = crate::drive::opt_out(&sim.people(), sever_domain::Intent::Disable, "fix").await;
    assert_eq!(
        untold.verdict,
        sever_domain::closing::Verdict::NeedsPerson,
        "forbidden is not none"
    );
}

#[tokio::test]
async fn settings_that_cannot_be_used_name_their_field() {
    let sim = Sim::start(json!({})).await;
    let refused = |change: &dyn Fn(&mut sever_provider::ConnectionSettings)| {
        let mut settings = sim.settings(&sim.credential(&json!({})));
        change(&mut settings);
        EntraFactory::default().connect(settings).unwrap_err().field
    };
    assert_eq!(refused(&|it| it.credential = "{}".into()), "credential");
    assert_eq!(
        refused(&|it| it.base_url = "http://graph.microsoft.com".parse().unwrap()),
        "base_url"
    );
    assert_eq!(refused(&|it| it.in_flight_max = 0), "in_flight_max");
}

/// An RSA key (PKCS #1) that is used nowhere else.
fn key() -> String {
    let label = "RSA PRIVATE KEY";
    let body = include_str!("client-key.b64");
    format!("-----BEGIN {label}-----\n{body}-----END {label}-----\n")
}

#[tokio::test]
async fn a_certificates_key_opens_by_its_thumbprint() {
    let app = json!({"client_id": CLIENT, "thumbprints": ["dGh1bWI"]});
    let sim = Sim::start(json!({"apps": [app]})).await;
    let with = |thumbprint: &str| {
        let more = json!({"client_secret": null, "key": key(), "thumbprint": thumbprint});
        sim.connected(&more).people
    };
    with("dGh1bWI").canary().await.unwrap();
    let error = with("b3RoZXI").canary().await.unwrap_err();
    assert_eq!(
        (error.class, error.code.as_deref()),
        (OutcomeClass::Credentials, Some("AADSTS700027"))
    );
}
