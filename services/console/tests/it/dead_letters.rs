//! Dead letters over HTTP: listed, shown, planned, and decided by two people.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use sever_api::Scope;
use uuid::Uuid;

use crate::api::Api;

/// A removal that gave up; returns its dead letter.
async fn dead(api: &Api) -> String {
    let ask = json!({"person": {"source": "hr", "external_id": "7"}, "intent": "remove", "reason": "left the company"});
    let (status, asked) = api.call(Method::POST, "/v1/opt-outs", Some(&ask)).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{asked}");
    let id = Uuid::now_v7();
    api.database
        .sql(&format!(
            "UPDATE job SET state = 'dead', due_at = NULL; DELETE FROM outbox;
             INSERT INTO dead_letter (id, job_id, fingerprint, reason, state) SELECT '{id}', id, 'okta:revoke_role:permanent:E0000006', 'refused', 'open' FROM job"
        ))
        .await
        .unwrap();
    id.to_string()
}

async fn post(api: &Api, token: &str, path: &str, body: Value) -> (StatusCode, Value) {
    api.call_as(token, Method::POST, path, Some(&body)).await
}

#[tokio::test]
async fn what_is_dead_is_listed_and_shown_with_what_a_replay_would_do() {
    let api = Api::start().await.with_person().await;
    let letter = dead(&api).await;
    let (_, list) = api.get("/v1/dead-letters").await;
    let cluster = &list["clusters"][0];
    assert_eq!(
        (
            &cluster["action"],
            &cluster["code"],
            &cluster["count"],
            &cluster["connections"]
        ),
        (
            &json!("revoke_role"),
            &json!("E0000006"),
            &json!(1),
            &json!(["okta-main"])
        )
    );
    let (_, none) = api.get("/v1/dead-letters?provider=scim").await;
    assert_eq!(none["clusters"], json!([]));
    let (_, page) = api
        .get("/v1/dead-letters/cluster?fingerprint=okta:revoke_role:permanent:E0000006")
        .await;
    assert_eq!(page["items"][0]["id"], json!(letter));
    let (status, shown) = api.get(&format!("/v1/dead-letters/{letter}")).await;
    assert_eq!(status, StatusCode::OK, "{shown}");
    let shown = &shown["letter"];
    assert_eq!(shown["requests"][0]["reason"], "left the company");
    assert!(
        shown["replay"]["what"]
            .as_str()
            .unwrap()
            .contains("plan anew"),
        "{shown}"
    );
    let (_, by_job) = api
        .get(&format!(
            "/v1/dead-letters/{}",
            shown["job"].as_str().unwrap()
        ))
        .await;
    assert_eq!(by_job["letter"]["id"], json!(letter));
    let (status, _) = api
        .get(&format!("/v1/dead-letters/{}", Uuid::now_v7()))
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_replay_is_planned_without_a_change_then_ordered_and_stopped() {
    let api = Api::start().await.with_person().await;
    dead(&api).await;
    let ask = |dry_run: bool| json!({"provider": "okta", "reason": "fixed", "dry_run": dry_run});
    let (status, plan) = post(&api, &api.token, "/v1/replays", ask(true)).await;
    assert_eq!(
        (status, &plan["count"], &plan["steps"]),
        (StatusCode::OK, &json!(1), &json!([1])),
        "{plan}"
    );
    let (_, none) = api.get("/v1/replays").await;
    assert_eq!(none["items"], json!([]), "a dry run changes nothing");
    let (status, _) = post(
        &api,
        &api.token,
        "/v1/replays",
        json!({"reason": "everything"}),
    )
    .await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "a selection is needed");
    let (status, plan) = post(&api, &api.token, "/v1/replays", ask(false)).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{plan}");
    let path = format!("/v1/replays/{}", plan["replay"].as_str().unwrap());
    let (_, replay) = api.get(&path).await;
    assert_eq!(
        (&replay["state"], &replay["queued"]),
        (&json!("canary"), &json!(1))
    );
    let (status, _) = post(&api, &api.token, "/v1/replays", ask(false)).await;
    assert_eq!(
        status,
        StatusCode::CONFLICT,
        "it belongs to a replay already"
    );
    let (_, stopped) = post(
        &api,
        &api.token,
        &format!("{path}/stop"),
        json!({"reason": "not now"}),
    )
    .await;
    assert_eq!(
        (
            &stopped["state"],
            &stopped["skipped"],
            &stopped["stopped_by"]
        ),
        (&json!("stopped"), &json!(1), &json!("token:ops"))
    );
}

#[tokio::test]
async fn the_second_person_of_a_discard_is_never_the_first() {
    let api = Api::start().await.with_person().await;
    let letter = dead(&api).await;
    let path = format!("/v1/dead-letters/{letter}/discard");
    let reason = json!({"reason": "the account never existed"});
    let (status, _) = post(&api, &api.token, &format!("{path}/confirm"), reason.clone()).await;
    assert_eq!(status, StatusCode::CONFLICT, "nobody has asked");
    let (status, asked) = post(&api, &api.token, &path, reason.clone()).await;
    assert_eq!(
        (status, &asked["letter"]["discard_asked_by"]),
        (StatusCode::OK, &json!("token:ops")),
        "{asked}"
    );
    let (status, problem) =
        post(&api, &api.token, &format!("{path}/confirm"), reason.clone()).await;
    assert_eq!(
        (status.as_u16(), &problem["type"]),
        (403, &json!("urn:sever:problem:same-person"))
    );
    let other = api
        .token_with("second", &[Scope::DeadLettersDecide], None)
        .await;
    let (status, closed) = post(&api, &other, &format!("{path}/confirm"), reason).await;
    assert_eq!(
        (status, &closed["letter"]["state"]),
        (StatusCode::OK, &json!("discarded")),
        "{closed}"
    );
    let (_, list) = api.get("/v1/dead-letters").await;
    assert_eq!(list["clusters"], json!([]));
}

#[tokio::test]
async fn work_by_hand_needs_evidence_and_is_read_again() {
    let api = Api::start().await.with_person().await;
    let letter = dead(&api).await;
    let path = format!("/v1/dead-letters/{letter}/resolve");
    let (status, problem) = post(
        &api,
        &api.token,
        &path,
        json!({"evidence": " ", "reason": "by hand"}),
    )
    .await;
    assert_eq!(
        (status.as_u16(), &problem["field"]),
        (400, &json!("/evidence"))
    );
    let (status, seen) = post(
        &api,
        &api.token,
        &path,
        json!({"evidence": "ticket 7", "reason": "by hand"}),
    )
    .await;
    assert_eq!(
        (status, &seen["letter"]["state"]),
        (StatusCode::OK, &json!("resolving")),
        "{seen}"
    );
    assert_eq!(
        seen["letter"]["work"]["state"], "waiting",
        "a worker reads, and decides"
    );
}
