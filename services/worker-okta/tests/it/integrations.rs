//! Integrations: what a removal leaves of an application, and of the hooks and tokens that are bound with it.

use serde_json::{Value, json};
use sever_domain::closing::Verdict;
use sever_domain::plan::{Disposition, PlannedStep};
use sever_domain::{Action, BindingId, EntitlementKind, Intent, OutcomeClass};
use sever_provider::{Connector as _, ConnectorFactory as _, Effect, Undo};
use sever_worker_okta::OktaFactory;

use crate::drive::opt_out;
use crate::sim::Sim;

pub const APP: &str = "0oacrm";

fn client(token: &str) -> Value {
    json!({ "client_id": APP, "name": "CRM", "tokens": [{ "id": token }] })
}

/// An application that has one of everything, people in it, and another one that must not be touched.
pub fn org() -> Value {
    let crm = json!({
        "id": APP, "label": "CRM", "groups": ["Sales"], "provisioning": true,
        "redirect_uris": ["https://crm.example/callback"],
        "secrets": [{ "id": "ocs1" }, { "id": "ocs2" }], "keys": [{ "id": "pks1" }],
        "grants": ["okta.users.read", "okta.groups.manage"], "roles": [{ "id": "irb1", "type": "READ_ONLY_ADMIN" }],
    });
    let other = json!({
        "id": "0oahr", "label": "HR", "groups": ["Sales"], "secrets": [{ "id": "ocs3" }], "grants": ["okta.users.read"],
    });
    json!({
        "groups": [{ "id": "00gsales", "name": "Sales" }],
        "apps": [crm, other],
        "event_hooks": [{ "id": "who1", "name": "to the CRM", "uri": "https://crm.example/hook", "app": "CRM" }],
        "inline_hooks": [{ "id": "cal1", "name": "other", "uri": "https://hr.example/ask", "app": "HR" }],
        "users": [
            {
                "id": "00uada", "login": "ada@example.com", "groups": ["Sales"], "apps": ["CRM", "HR"],
                "clients": [client("oar1")], "api_tokens": [{ "id": "00Tcrm", "name": "CRM sync", "app": "CRM" }],
            },
            { "id": "00uben", "login": "ben@example.com", "groups": ["Sales"], "clients": [client("oar2")] },
        ],
    })
}

#[tokio::test]
async fn a_removed_application_keeps_its_last_secret_and_nothing_that_acts() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&org()).await;
    let other = sim.app("0oahr").await;
    let integrations = sim.integrations();
    let outcome = opt_out(&integrations, Intent::Remove, APP).await;
    assert_eq!(outcome.verdict, Verdict::Asked, "{:?}", outcome.closing);
    assert_eq!(outcome.refused, vec![]);
    let asked: Vec<&str> = outcome
        .closing
        .asked
        .iter()
        .map(|it| it.provider_key.as_str())
        .collect();
    assert_eq!(asked, ["who1", "00Tcrm"], "what only looks like its own");
    assert_eq!(
        sim.app(APP).await["live"],
        json!(["event_hooks:1", "api_tokens:1"])
    );
    let people = sim.truth("00uben").await;
    assert_eq!(
        people["apps"],
        json!([{ "id": "0oahr", "label": "HR", "scope": "GROUP", "groups": ["00gsales"] }])
    );
    assert_eq!(
        people["groups"].as_array().unwrap().len(),
        2,
        "memberships stay"
    );
    for bound in ["who1", "00Tcrm"] {
        let outcome = opt_out(&integrations, Intent::Remove, bound).await;
        assert_eq!(
            outcome.verdict,
            Verdict::NothingLive,
            "{bound}: {:?}",
            outcome.closing
        );
    }
    let outcome = opt_out(&integrations, Intent::Remove, APP).await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    assert_eq!(sim.app(APP).await["live"], json!([]));
    assert_eq!(sim.app("0oahr").await, other);
}

#[tokio::test]
async fn a_second_removal_changes_nothing() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&org()).await;
    opt_out(&sim.integrations(), Intent::Remove, APP).await;
    sim.clear_journal().await;
    opt_out(&sim.integrations(), Intent::Remove, APP).await;
    let journal = sim.journal().await;
    assert!(
        journal.iter().all(|call| call["changed"] == false),
        "{journal:?}"
    );
}

#[tokio::test]
async fn every_call_names_the_application_or_lists_what_has_no_owner() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&org()).await;
    opt_out(&sim.integrations(), Intent::Remove, APP).await;
    let lists = [
        "/api/v1/eventHooks",
        "/api/v1/inlineHooks",
        "/api/v1/api-tokens",
        "/api/v1/authorizationServers",
        "/api/v1/users",
    ];
    for call in sim.journal().await {
        let path = call["path"].as_str().unwrap();
        assert!(path.contains(APP) || lists.contains(&path), "{call}");
        let about = call["user"].as_str();
        assert!(
            about.is_none_or(|user| user == "00uada"),
            "only the direct assignment: {call}"
        );
    }
}

