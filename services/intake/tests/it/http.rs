//! Requests over HTTP: what is accepted, and each way of being refused.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};
use sever_api::HttpLimits;
use sever_dispatch::Waker;
use sever_intake::{Intake, router};

use crate::fixture::{Answer, Fixture, PERSON, leaver, opt_out};

const EVENTS: &str = "/v1/leaver-events";
const OPT_OUTS: &str = "/v1/opt-outs";

fn check(answer: &Answer, status: u16, kind: &str, field: Option<&str>) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(
        answer.headers[header::CONTENT_TYPE],
        "application/problem+json"
    );
    assert_eq!(answer.body["type"], format!("urn:sever:problem:{kind}"));
    assert_eq!(answer.body["field"].as_str(), field, "{}", answer.body);
}

#[tokio::test]
async fn a_request_is_accepted_and_can_be_followed_where_it_says() {
    let fixture = Fixture::new().await;
    let answer = fixture
        .post(OPT_OUTS, &fixture.token, Some("k-1"), opt_out().to_string())
        .await;
    assert_eq!(
        (
            answer.status,
            &answer.body["state"],
            &answer.body["created"]
        ),
        (202, &json!("attached"), &json!(true))
    );
    let location = answer.headers[header::LOCATION]
        .to_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        location,
        format!("/v1/opt-outs/{}", answer.body["opt_out"].as_str().unwrap())
    );
    let view = fixture.get(&location, &fixture.token).await;
    assert_eq!(
        (view.status, &view.body["status"]),
        (200, &json!("partially_disconnected"))
    );
    assert_eq!(view.body["jobs"][0]["state"], "waiting");
    let again = fixture
        .post(OPT_OUTS, &fixture.token, Some("k-1"), opt_out().to_string())
        .await;
    assert_eq!(
        (again.status, &again.body["created"], &again.body["opt_out"]),
        (202, &json!(false), &answer.body["opt_out"])
    );
    assert_eq!(
        fixture
            .count("request WHERE asked_by = 'token:ops' AND channel = 'http'")
            .await,
        1
    );
    assert_eq!(fixture.count("outbox").await, 1);
}

#[tokio::test]
async fn an_integration_is_asked_for_by_name_and_only_where_it_has_an_id() {
    let fixture = Fixture::new().await;
    let body =
        json!({"integration": "crm", "intent": "remove", "reason": "contract ended"}).to_string();
    let unknown = fixture
        .post(OPT_OUTS, &fixture.token, Some("k-1"), body.clone())
        .await;
    check(&unknown, 404, "not-found", Some("/integration"));
    fixture
        .database
        .sql(
            "INSERT INTO subject (id, kind) VALUES ('00000000-0000-7000-8000-00000000000a', 'integration');
             INSERT INTO integration (id, name) VALUES ('00000000-0000-7000-8000-00000000000a', 'crm')",
        )
        .await
        .unwrap();
    let unbound = fixture
        .post(OPT_OUTS, &fixture.token, Some("k-2"), body.clone())
        .await;
    check(&unbound, 422, "not-bound", Some("/integration"));
    fixture
        .database
        .sql(
            "INSERT INTO binding (id, subject_id, connection_id, kind, provider_id, state, basis)
             SELECT gen_random_uuid(), '00000000-0000-7000-8000-00000000000a', id, 'application', '0oa1', 'candidate', 'operator' FROM connection",
        )
        .await
        .unwrap();
    let asked = fixture
        .post(OPT_OUTS, &fixture.token, Some("k-3"), body)
        .await;
    assert_eq!(asked.status, 202, "{}", asked.body);
    let path = asked.headers[header::LOCATION].to_str().unwrap().to_owned();
    let view = fixture.get(&path, &fixture.token).await;
    assert_eq!(
        (&view.body["subject_kind"], &view.body["subject_name"]),
        (&json!("integration"), &json!("crm"))
    );
}

