//! People at a provider that is known by the standards alone.

use serde_json::{Value, json};
use sever_domain::closing::Verdict;
use sever_domain::entitlement::FamilyResult;
use sever_domain::plan::Disposition;
use sever_domain::{Action, BindingId, EntitlementKind, Intent, OutcomeClass};
use sever_provider::{AnswerKind, Connector as _, Effect};
use sever_worker_oidc::OidcPeople;

use crate::drive::opt_out;
use crate::people;
use crate::sim::Sim;

/// A connector with Ada's and Bob's refresh tokens registered.
fn connector(sim: &Sim, more: Value) -> OidcPeople {
    let web = sim.reference("web", "w");
    let token = |name: &str, account: &str, secret: &str| {
        let reference = sim.reference(name, secret);
        json!({ "name": name, "account": account, "token": reference, "client_id": "web", "client_secret": web })
    };
    let mut document = json!({ "tokens": [
        token("ada", "u-ada", "ada-refresh"),
        token("ada-offline", "u-ada", "ada-offline"),
        token("bob", "u-bob", "bob-refresh"),
    ] });
    for (name, value) in more.as_object().unwrap() {
        document[name] = value.clone();
    }
    let connected = sim.connect(document);
    assert!(
        connected.integrations.is_none(),
        "the standards know no integrations"
    );
    connected.people
}

fn lines(steps: &[sever_domain::plan::PlannedStep]) -> Vec<String> {
    let manual = |step: &sever_domain::plan::PlannedStep| {
        matches!(step.disposition, Disposition::Manual { .. })
    };
    steps
        .iter()
        .map(|step| {
            let what = if manual(step) {
                "a person".to_owned()
            } else {
                step.action.to_string()
            };
            format!("{what}: {} {:?}", step.target_key, step.needs)
        })
        .collect()
}

#[tokio::test]
async fn registered_tokens_are_revoked_and_the_account_is_a_persons_task() {
    let sim = Sim::start(json!({ "keycloak": false })).await;
    sim.seed(&people::two()).await;
    let outcome = opt_out(&connector(&sim, json!({})), Intent::Remove, "u-ada").await;
    assert_eq!(
        lines(&outcome.plan),
        [
            "revoke_tokens: registered:ada []",
            "revoke_tokens: registered:ada-offline []",
            "a person: u-ada []",
            "a person: sessions [2]",
            "a person: not_registered [2]",
        ]
    );
    assert_eq!(outcome.verdict, Verdict::Asked, "{:?}", outcome.closing);
    assert_eq!(
        outcome.closing.live,
        vec![],
        "introspection shows them dead"
    );
    let live = sim.truth("u-ada").await["live"].to_string();
    assert!(!live.contains("tokens"), "{live}");
    assert!(
        sim.truth("u-bob").await["live"]
            .to_string()
            .contains("tokens:2")
    );
    let journal = sim.journal().await;
    assert!(
        journal.iter().all(|call| call["user"] != "u-bob"),
        "Bob's token is not even asked about"
    );
    for secret in ["ada-refresh", "ada-offline", "secret-of-the-worker"] {
        assert!(!json!(journal).to_string().contains(secret));
    }
}

#[tokio::test]
async fn global_revocation_cuts_at_once_and_again_after_the_person() {
    for member in ["sub_id", "subject"] {
        let sim = Sim::start(json!({ "keycloak": true, "global_token_revocation": member })).await;
        sim.seed(&people::two()).await;
        let subject = json!({ "subject": { "member": member, "format": "opaque" } });
        let connector = connector(&sim, subject);
        let reading = connector.inspect("u-ada").await.unwrap();
        let plan = connector.plan(
            Intent::Remove,
            sever_domain::BindingId::generate(),
            &reading,
        );
        assert_eq!(
            lines(&plan)[2..],
            [
                "revoke_sessions: at_once []",
                "a person: u-ada []",
                "revoke_sessions: after_disabling [3]",
                "leave: not_registered [4]"
            ]
        );
        let outcome = opt_out(&connector, Intent::Remove, "u-ada").await;
        assert_eq!(outcome.verdict, Verdict::Asked, "{:?}", outcome.closing);
        let live = sim.truth("u-ada").await["live"].to_string();
        assert!(
            !live.contains("sessions") && !live.contains("tokens"),
            "{live}"
        );
    }
}

#[tokio::test]
async fn without_introspection_the_answer_stands_in_under_its_rule() {
    let sim = Sim::start(json!({ "introspection": false })).await;
    sim.seed(&people::two()).await;
    let connector = connector(&sim, json!({}));
    connector.canary().await.unwrap();
    let reading = connector.inspect("u-ada").await.unwrap();
    let tokens = reading
        .families
        .iter()
        .find(|family| family.family == EntitlementKind::Token)
        .unwrap();
    assert_eq!(tokens.result, FamilyResult::Unsupported);
    let outcome = opt_out(&connector, Intent::Remove, "u-ada").await;
    assert_eq!(outcome.verdict, Verdict::Asked, "{:?}", outcome.closing);
    let revoked = outcome.plan.iter();
    let revoked = revoked.filter(|step| step.action == Action::RevokeTokens);
    let rules: Vec<_> = revoked.map(|step| step.rule.as_deref()).collect();
    assert_eq!(rules, [Some("oidc.revocation_was_answered"); 2]);
    assert!(
        !sim.truth("u-ada").await["live"]
            .to_string()
            .contains("tokens")
    );
}

