//! What Okta's documents leave open: the connector survives both outcomes.

use serde_json::{Value, json};
use sever_domain::closing::Verdict;
use sever_domain::{Action, EntitlementKind, Intent, OutcomeClass};
use sever_provider::{Answer, AnswerKind, CallError, Connector as _, Effect};
use sever_worker_okta::OktaConnector;

use crate::drive::opt_out;
use crate::people;
use crate::sim::Sim;

#[tokio::test]
async fn every_switch_in_either_position_ends_in_the_same_state() {
    for unconfirmed in [
        json!({"suspend_wrong_state": 400}),
        json!({"suspend_wrong_state": 403}),
        json!({"repeat_group_delete": 204}),
        json!({"repeat_group_delete": 404}),
        json!({"sessions_delete_on_deprovisioned": 204}),
        json!({"sessions_delete_on_deprovisioned": 403}),
        json!({"sessions_delete_on_deprovisioned": 404}),
        json!({"suspended_owner_tokens": "valid"}),
        json!({"suspended_owner_tokens": "rejected"}),
        json!({"revoked_tokens": "listed"}),
        json!({"revoked_tokens": "gone"}),
        json!({"empty_200_body": ""}),
        json!({"empty_200_body": "{}"}),
    ] {
        let sim = Sim::start(json!({ "unconfirmed": unconfirmed })).await;
        let ada = sim.seed(&people::rich()).await.remove(0);
        let outcome = opt_out(&sim.connector(), Intent::Remove, &ada).await;
        assert_eq!(
            outcome.verdict,
            Verdict::NothingLive,
            "{unconfirmed}: {:?}",
            outcome.closing
        );
        assert_eq!(outcome.refused, vec![], "{unconfirmed}");
        assert_eq!(
            sim.truth(&ada).await["live"],
            json!(["apps:1"]),
            "{unconfirmed}"
        );
    }
}

async fn sent(
    connector: &OktaConnector,
    action: Action,
    account: &str,
    key: &str,
) -> Result<Answer, CallError> {
    let effect = Effect {
        action,
        account_id: account.to_owned(),
        target_kind: EntitlementKind::Account,
        target_key: key.to_owned(),
        facts: Value::Null,
    };
    connector.apply(&effect).await
}

#[tokio::test]
async fn a_repeated_write_is_already_so_whatever_the_answer() {
    for status in [400, 403] {
        let sim = Sim::start(json!({
            "unconfirmed": {"suspend_wrong_state": status, "repeat_group_delete": 404}
        }))
        .await;
        let ada = sim.seed(&people::rich()).await.remove(0);
        let connector = sim.connector();
        for action in [Action::SuspendAccount, Action::DeactivateAccount] {
            let first = sent(&connector, action, &ada, &ada).await.unwrap();
            assert_eq!(first.kind, AnswerKind::Done, "{action}");
            assert!(first.provider_request_id.is_some());
            let again = sent(&connector, action, &ada, &ada).await.unwrap();
            assert_eq!(again.kind, AnswerKind::AlreadyGone, "{action}");
        }
        // Suspending a deactivated account is refused, and its sign-in is blocked all the same.
        let suspended = sent(&connector, Action::SuspendAccount, &ada, &ada).await;
        assert_eq!(suspended.unwrap().kind, AnswerKind::AlreadyGone);
    }
}

#[tokio::test]
async fn a_refused_suspension_of_a_live_account_is_a_persons_business() {
    let sim = Sim::start(json!({})).await;
    let mut document = people::fixed();
    document["users"][0]["status"] = json!("LOCKED_OUT");
    let user = sim.seed(&document).await.remove(0);
    let error = sent(&sim.connector(), Action::SuspendAccount, &user, &user)
        .await
        .unwrap_err();
    assert_eq!(error.class, OutcomeClass::NeedsPerson);
    assert_eq!(error.code.as_deref(), Some("E0000001"));
}

#[tokio::test]
async fn an_asynchronous_deactivation_is_waited_for() {
    let sim = Sim::start(json!({"deactivate_polls": 2})).await;
    let user = sim.seed(&people::fixed()).await.remove(0);
    let outcome = opt_out(&sim.connector(), Intent::Remove, &user).await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    assert_eq!(sim.truth(&user).await["live"], json!([]));
}

#[tokio::test]
async fn an_application_that_lags_behind_its_group_is_waited_for() {
    let sim = Sim::start(json!({"app_lag_ms": 300})).await;
    let mut document = people::fixed();
    // Both ways at once: refused with E0000046 for as long as the group counts.
    document["apps"][0]["groups"] = json!(["One"]);
    let user = sim.seed(&document).await.remove(0);
    let outcome = opt_out(&sim.connector(), Intent::Remove, &user).await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    assert_eq!(sim.truth(&user).await["live"], json!([]));
}

#[tokio::test]
async fn what_a_group_still_grants_waits_until_the_account_is_deactivated() {
    let sim = Sim::start(json!({})).await;
    let mut document = people::rich();
    document["users"][0]["apps"] = json!(["Mail", "System"]);
    let ada = sim.seed(&document).await.remove(0);
    let connector = sim.connector();
    let reading = connector.inspect(&ada).await.unwrap();
    let key = |label: &str| {
        let apps = reading.of(EntitlementKind::AppAssignment).iter();
        let mut labelled = apps.filter(|app| app.facts["label"] == label);
        labelled.next().unwrap().provider_key.clone()
    };
    for label in ["Mail", "System"] {
        let error = sent(&connector, Action::UnassignApp, &ada, &key(label))
            .await
            .unwrap_err();
        assert_eq!(
            (error.class, error.code.as_deref()),
            (OutcomeClass::Wait, Some("E0000046"))
        );
    }
    sent(&connector, Action::DeactivateAccount, &ada, &ada)
        .await
        .unwrap();
    let mail = sent(&connector, Action::UnassignApp, &ada, &key("Mail"))
        .await
        .unwrap();
    assert_eq!(mail.kind, AnswerKind::AlreadyGone);
    // Okta keeps this one on deactivation, and Everyone goes on granting it: waiting would not end.
    let system = sent(&connector, Action::UnassignApp, &ada, &key("System"))
        .await
        .unwrap_err();
    assert_eq!(system.class, OutcomeClass::NeedsPerson);
}
