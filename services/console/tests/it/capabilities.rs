//! What workers declare is what is shown, in every shape that a declaration can have.

use axum::http::StatusCode;
use serde_json::{Value, json};
use sever_domain::{Action, EntitlementKind, Grade, Provider, SubjectKind};
use sever_provider::{Capability, Restores, Revokes, Sees};
use sever_store::capability::declare_capabilities;

use crate::api::Api;

fn capability(sees: Sees, revokes: Revokes, restores: Restores) -> Value {
    let capability = Capability {
        family: EntitlementKind::Session,
        sees,
        revokes,
        grade: Grade::Implied,
        restores,
        note: "a note",
    };
    serde_json::to_value(capability).unwrap()
}

#[tokio::test]
async fn every_shape_of_a_declaration_is_shown_as_the_worker_wrote_it() {
    let api = Api::start().await;
    let path = "/v1/providers/okta/capabilities";
    let (status, _) = api.get(path).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "nobody declared anything");
    let (status, problem) = api.get("/v1/providers/okto/capabilities").await;
    assert_eq!(
        (status.as_u16(), &problem["field"]),
        (400, &json!("provider"))
    );
    let declared = [
        capability(
            Sees::Listed,
            Revokes::Call(Action::RevokeSessions),
            Restores::Never,
        ),
        capability(
            Sees::WhereOffered,
            Revokes::WithRule("okta.sessions_end"),
            Restores::Call(Action::AddToGroup),
        ),
        capability(
            Sees::Never,
            Revokes::Person,
            Restores::CallForDays(Action::ReinstateAccount, 30),
        ),
        capability(Sees::Never, Revokes::Never, Restores::Never),
    ];
    declare_capabilities(
        &api.store,
        Provider::Okta,
        SubjectKind::Integration,
        &declared,
    )
    .await
    .unwrap();
    let (status, list) = api.get(path).await;
    assert_eq!(status, StatusCode::OK, "{list}");
    for (shown, declared) in list["items"].as_array().unwrap().iter().zip(&declared) {
        let mut expected = declared.clone();
        expected["subject_kind"] = json!("integration");
        assert_eq!(*shown, expected);
    }
    assert_eq!(list["items"].as_array().unwrap().len(), declared.len());
}