#[tokio::test]
async fn an_introspection_that_shows_nobody_alive_proves_nothing() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::two()).await;
    sim.fault(json!({ "when": { "family": "introspection" }, "then": { "status": 200, "body": { "active": false } } }))
        .await;
    let reading = connector(&sim, json!({})).inspect("u-ada").await.unwrap();
    let tokens = reading
        .families
        .iter()
        .find(|family| family.family == EntitlementKind::Token)
        .unwrap();
    assert_eq!(tokens.result, FamilyResult::Unsupported);
}

#[tokio::test]
async fn another_clients_token_that_was_never_seen_alive_is_not_proven_dead() {
    let sim = Sim::start(json!({ "keycloak": false })).await;
    sim.seed(&people::two()).await;
    let only_own = json!({ "when": { "family": "introspection" }, "count": 2, "then": { "status": 200, "body": { "active": false } } });
    sim.fault(only_own).await;
    let connector = connector(&sim, json!({}));
    let tokens = async || {
        let reading = connector.inspect("u-ada").await.unwrap();
        let family = reading.families.into_iter();
        let mut family = family.filter(|family| family.family == EntitlementKind::Token);
        let tokens = family.next().unwrap();
        let never_shown = tokens.detail.unwrap().contains("never shown us");
        (never_shown, tokens.entitlements.len())
    };
    assert_eq!(tokens().await, (true, 0));
    assert_eq!(tokens().await, (false, 2), "now they show");
    let outcome = opt_out(&connector, Intent::Remove, "u-ada").await;
    assert_eq!(outcome.closing.unproven, vec![]);
    assert_eq!(tokens().await, (false, 0));
}

#[tokio::test]
async fn a_token_of_a_type_that_is_not_revoked_is_waited_for() {
    let sim = Sim::start(json!({ "keycloak": false })).await;
    sim.seed(&people::two()).await;
    sim.fault(json!({ "when": { "family": "revocation" }, "then": { "status": 400, "body": { "error": "unsupported_token_type" } } }))
        .await;
    let token = json!({
        "name": "ada", "account": "u-ada", "token": sim.reference("ada", "ada-access"), "kind": "access_token",
        "client_id": "web", "client_secret": sim.reference("web", "w"),
    });
    let connector = sim.connect(json!({ "tokens": [token] })).people;
    let reading = connector.inspect("u-ada").await.unwrap();
    let binding = sever_domain::BindingId::generate();
    let plan = connector.plan(Intent::Remove, binding, &reading);
    let effect = sever_provider::Effect {
        action: plan[0].action,
        account_id: "u-ada".into(),
        target_kind: plan[0].target_kind,
        target_key: plan[0].target_key.clone(),
        facts: plan[0].facts.clone(),
    };
    let error = connector.apply(&effect).await.unwrap_err();
    assert_eq!(error.class, OutcomeClass::Wait, "{error}");
    assert!(error.retry_after.is_some_and(|wait| wait.as_secs() <= 61));
}

#[tokio::test]
async fn a_provider_without_revocation_says_so_at_the_step() {
    let sim = Sim::start(json!({ "revocation": false })).await;
    sim.seed(&people::two()).await;
    let outcome = opt_out(&connector(&sim, json!({})), Intent::Remove, "u-ada").await;
    assert_eq!(outcome.verdict, Verdict::Live);
    assert!(
        outcome.refused[0].what.contains("offers no revocation"),
        "{:?}",
        outcome.refused
    );
}

#[tokio::test]
async fn a_token_that_another_client_tries_to_revoke_is_seen_to_live_on() {
    for foreign in ["ignored", "refused"] {
        let sim = Sim::start(json!({ "unconfirmed": { "foreign_token": foreign } })).await;
        sim.seed(&people::two()).await;
        let token = json!({ "name": "ada", "account": "u-ada", "token": sim.reference("ada", "ada-refresh") });
        let connector = sim.connect(json!({ "tokens": [token] })).people;
        let outcome = opt_out(&connector, Intent::Remove, "u-ada").await;
        assert_eq!(outcome.verdict, Verdict::Live, "{foreign}");
        assert_eq!(outcome.closing.live[0].provider_key, "registered:ada");
    }
}