#[tokio::test]
async fn an_event_over_http_is_the_source_s_own() {
    let fixture = Fixture::new().await;
    let answer = fixture
        .post(
            EVENTS,
            &fixture.source_token,
            None,
            leaver("e-1").to_string(),
        )
        .await;
    assert_eq!(
        (answer.status, &answer.body["state"]),
        (202, &json!("attached")),
        "{}",
        answer.body
    );
    assert_eq!(
        fixture
            .count("request WHERE asked_by = 'source:hr' AND event_kind = 'leaver'")
            .await,
        1
    );
    let unsourced = fixture
        .post(EVENTS, &fixture.token, None, leaver("e-2").to_string())
        .await;
    check(&unsourced, 403, "missing-source", None);
    let mut stranger = leaver("e-3");
    stranger["data"]["person"]["external_id"] = json!("nobody");
    let kept = fixture
        .post(EVENTS, &fixture.source_token, None, stranger.to_string())
        .await;
    assert_eq!(
        (
            kept.status,
            &kept.body["state"],
            kept.headers.get(header::LOCATION)
        ),
        (202, &json!("unmatched"), None)
    );
}

#[tokio::test]
async fn bad_requests_name_the_field_and_leave_nothing() {
    let fixture = Fixture::new().await;
    let post = async |pointer: &str, value: Value| {
        let mut body = opt_out();
        body["effective_at"] = json!("2026-11-22T12:00:00Z");
        *body.pointer_mut(pointer).unwrap() = value;
        fixture
            .post(OPT_OUTS, &fixture.token, Some("k"), body.to_string())
            .await
    };
    check(
        &post("/intent", json!("delete")).await,
        400,
        "invalid-field",
        Some("/intent"),
    );
    check(
        &post("/effective_at", json!("2026-11-22T12:00:00")).await,
        400,
        "invalid-field",
        Some("/effective_at"),
    );
    check(
        &post("/effective_at", json!("2100-01-01T00:00:00Z")).await,
        400,
        "invalid-field",
        Some("/effective_at"),
    );
    check(
        &post(
            "/person",
            json!({"id": "01900000-0000-7000-8000-000000000000"}),
        )
        .await,
        404,
        "not-found",
        Some("/person/id"),
    );
    check(
        &post("/person/external_id", json!("nobody")).await,
        404,
        "not-found",
        Some("/person/external_id"),
    );
    let broken = fixture.post(OPT_OUTS, &fixture.token, Some("k"), "{").await;
    check(&broken, 400, "malformed-body", None);
    for key in [None, Some("a b")] {
        let answer = fixture
            .post(OPT_OUTS, &fixture.token, key, opt_out().to_string())
            .await;
        check(&answer, 400, "idempotency-key", Some("Idempotency-Key"));
    }
    let mut event = leaver("e-1");
    event["data"]["employment_version"] = json!("three");
    let answer = fixture
        .post(EVENTS, &fixture.source_token, None, event.to_string())
        .await;
    check(
        &answer,
        400,
        "invalid-field",
        Some("/data/employment_version"),
    );
    check(
        &fixture.get("/v1/opt-outs/seven", &fixture.token).await,
        400,
        "invalid-field",
        Some("id"),
    );
    check(
        &fixture
            .get(
                "/v1/opt-outs/01900000-0000-7000-8000-000000000000",
                &fixture.token,
            )
            .await,
        404,
        "not-found",
        None,
    );
    assert_eq!(
        fixture.count("request").await + fixture.count("audit_event").await,
        0
    );
}

#[tokio::test]
async fn another_body_under_the_key_is_409() {
    let fixture = Fixture::new().await;
    fixture
        .post(OPT_OUTS, &fixture.token, Some("k"), opt_out().to_string())
        .await;
    let mut other = opt_out();
    other["intent"] = json!("disable");
    let answer = fixture
        .post(OPT_OUTS, &fixture.token, Some("k"), other.to_string())
        .await;
    check(&answer, 409, "idempotency-key-reused", None);
    fixture
        .post(
            EVENTS,
            &fixture.source_token,
            None,
            leaver("e-1").to_string(),
        )
        .await;
    let mut other = leaver("e-1");
    other["data"]["employment_version"] = json!(2);
    let answer = fixture
        .post(EVENTS, &fixture.source_token, None, other.to_string())
        .await;
    check(&answer, 409, "idempotency-key-reused", None);
}

