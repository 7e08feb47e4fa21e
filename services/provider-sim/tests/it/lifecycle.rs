//! The state machine of a user, with the documented codes.

use serde_json::json;

use crate::sim::{Org, Sim};

fn path(id: &str, action: &str) -> String {
    format!("/api/v1/users/{id}/lifecycle/{action}")
}

fn status_of(org: &Org<'_>, id: &str) -> String {
    org.get(&format!("/api/v1/users/{id}")).json()["status"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// What each call answers in each status, from the table in the management API's description.
#[test]
fn every_call_answers_as_documented_in_every_status() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    let cases = [
        ("ACTIVE", "suspend", 200, "", "SUSPENDED"),
        ("SUSPENDED", "suspend", 400, "E0000001", "SUSPENDED"),
        ("DEPROVISIONED", "suspend", 400, "E0000001", "DEPROVISIONED"),
        ("STAGED", "suspend", 400, "E0000001", "STAGED"),
        ("LOCKED_OUT", "suspend", 400, "E0000001", "LOCKED_OUT"),
        ("SUSPENDED", "unsuspend", 200, "", "ACTIVE"),
        ("ACTIVE", "unsuspend", 400, "E0000001", "ACTIVE"),
        ("ACTIVE", "deactivate", 200, "", "DEPROVISIONED"),
        ("SUSPENDED", "deactivate", 200, "", "DEPROVISIONED"),
        ("STAGED", "deactivate", 200, "", "DEPROVISIONED"),
        ("RECOVERY", "deactivate", 200, "", "DEPROVISIONED"),
        (
            "DEPROVISIONED",
            "deactivate",
            404,
            "E0000007",
            "DEPROVISIONED",
        ),
        ("DEPROVISIONED", "activate", 200, "", "ACTIVE"),
        ("STAGED", "activate", 200, "", "ACTIVE"),
        ("ACTIVE", "activate", 403, "E0000016", "ACTIVE"),
        ("PROVISIONED", "reactivate", 200, "", "PROVISIONED"),
        (
            "DEPROVISIONED",
            "reactivate",
            403,
            "E0000038",
            "DEPROVISIONED",
        ),
        ("LOCKED_OUT", "unlock", 200, "", "ACTIVE"),
        ("ACTIVE", "unlock", 403, "E0000032", "ACTIVE"),
        ("ACTIVE", "expire_password", 200, "", "PASSWORD_EXPIRED"),
    ];
    for (number, (before, action, status, code, after)) in cases.into_iter().enumerate() {
        let id = org.person(json!({ "login": format!("p{number}@example.com"), "status": before }));
        let response = org.post(&path(&id, action));
        assert_eq!(response.status, status, "{action} from {before}");
        if status >= 400 {
            assert_eq!(response.code(), code, "{action} from {before}");
        }
        assert_eq!(status_of(&org, &id), after, "{action} from {before}");
    }
}

#[test]
fn a_user_without_password_waits_in_provisioned_after_activation() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    let id = org.person(json!({ "status": "STAGED", "no_password": true }));
    let body = org.post(&path(&id, "activate?sendEmail=false")).json();
    assert!(body["activationUrl"].is_string() && body["activationToken"].is_string());
    assert_eq!(status_of(&org, &id), "PROVISIONED");
}

#[test]
fn the_first_delete_deactivates_and_the_second_one_deletes() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    let id = org.person(json!({ "devices": [{ "name": "laptop" }] }));
    let user = format!("/api/v1/users/{id}");
    assert_eq!(org.delete(&user).status, 204);
    assert_eq!(status_of(&org, &id), "DEPROVISIONED");
    assert_eq!(org.delete(&user).status, 204);
    let gone = org.delete(&user);
    assert_eq!((gone.status, gone.code().as_str()), (404, "E0000007"));
    assert_eq!(org.get(&user).status, 404);
    assert_eq!(
        org.truth(&id),
        json!({ "id": id, "exists": false, "live": [] })
    );
}