#[tokio::test]
async fn a_disabled_application_gets_no_token_and_keeps_the_rest() {
    let sim = Sim::start(json!({ "unconfirmed": { "app_deactivate_strips_groups": false } })).await;
    sim.seed(&org()).await;
    let integrations = sim.integrations();
    let outcome = opt_out(&integrations, Intent::Disable, APP).await;
    assert_eq!(outcome.verdict, Verdict::Asked, "{:?}", outcome.closing);
    let live = sim.app(APP).await["live"].to_string();
    for gone in ["app:", "\"tokens:"] {
        assert!(!live.contains(gone), "{live}");
    }
    for kept in ["grants:2", "groups:1", "users:1", "roles:1"] {
        assert!(live.contains(kept), "{live}");
    }
    for (bound, left) in [("00Tcrm", "\"event_hooks"), ("who1", "\"app")] {
        let outcome = opt_out(&integrations, Intent::Disable, bound).await;
        assert_eq!(outcome.verdict, Verdict::NothingLive, "{bound}");
        assert!(
            !sim.app(APP).await["live"]
                .to_string()
                .contains("api_tokens"),
            "{left}"
        );
    }
}

#[tokio::test]
async fn what_the_documents_leave_open_makes_no_difference() {
    for open in [
        json!({ "app_tokens_inactive": 400 }),
        json!({ "app_tokens_inactive": 403 }),
        json!({ "app_deactivate_strips_groups": false }),
        json!({ "app_deactivate_inactive": 400 }),
        json!({ "jwks_in_envelope": true, "empty_200_body": "" }),
        json!({ "revoked_tokens": "listed" }),
    ] {
        let sim = Sim::start(json!({ "unconfirmed": open })).await;
        let mut document = org();
        document["event_hooks"] = json!([]);
        document["users"][0]["api_tokens"] = json!([]);
        sim.seed(&document).await;
        let outcome = opt_out(&sim.integrations(), Intent::Remove, APP).await;
        assert_eq!(
            outcome.verdict,
            Verdict::NothingLive,
            "{open}: {:?}",
            outcome.closing
        );
        assert_eq!(outcome.refused, vec![], "{open}");
        assert_eq!(sim.app(APP).await["live"], json!([]), "{open}");
    }
}

/// The tokens of one person's client, as `id:revoked`.
async fn tokens(sim: &Sim, user: &str, client: usize) -> Vec<String> {
    let truth = sim.truth(user).await;
    let tokens = truth["clients"][client]["tokens"].as_array().unwrap();
    let tokens = tokens.iter();
    tokens
        .map(|token| format!("{}:{}", token["id"].as_str().unwrap(), token["revoked"]))
        .collect()
}

#[tokio::test]
async fn tokens_of_custom_authorization_servers_are_seen_and_revoked() {
    for settings in [
        json!({}),
        json!({ "unconfirmed": { "revoked_tokens": "listed" } }),
    ] {
        let sim = Sim::start(settings).await;
        let mut document = org();
        document["event_hooks"] = json!([]);
        document["users"][0]["api_tokens"] = json!([]);
        document["users"][0]["clients"] = json!([
            { "client_id": APP, "name": "CRM", "tokens": [{ "id": "oar1" }, { "id": "oar3", "server": "aus1" }] },
            { "client_id": "0oahr", "name": "HR", "tokens": [{ "id": "oar4", "server": "aus1" }, { "id": "oar5", "server": "aus2" }] },
        ]);
        sim.seed(&document).await;
        let integrations = sim.integrations();
        let reading = integrations.inspect(APP).await.unwrap();
        let keys: Vec<&str> = reading
            .of(EntitlementKind::Token)
            .iter()
            .map(|held| held.provider_key.as_str())
            .collect();
        assert_eq!(keys, ["refresh_tokens", "server:aus1"]);
        let outcome = opt_out(&integrations, Intent::Remove, APP).await;
        let closing = &outcome.closing;
        assert_eq!(outcome.verdict, Verdict::NothingLive, "{closing:?}");
        assert_eq!(outcome.refused, vec![]);
        assert_eq!(tokens(&sim, "00uada", 0).await, ["oar1:true", "oar3:true"]);
        let others = tokens(&sim, "00uada", 1).await;
        assert_eq!(others, ["oar4:false", "oar5:false"]);
    }
}

