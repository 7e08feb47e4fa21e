//! Sessions, refresh tokens, grants, SSWS tokens, global revocation.

use serde_json::{Value, json};

use crate::sim::{Org, Sim};

fn person(org: &Org<'_>) -> String {
    org.person(json!({
        "sessions": 2,
        "clients": [
            { "client_id": "0oa1", "name": "Mobile", "tokens": [{ "scopes": ["openid"] }, { "server": "aus1" }], "grants": [{ "scope": "profile" }] },
            { "client_id": "0oa2", "name": "Desktop", "tokens": [{}] },
        ],
        "api_tokens": [{ "name": "script", "secret": "own" }],
    }))
}

#[test]
fn sessions_end_with_oauth_tokens_only_when_asked() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    let id = person(&org);
    let sessions = format!("/api/v1/users/{id}/sessions");
    assert_eq!(org.delete(&sessions).status, 204);
    let truth = org.truth(&id);
    assert_eq!(
        (
            truth["sessions"].as_u64(),
            truth["remembered_devices"].as_u64()
        ),
        (Some(0), Some(0))
    );
    assert_eq!(
        org.get(&format!("/api/v1/users/{id}/clients"))
            .items()
            .len(),
        2,
        "tokens are left"
    );
    assert_eq!(
        org.delete(&format!("{sessions}?oauthTokens=true&forgetDevices=true"))
            .status,
        204
    );
    let clients = org.get(&format!("/api/v1/users/{id}/clients")).items();
    assert_eq!(clients[0]["client_id"], "0oa1", "its grant is left");
    assert_eq!(clients.len(), 1);
    assert_eq!(org.delete(&sessions).status, 204, "a repeat");
    let journal = sim.journal(&format!("user={id}&family=sessions"));
    let changed: Vec<bool> = journal
        .iter()
        .map(|entry| entry["changed"].as_bool().unwrap())
        .collect();
    assert_eq!(changed, [true, true, false]);
}

#[test]
fn tokens_and_grants_of_a_client_go_and_a_repeat_is_harmless() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    let id = person(&org);
    let client = format!("/api/v1/users/{id}/clients/0oa1");
    let tokens = org.get(&format!("{client}/tokens?limit=200")).items();
    assert_eq!(tokens.len(), 2);
    let base = format!("http://{}/okta/main", sim.address);
    let issuers: Vec<&str> = tokens
        .iter()
        .map(|token| token["issuer"].as_str().unwrap())
        .collect();
    assert!(
        issuers.contains(&base.as_str())
            && issuers.contains(&format!("{base}/oauth2/aus1").as_str())
    );
    assert!(
        tokens
            .iter()
            .all(|token| token["status"] == "ACTIVE" && token["userId"] == json!(id))
    );
    assert_eq!(org.delete(&format!("{client}/tokens")).status, 204);
    assert_eq!(
        org.get(&format!("{client}/tokens")).items(),
        [] as [Value; 0]
    );
    assert_eq!(org.delete(&format!("{client}/tokens")).status, 204);
    assert_eq!(org.delete(&format!("{client}/grants")).status, 204);
    assert_eq!(
        org.get(&format!("/api/v1/users/{id}/grants")).items(),
        [] as [Value; 0]
    );
    assert_eq!(
        org.get(&format!("/api/v1/users/{id}/clients"))
            .items()
            .len(),
        1
    );
    assert_eq!(
        org.delete(&format!("/api/v1/users/{id}/clients/0oanever/tokens"))
            .status,
        404
    );
    org.put(json!({ "unconfirmed": { "revoked_tokens": "listed" } }));
    let listed = org.get(&format!("{client}/tokens")).items();
    assert!(listed.len() == 2 && listed.iter().all(|token| token["status"] == "REVOKED"));
}

#[test]
fn api_tokens_are_listed_for_the_whole_org_and_stop_working_once_revoked() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    let id = person(&org);
    let tokens = org.get("/api/v1/api-tokens").items();
    let token = tokens
        .iter()
        .find(|token| token["userId"] == json!(id))
        .unwrap();
    assert_eq!(token["name"], "script");
    let own = [("authorization", "SSWS own")];
    let works = || {
        org.try_send("GET", "/api/v1/groups", &own, None)
            .unwrap()
            .status
    };
    assert_eq!(works(), 200);
    let path = format!("/api/v1/api-tokens/{}", token["id"].as_str().unwrap());
    assert_eq!(
        [org.delete(&path).status, org.delete(&path).status],
        [204, 404]
    );
    assert_eq!(works(), 401);
}

#[test]
fn a_token_dies_with_its_owner_and_a_suspended_owner_can_be_switched() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    let id = person(&org);
    let own = [("authorization", "SSWS own")];
    let works = || {
        org.try_send("GET", "/api/v1/groups", &own, None)
            .unwrap()
            .status
    };
    org.post(&format!("/api/v1/users/{id}/lifecycle/suspend"));
    assert_eq!(works(), 401);
    org.put(json!({ "unconfirmed": { "suspended_owner_tokens": "valid" } }));
    assert_eq!(works(), 200);
    org.post(&format!("/api/v1/users/{id}/lifecycle/deactivate"));
    assert_eq!(works(), 401);
    assert_eq!(org.get("/api/v1/api-tokens").items(), [] as [Value; 0]);
}

#[test]
fn the_workers_own_token_is_listed_under_its_owner() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    let owner = org.person(json!({}));
    let token = json!({ "token": "secret-of-the-worker", "name": "worker", "user_id": owner });
    org.put(json!({ "ssws_tokens": [token] }));
    let listed = org.get("/api/v1/api-tokens").items();
    assert_eq!(
        (listed[0]["userId"].as_str(), listed[0]["name"].as_str()),
        (Some(owner.as_str()), Some("worker"))
    );
    org.post(&format!("/api/v1/users/{owner}/lifecycle/deactivate"));
    assert_eq!(
        org.get("/api/v1/groups").code(),
        "E0000011",
        "it cut the branch it sat on"
    );
}

#[test]
fn global_revocation_takes_sessions_and_all_tokens_where_the_org_has_it() {
    let sim = Sim::start(&[]);
    let org = sim.org(
        "main",
        json!({ "unconfirmed": { "global_token_revocation": 403 } }),
    );
    let id = person(&org);
    let body = json!({ "sub_id": { "format": "opaque", "id": id } }).to_string();
    let path = "/oauth2/v1/global-token-revocation";
    assert_eq!(org.call("POST", path, &body).status, 403);
    org.put(json!({}));
    assert_eq!(org.call("POST", path, &body).status, 204);
    let truth = org.truth(&id);
    assert_eq!(truth["live"], json!(["account:1", "grants:1"]));
}