/// As over RabbitMQ: an operator can see what a source sent, and how often.
#[tokio::test]
async fn an_event_that_cannot_be_taken_in_is_kept_and_counted() {
    let fixture = Fixture::new().await;
    let mut faulty = leaver("e-1");
    faulty["data"]["employment_version"] = json!("three");
    for _ in 0..2 {
        fixture
            .post(EVENTS, &fixture.source_token, None, faulty.to_string())
            .await;
    }
    let kept =
        "SELECT source_name, channel, field, times, convert_from(body, 'UTF8') FROM intake_reject";
    let expected = format!("hr|http|/data/employment_version|2|{faulty}");
    assert_eq!(fixture.database.sql(kept).await.unwrap(), expected);
    for version in [1, 2] {
        let mut event = leaver("e-2");
        event["data"]["effective_at"] = json!("2026-11-22T12:00:00Z");
        event["data"]["employment_version"] = json!(version);
        fixture
            .post(EVENTS, &fixture.source_token, None, event.to_string())
            .await;
    }
    let reused = "intake_reject WHERE other_digest IS NOT NULL AND channel = 'http'";
    assert_eq!(fixture.count(reused).await, 1);
    assert_eq!(fixture.count("intake_reject").await, 2);
}

/// A service whose HTTP bound is above that of an event says that the event is too large, not that it is no JSON.
#[tokio::test]
async fn an_event_over_its_own_bound_is_413_and_kept() {
    let fixture = Fixture::new().await;
    let limits = HttpLimits {
        body_max_bytes: 1024 * 1024,
        ..HttpLimits::default()
    };
    let intake = Intake {
        store: fixture.store.clone(),
        waker: Waker::default(),
    };
    let fixture = Fixture {
        router: router(intake, limits),
        ..fixture
    };
    let large = " ".repeat(256 * 1024 + 1);
    let answer = fixture
        .post(EVENTS, &fixture.source_token, None, large)
        .await;
    check(&answer, 413, "body-too-large", None);
    let kept = "intake_reject WHERE body_bytes = 256 * 1024 + 1";
    assert_eq!(fixture.count(kept).await, 1);
}

#[tokio::test]
async fn size_and_media_type_are_bounded() {
    let fixture = Fixture::new().await;
    let large = format!("{{\"x\":\"{}\"}}", "x".repeat(256 * 1024));
    check(
        &fixture
            .post(EVENTS, &fixture.source_token, None, large)
            .await,
        413,
        "body-too-large",
        None,
    );
    let untyped = Request::post(EVENTS)
        .header(
            header::AUTHORIZATION,
            format!("Bearer {}", fixture.source_token),
        )
        .header(header::CONTENT_TYPE, "text/plain")
        .body(Body::from(leaver("e-1").to_string()))
        .unwrap();
    check(
        &fixture.send(untyped).await,
        415,
        "unsupported-media-type",
        Some("Content-Type"),
    );
}

#[tokio::test]
async fn a_service_without_connections_says_so() {
    let fixture = Fixture::new().await;
    fixture
        .database
        .sql("UPDATE connection SET state = 'closed'")
        .await
        .unwrap();
    let answer = fixture
        .post(OPT_OUTS, &fixture.token, Some("k"), opt_out().to_string())
        .await;
    check(&answer, 409, "state-conflict", None);
    let named = json!({"person": {"source": "hr", "external_id": PERSON}, "intent": "remove", "reason": "r", "scope": ["okta-main"]});
    let answer = fixture
        .post(OPT_OUTS, &fixture.token, Some("k"), named.to_string())
        .await;
    check(&answer, 400, "invalid-field", Some("/scope"));
}
