//! Opt-outs, holds, the record, and what could not be taken in.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use sever_api::Scope;
use sever_domain::request::Channel;
use sever_store::reject::{self, NewReject};
use uuid::Uuid;

use crate::api::Api;

fn ask() -> Value {
    json!({"person": {"source": "hr", "external_id": "7"}, "intent": "remove", "reason": "left the company"})
}

async fn ask_with_key(api: &Api, key: &str, body: &Value) -> (StatusCode, Value) {
    let request = Request::post("/v1/opt-outs")
        .header(header::AUTHORIZATION, format!("Bearer {}", api.token))
        .header(header::CONTENT_TYPE, "application/json")
        .header("Idempotency-Key", key);
    api.send(request.body(Body::from(body.to_string())).unwrap())
        .await
}

#[tokio::test]
async fn an_opt_out_is_asked_for_shown_and_on_record() {
    let api = Api::start().await.with_person().await;
    let (status, asked) = ask_with_key(&api, "k1", &ask()).await;
    assert_eq!(
        (status, &asked["state"]),
        (StatusCode::ACCEPTED, &json!("attached")),
        "{asked}"
    );
    let id = asked["opt_out"].as_str().unwrap();
    let (status, view) = api.get(&format!("/v1/opt-outs/{id}")).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        (&view["status"], &view["jobs"][0]["connection"]),
        (&json!("partially_disconnected"), &json!("okta-main"))
    );
    assert!(
        !view.to_string().contains("ada@example.test"),
        "a view of work holds no e-mail"
    );
    let (_, person) = api.get("/v1/people/hr:7/status").await;
    assert_eq!(
        (&person["status"], &person["opt_outs"][0]["id"]),
        (&json!("partially_disconnected"), &json!(id))
    );
    let (_, list) = api.get("/v1/opt-outs?state=open").await;
    assert_eq!(list["items"][0]["id"], id);
    let (_, record) = api.get(&format!("/v1/opt-outs/{id}/audit")).await;
    let kinds: Vec<_> = record["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["kind"].as_str().unwrap())
        .collect();
    assert!(
        kinds.contains(&"opt_out.opened") && kinds.contains(&"job.created"),
        "{kinds:?}"
    );
    assert!(
        record["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|event| event["digest_holds"] == true)
    );
    let (_, cut) = api.get(&format!("/v1/opt-outs/{id}/audit?limit=1")).await;
    assert_eq!(
        (cut["items"].as_array().unwrap().len(), &cut["more"]),
        (1, &json!(true))
    );
    let (_, counts) = api.get("/v1/overview").await;
    assert_eq!(
        (&counts["counts"]["job"]["waiting"], &counts["unsettled"]),
        (&json!(1), &json!(1))
    );
}

#[tokio::test]
async fn the_same_key_is_the_same_request_and_another_body_is_refused() {
    let api = Api::start().await.with_person().await;
    let (_, first) = ask_with_key(&api, "k1", &ask()).await;
    let (_, again) = ask_with_key(&api, "k1", &ask()).await;
    assert_eq!(
        (&again["opt_out"], &again["created"]),
        (&first["opt_out"], &json!(false))
    );
    let mut other = ask();
    other["intent"] = json!("disable");
    let (status, problem) = ask_with_key(&api, "k1", &other).await;
    assert_eq!(
        (status.as_u16(), &problem["type"]),
        (409, &json!("urn:sever:problem:idempotency-key-reused"))
    );
}

#[tokio::test]
async fn a_faulty_request_names_its_field_and_an_unknown_person_is_404() {
    let api = Api::start().await.with_person().await;
    for (pointer, value, status, field) in [
        ("/intent", json!("destroy"), 400, "/intent"),
        ("/reason", json!("ask ada@example.test"), 400, "/reason"),
        (
            "/person/external_id",
            json!("8"),
            404,
            "/person/external_id",
        ),
    ] {
        let mut body = ask();
        *body.pointer_mut(pointer).unwrap() = value;
        let (got, problem) = ask_with_key(&api, &Uuid::new_v4().to_string(), &body).await;
        assert_eq!(got.as_u16(), status, "{problem}");
        assert!(
            problem["field"].as_str().unwrap().starts_with(&field[..7]),
            "{problem}"
        );
    }
    let mut unzoned = ask();
    unzoned["effective_at"] = json!("2026-11-30T18:00:00");
    let (status, problem) = ask_with_key(&api, "z", &unzoned).await;
    assert_eq!(
        (status.as_u16(), &problem["field"]),
        (400, &json!("/effective_at"))
    );
}

/// An opt-out that `ops` asked for, under a hold of the mass guard.
async fn held(api: &Api) -> String {
    let (_, asked) = ask_with_key(api, "k1", &ask()).await;
    let id = asked["opt_out"].as_str().unwrap();
    let hold = Uuid::now_v7();
    api.database
        .sql(&format!(
            "UPDATE job SET state = 'held', due_at = NULL, state_reason = 'mass_guard';
             INSERT INTO hold (id, scope, target_id, reason, policy, requested_by) VALUES ('{hold}', 'opt_out', '{id}', 'mass_guard', 'nothing', 'token:ops')"
        ))
        .await
        .unwrap();
    hold.to_string()
}

#[tokio::test]
async fn the_approver_of_a_hold_is_never_the_requester() {
    let api = Api::start().await.with_person().await;
    let hold = held(&api).await;
    let decision = json!({"reason": "checked with HR"});
    for verb in ["release", "reject"] {
        let (status, problem) = api
            .call(
                Method::POST,
                &format!("/v1/holds/{hold}/{verb}"),
                Some(&decision),
            )
            .await;
        assert_eq!(
            (status.as_u16(), &problem["type"]),
            (403, &json!("urn:sever:problem:same-person")),
            "{problem}"
        );
    }
    let other = api.token_with("on-call", &[Scope::HoldsDecide], None).await;
    let release = format!("/v1/holds/{hold}/release");
    let (status, problem) = api
        .call_as(
            &other,
            Method::POST,
            &release,
            Some(&json!({"reason": "ada@example.test agrees"})),
        )
        .await;
    assert_eq!(
        (status.as_u16(), &problem["field"]),
        (400, &json!("/reason"))
    );
    let (status, decided) = api
        .call_as(&other, Method::POST, &release, Some(&decision))
        .await;
    assert_eq!(
        (status, &decided["state"]),
        (StatusCode::OK, &json!("released")),
        "{decided}"
    );
    assert_eq!(decided["jobs"].as_array().unwrap().len(), 1);
    let (status, problem) = api
        .call_as(&other, Method::POST, &release, Some(&decision))
        .await;
    assert_eq!(
        (status.as_u16(), &problem["type"]),
        (409, &json!("urn:sever:problem:state-conflict"))
    );
    let (_, hold) = api.get(&format!("/v1/holds/{hold}")).await;
    assert_eq!(
        (&hold["decided_by"], &hold["decision"]),
        (&json!("token:on-call"), &json!("checked with HR"))
    );
}

#[tokio::test]
async fn a_rejected_hold_cancels_its_opt_out() {
    let api = Api::start().await.with_person().await;
    let hold = held(&api).await;
    let (_, open) = api.get("/v1/holds").await;
    assert_eq!(open["items"][0]["id"], hold.as_str());
    let other = api.token_with("on-call", &[Scope::HoldsDecide], None).await;
    let path = format!("/v1/holds/{hold}/reject");
    let (status, decided) = api
        .call_as(
            &other,
            Method::POST,
            &path,
            Some(&json!({"reason": "a mistake"})),
        )
        .await;
    assert_eq!(status, StatusCode::OK, "{decided}");
    let (_, view) = api
        .get(&format!(
            "/v1/opt-outs/{}",
            decided["opt_out"].as_str().unwrap()
        ))
        .await;
    assert_eq!(
        (&view["state"], &view["jobs"][0]["state"], &view["status"]),
        (&json!("cancelled"), &json!("cancelled"), &json!("unknown"))
    );
    let (_, open) = api.get("/v1/holds").await;
    assert_eq!(open["items"], json!([]));
    let (_, all) = api.get("/v1/holds?state=all").await;
    assert_eq!(all["items"][0]["state"], "rejected");
}

#[tokio::test]
async fn what_could_not_be_taken_in_is_shown_with_its_body() {
    let api = Api::start().await;
    let rejected = NewReject {
        source_name: "hr",
        channel: Channel::Amqp,
        other_digest: None,
        reason: "is no JSON",
        field: Some("/"),
        body: b"{not json",
    };
    let id = reject::insert(&api.store, &rejected).await.unwrap();
    let (_, list) = api.get("/v1/rejected").await;
    assert_eq!(list["items"][0]["id"], id.to_string());
    assert!(list["items"][0].get("body").is_none());
    let (_, one) = api.get(&format!("/v1/rejected/{id}")).await;
    assert_eq!(
        (&one["body"], &one["reason"]),
        (&json!("{not json"), &json!("is no JSON"))
    );
    let (_, waiting) = api.get("/v1/unmatched").await;
    assert_eq!(waiting["items"], json!([]));
}

#[tokio::test]
async fn what_is_not_there_is_404() {
    let api = Api::start().await;
    for path in ["/v1/opt-outs", "/v1/holds", "/v1/rejected"] {
        let (status, problem) = api.get(&format!("{path}/{}", Uuid::now_v7())).await;
        assert_eq!(
            (status, &problem["status"]),
            (StatusCode::NOT_FOUND, &json!(404)),
            "{path}"
        );
    }
    let (status, _) = api
        .get(&format!("/v1/opt-outs/{}/audit", Uuid::now_v7()))
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, _) = api.get("/v1/people/hr:8/status").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}
