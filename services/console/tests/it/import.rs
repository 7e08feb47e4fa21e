//! Importing people: bad rows are set aside, good ones are in, and memory is bounded.

use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};

use crate::api::{Api, IMPORT_MAX};

const HEADER: &str =
    "source,external_id,given_name,family_name,emails,employment_state,provider_ids\n";

#[tokio::test]
async fn bad_rows_are_named_by_line_and_the_others_are_imported() {
    let api = Api::start().await;
    let body = format!(
        "{HEADER}hr,1,Ada,Byron,ada@example.test,active,okta-main:00u1;okta-main:00u2\nhr,2,,,nonsense,active,\nnowhere,3,,,,active,\nhr,4,,,,left,\n"
    );
    let (status, report) = api.import(body.clone()).await;
    assert_eq!(status, StatusCode::OK, "{report}");
    assert_eq!(
        (
            &report["rows"],
            &report["created"],
            &report["rejected_rows"]
        ),
        (&json!(4), &json!(2), &json!(2))
    );
    let named: Vec<_> = report["rejected"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["line"].as_u64().unwrap(),
                row["field"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(named, [(3, "emails"), (4, "source")]);
    let (_, again) = api.import(body).await;
    assert_eq!(
        (&again["created"], &again["unchanged"]),
        (&json!(0), &json!(2)),
        "the same file changes nothing"
    );
    let (status, person) = api.get("/v1/people/hr:1").await;
    assert_eq!(
        (status, &person["emails"]),
        (StatusCode::OK, &json!(["ada@example.test"]))
    );
    assert_eq!(person["accounts"].as_array().unwrap().len(), 2);
    let census = api
        .database
        .sql("SELECT active_people FROM directory_census")
        .await
        .unwrap();
    assert_eq!(census, "1");
}

#[tokio::test]
async fn a_body_may_come_in_pieces() {
    let api = Api::start().await;
    let text = format!("{HEADER}hr,1,Ada,Byron,,active,\nhr,2,Grace,Hopper,,active,\n");
    let pieces: Vec<Result<Bytes, std::io::Error>> = text
        .as_bytes()
        .chunks(7)
        .map(|piece| Ok(Bytes::copy_from_slice(piece)))
        .collect();
    let (status, report) = api
        .import(Body::from_stream(futures::stream::iter(pieces)))
        .await;
    assert_eq!(
        (status, &report["created"]),
        (StatusCode::OK, &json!(2)),
        "{report}"
    );
}

#[tokio::test]
async fn what_cannot_be_taken_as_a_whole_is_refused() {
    let api = Api::start().await;
    let (status, problem) = api.import("source,external_id\nhr,1\n").await;
    assert_eq!(
        (status.as_u16(), &problem["field"]),
        (400, &json!("header")),
        "{problem}"
    );
    let large = format!(
        "{HEADER}{}",
        "hr,1,Ada,Byron,,active,\n".repeat(IMPORT_MAX / 20)
    );
    let (status, _) = api.import(large).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let request = Request::post("/v1/people/import")
        .header(header::AUTHORIZATION, format!("Bearer {}", api.token))
        .header(header::CONTENT_TYPE, "application/json");
    let (status, _) = api.send(request.body(Body::from("[]")).unwrap()).await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let broken: Vec<Result<Bytes, std::io::Error>> = vec![
        Ok(Bytes::from(HEADER)),
        Err(std::io::Error::other("the sender went away")),
    ];
    let (status, problem) = api
        .import(Body::from_stream(futures::stream::iter(broken)))
        .await;
    assert_eq!((status.as_u16(), &problem["field"]), (400, &json!("body")));
}

#[tokio::test]
async fn people_are_listed_by_page_and_state() {
    let api = Api::start().await;
    let rows: String = (1..=5)
        .map(|n| format!("hr,{n},,,,{},\n", if n == 5 { "left" } else { "active" }))
        .collect();
    api.import(format!("{HEADER}{rows}")).await;
    let (_, first) = api.get("/v1/people?limit=3").await;
    let next = first["next"].as_str().unwrap();
    let (_, second) = api.get(&format!("/v1/people?limit=3&after={next}")).await;
    assert_eq!(
        (second["items"].as_array().unwrap().len(), &second["next"]),
        (2, &Value::Null)
    );
    let (_, left) = api.get("/v1/people?employment_state=left").await;
    assert_eq!(left["items"][0]["keys"], json!(["hr:5"]));
    assert!(
        first["items"][0].get("emails").is_none(),
        "a list holds no e-mail"
    );
}