#[tokio::test]
async fn an_org_without_custom_authorization_servers_has_no_tokens_of_them() {
    let sim = Sim::start(json!({ "missing_features": ["authorization_servers"] })).await;
    sim.seed(&org()).await;
    let reading = sim.integrations().inspect(APP).await.unwrap();
    let tokens = reading
        .families
        .iter()
        .find(|it| it.family == EntitlementKind::Token);
    let tokens = tokens.unwrap();
    assert_eq!(
        tokens.result,
        sever_domain::entitlement::FamilyResult::Complete
    );
    assert_eq!(tokens.entitlements.len(), 1);
}

#[tokio::test]
async fn the_blast_radius_counts_who_has_it_and_how() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&org()).await;
    let integrations = sim.integrations();
    let reading = integrations.inspect(APP).await.unwrap();
    let radius = integrations.blast_radius(APP, &reading).await.unwrap();
    assert_eq!(
        (radius.people, radius.groups, radius.complete),
        (2, 1, true)
    );
    let account = &reading.of(EntitlementKind::Account)[0];
    assert_eq!(account.facts["people_through_groups"], 1);
    let text = serde_json::to_string(&reading).unwrap();
    assert!(
        !text.contains("client_secret") && !text.contains("example.com"),
        "{text}"
    );
}

#[tokio::test]
async fn what_can_come_back_comes_back_from_the_pre_image() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&org()).await;
    let before = sim.app(APP).await;
    let integrations = sim.integrations();
    let reading = integrations.inspect(APP).await.unwrap();
    let steps = integrations.plan(Intent::Remove, BindingId::generate(), &reading);
    opt_out(&integrations, Intent::Remove, APP).await;
    let mut impossible = Vec::new();
    let taken = |step: &&PlannedStep| {
        step.disposition == Disposition::MustGo && step.action != Action::Leave
    };
    for step in steps.iter().filter(taken) {
        let held = reading.of(step.target_kind).iter();
        let pre_image = held
            .clone()
            .find(|held| held.provider_key == step.target_key);
        match integrations.undo(step, pre_image).await.unwrap() {
            Undo::Step(back) => {
                let effect = Effect {
                    action: back.action,
                    account_id: APP.to_owned(),
                    target_kind: back.target_kind,
                    target_key: back.target_key,
                    facts: back.facts,
                };
                integrations.apply(&effect).await.unwrap();
            }
            Undo::Impossible { .. } => impossible.push(step.action.to_string()),
            Undo::Nothing => panic!("{step:?}"),
        }
    }
    impossible.dedup();
    assert_eq!(impossible, ["revoke_tokens", "remove_secret"]);
    let after = sim.app(APP).await;
    for same in ["active", "groups", "users", "provisioning"] {
        assert_eq!(after[same], before[same], "{same}");
    }
    let count = |app: &Value, what: &str| app[what].as_array().unwrap().len();
    assert_eq!((count(&after, "grants"), count(&after, "roles")), (2, 1));
}

#[tokio::test]
async fn an_application_that_is_gone_needs_one_read_and_no_write() {
    let sim = Sim::start(json!({})).await;
    let outcome = opt_out(&sim.integrations(), Intent::Remove, "0oagone").await;
    assert_eq!(
        outcome.verdict,
        Verdict::NothingLive,
        "{:?}",
        outcome.closing
    );
    assert_eq!(sim.journal().await.len(), 1);
}

#[tokio::test]
async fn an_app_user_that_a_group_keeps_is_waited_for() {
    let settings =
        json!({ "app_lag_reads": 3, "unconfirmed": { "app_deactivate_strips_groups": false } });
    let sim = Sim::start(settings).await;
    sim.seed(&org()).await;
    let integrations = sim.integrations();
    let user = Effect {
        action: Action::RemoveConsumer,
        account_id: APP.to_owned(),
        target_kind: EntitlementKind::Consumer,
        target_key: "user:00uada".to_owned(),
        facts: Value::Null,
    };
    let error = integrations.apply(&user).await.unwrap_err();
    assert_eq!(error.class, OutcomeClass::Wait, "the group still gives it");
    let group = Effect {
        target_key: "group:00gsales".to_owned(),
        ..user.clone()
    };
    integrations.apply(&group).await.unwrap();
    integrations.apply(&user).await.unwrap();
}

#[tokio::test]
async fn both_connectors_of_a_connection_are_one_caller() {
    let sim = Sim::start(json!({})).await;
    sim.seed(&org()).await;
    let connected = OktaFactory::default()
        .connect(sim.settings(crate::sim::TOKEN))
        .unwrap();
    let when = json!({ "operation": "list_users" });
    sim.fault(json!({ "when": when, "then": { "status": 429, "reset_in_s": 5 }, "count": 1 }))
        .await;
    connected.people.canary().await.unwrap_err();
    let integrations = connected.integrations.unwrap();
    assert!(
        integrations.blocked_for().is_some(),
        "what one was told, the other knows"
    );
}