#[tokio::test]
async fn an_account_cannot_be_looked_for_and_nothing_is_taken_for_absent() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::two()).await;
    let connector = connector(&sim, json!({}));
    let person = sever_domain::identity::PersonAttributes {
        emails: vec!["ada@example.com".into()],
        ..Default::default()
    };
    let error = connector.find_by_login(&person).await.unwrap_err();
    assert_eq!(error.class, OutcomeClass::NeedsPerson);
    assert_eq!(connector.own_account().await, Ok(None));
}

#[tokio::test]
async fn a_reference_that_leads_nowhere_is_no_reading_and_names_no_secret() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::two()).await;
    let token = json!({ "name": "gone", "account": "u-ada", "token": "file:/nowhere/at/all" });
    let connector = sim.connect(json!({ "tokens": [token] })).people;
    let reading = connector.inspect("u-ada").await.unwrap();
    let tokens = reading
        .families
        .iter()
        .find(|family| family.family == EntitlementKind::Token)
        .unwrap();
    assert_eq!(tokens.result, FamilyResult::Forbidden);
    assert!(
        tokens
            .detail
            .as_deref()
            .unwrap()
            .contains("/nowhere/at/all")
    );
    let other = connector.inspect("u-bob").await.unwrap();
    assert!(
        other
            .families
            .iter()
            .filter(|family| family.family == EntitlementKind::Token)
            .all(|it| it.result == FamilyResult::Unsupported)
    );
}

fn effect(action: Action, kind: EntitlementKind, account: &str, key: &str) -> Effect {
    Effect {
        action,
        account_id: account.into(),
        target_kind: kind,
        target_key: key.into(),
        facts: json!({}),
    }
}

#[tokio::test]
async fn a_subject_that_the_provider_never_knew_is_not_taken_for_revoked() {
    let sim = Sim::start(json!({ "global_token_revocation": "sub_id" })).await;
    sim.seed(&people::two()).await;
    let connector = connector(&sim, json!({}));
    let cut = |account: &str| {
        effect(
            Action::RevokeSessions,
            EntitlementKind::Session,
            account,
            "at_once",
        )
    };
    let error = connector.apply(&cut("u-adda")).await.unwrap_err();
    assert_eq!(error.class, OutcomeClass::NeedsPerson);
    assert!(error.what.contains("subject format"), "{error}");
    let outcome = opt_out(&connector, Intent::Remove, "u-adda").await;
    let rules = outcome.closing.rules_used.iter();
    let rules: Vec<&str> = rules.map(|used| used.rule).collect();
    assert!(rules.is_empty(), "{rules:?}");
    let answer = connector.apply(&cut("u-ada")).await.unwrap();
    assert_eq!(answer.kind, AnswerKind::Done);
    sim.mutate(json!({ "do": "delete", "user": "u-ada" })).await;
    let answer = connector.apply(&cut("u-ada")).await.unwrap();
    assert_eq!(answer.kind, AnswerKind::AlreadyGone, "it was known before");
}

#[tokio::test]
async fn tokens_that_nobody_registered_are_not_read_as_none() {
    let sim = Sim::start(json!({ "keycloak": false })).await;
    sim.seed(&people::two()).await;
    let connector = sim.connect(json!({})).people;
    let reading = connector.inspect("u-ada").await.unwrap();
    assert_eq!(
        reading.families[2].result,
        FamilyResult::Unsupported,
        "she has two, and nothing shows them"
    );
    let plan = connector.plan(Intent::Remove, BindingId::generate(), &reading);
    let line = plan
        .iter()
        .find(|step| step.target_kind == EntitlementKind::Token);
    assert!(
        matches!(&line.unwrap().disposition, Disposition::Manual { task } if task.what.contains("refresh token"))
    );
    let outcome = opt_out(&connector, Intent::Remove, "u-ada").await;
    assert_eq!(outcome.verdict, Verdict::Asked);
    let asked = outcome.closing.asked.iter();
    let kinds: Vec<EntitlementKind> = asked.map(|asked| asked.kind).collect();
    assert!(kinds.contains(&EntitlementKind::Token), "{kinds:?}");
}

#[tokio::test]
async fn a_token_that_is_registered_for_somebody_else_is_not_revoked() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&people::two()).await;
    let token = json!({
        "name": "ada", "account": "u-ada", "token": sim.reference("ada", "bob-refresh"), "client_id": "web",
        "client_secret": sim.reference("web", "w"),
    });
    let connector = sim.connect(json!({ "tokens": [token] })).people;
    let reading = connector.inspect("u-ada").await.unwrap();
    let tokens = &reading.families[2];
    assert_eq!(tokens.result, FamilyResult::Forbidden);
    assert_eq!(tokens.entitlements, vec![]);
    let revoke = effect(
        Action::RevokeTokens,
        EntitlementKind::Token,
        "u-ada",
        "registered:ada",
    );
    let error = connector.apply(&revoke).await.unwrap_err();
    assert_eq!(error.class, OutcomeClass::NeedsPerson, "{error}");
    let bob = sim.truth("u-bob").await["live"].to_string();
    assert!(bob.contains("tokens:2"), "{bob}");
}