/// The effect table of the help page: what suspending and deactivating take, and what they leave.
#[test]
fn side_effects_are_those_of_the_help_page() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    org.seed(&json!({
        "groups": [{ "name": "Sales" }],
        "apps": [{ "label": "CRM", "groups": ["Sales"] }, { "label": "Wiki" }, { "label": "Private", "keeps_on_deactivate": true }],
    }));
    let id = org.person(json!({
        "sessions": 2, "groups": ["Sales"], "apps": ["Wiki", "Private"], "roles": [{ "type": "APP_ADMIN" }],
        "factors": [{ "type": "push" }], "api_tokens": [{ "name": "script" }], "devices": [{ "name": "laptop" }],
        "clients": [{ "client_id": "0oa1", "tokens": [{}] }],
    }));
    let counts = |truth: &serde_json::Value| {
        [
            "groups",
            "apps",
            "roles",
            "factors",
            "api_tokens",
            "devices",
        ]
        .map(|part| truth[part].as_array().unwrap().len())
    };
    assert_eq!(counts(&org.truth(&id)), [2, 3, 1, 1, 1, 1]);
    org.post(&path(&id, "suspend"));
    let suspended = org.truth(&id);
    assert_eq!(
        (counts(&suspended), suspended["sessions"].as_u64()),
        ([2, 3, 1, 1, 1, 1], Some(0))
    );
    org.post(&path(&id, "deactivate?sendEmail=false"));
    let deactivated = org.truth(&id);
    assert_eq!(counts(&deactivated), [2, 1, 0, 1, 0, 1]);
    assert_eq!(
        deactivated["live"],
        json!(["tokens:1", "groups:1", "apps:1"])
    );
    org.post(&path(&id, "activate?sendEmail=false"));
    assert_eq!(
        counts(&org.truth(&id)),
        [2, 2, 0, 1, 0, 1],
        "the app of the group is back, the other one is not"
    );
}

#[test]
fn an_asynchronous_deactivation_is_seen_after_as_many_reads_as_were_set() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({ "deactivate_polls": 2 }));
    let id = org.person(json!({}));
    assert_eq!(org.post(&path(&id, "deactivate")).status, 200);
    for _ in 0..2 {
        let user = org.get(&format!("/api/v1/users/{id}")).json();
        assert_eq!(
            (
                user["status"].as_str(),
                user["transitioningToStatus"].as_str()
            ),
            (Some("ACTIVE"), Some("DEPROVISIONED"))
        );
    }
    let user = org.get(&format!("/api/v1/users/{id}")).json();
    assert_eq!(
        (user["status"].as_str(), user.get("transitioningToStatus")),
        (Some("DEPROVISIONED"), None)
    );
}

#[test]
fn undocumented_outcomes_can_be_switched() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    let id = org.person(json!({ "status": "DEPROVISIONED" }));
    let sessions = format!("/api/v1/users/{id}/sessions");
    let factors = path(&id, "reset_factors");
    let suspend = path(&id, "suspend");
    let outcomes = |open: serde_json::Value| {
        org.put(json!({ "unconfirmed": open }));
        [
            org.delete(&sessions).status,
            org.post(&factors).status,
            org.post(&suspend).status,
        ]
    };
    assert_eq!(outcomes(json!({})), [204, 404, 400]);
    assert_eq!(
        outcomes(json!({
            "sessions_delete_on_deprovisioned": 404, "reset_factors_on_deprovisioned": 403, "suspend_wrong_state": 403,
        })),
        [404, 403, 403]
    );
    org.put(json!({ "unconfirmed": { "empty_200_body": "" } }));
    let active = org.person(json!({ "login": "b@example.com" }));
    let suspended = org.post(&path(&active, "suspend"));
    assert_eq!((suspended.status, suspended.body.len()), (200, 0));
}
