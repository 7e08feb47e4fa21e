//! The administration API of Keycloak.

use serde_json::{Value, json};

use crate::place::{Place, ids};
use crate::sim::Sim;

const USERS: &str = "/admin/realms/main/users";
const CLIENTS: &str = "/admin/realms/main/clients";

fn realm(sim: &Sim) -> Place<'_> {
    let place = Place::new(sim, "oidc", json!({}));
    place.seed(&json!({
        "clients": [
            { "id": "c-web", "client_id": "web", "secret": "w" },
            { "id": "c-bot", "client_id": "bot", "secret": "b", "service_account": ["reader"] },
        ],
        "users": [
            {
                "id": "u1", "login": "ada@example.com", "first_name": "Ada", "attributes": { "team": ["x"] },
                "groups": ["Sales"], "realm_roles": ["admin"], "client_roles": { "web": ["editor"] },
                "credentials": ["password", "otp"], "federated": { "google": "g1" },
                "consents": { "web": ["profile"] },
                "tokens": [{ "client": "web", "kind": "refresh" }, { "client": "web", "kind": "offline" }],
            },
            { "id": "u2", "login": "ada@example.com.test", "tokens": [{ "client": "web", "kind": "refresh" }] },
        ],
    }));
    place
}

fn user(rest: &str) -> String {
    format!("{USERS}/u1{rest}")
}

#[test]
fn searches_are_exact_where_asked_and_switches_break_them() {
    let sim = Sim::start(&[]);
    let place = realm(&sim);
    let found = |query: &str| ids(&place.get(&format!("{USERS}?{query}")).json());
    assert_eq!(found("username=ADA%40example.com&exact=true"), ["u1"]);
    assert_eq!(found("username=ada%40example.com"), ["u1", "u2"]);
    assert_eq!(
        found("first=1&max=1"),
        ["u2"],
        "service accounts are not listed"
    );
    place.put(json!({ "ignore_exact": true }));
    assert_eq!(found("username=ada%40example.com&exact=true").len(), 2);
    place.put(json!({ "ignore_filter": true }));
    assert_eq!(found("username=nobody&exact=true").len(), 2);
    place.put(json!({ "keycloak": false }));
    assert_eq!(place.get(USERS).status, 404);
}

#[test]
fn logging_out_ends_online_sessions_and_what_was_issued_before() {
    let sim = Sim::start(&[]);
    let place = realm(&sim);
    let count = |path: &str| place.get(path).json().as_array().unwrap().len();
    let (online, offline) = (user("/sessions"), user("/offline-sessions/c-web"));
    assert_eq!((count(&online), count(&offline)), (1, 1));
    assert_eq!(
        place.call("POST", &user("/logout"), &Value::Null).status,
        204
    );
    assert_eq!((count(&online), count(&offline)), (0, 1));
    let live = place.truth("u1")["live"].clone();
    assert!(!live.to_string().contains("tokens"), "{live}");
    assert_eq!(
        place.truth("u2")["live"],
        json!(["account:1", "sessions:1", "tokens:1"])
    );
    let session = place.get(&offline).json()[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/admin/realms/main/sessions/{session}");
    let delete = |query: &str| {
        place
            .call("DELETE", &format!("{path}{query}"), &Value::Null)
            .status
    };
    assert_eq!(delete(""), 404, "it is an offline one");
    assert_eq!(delete("?isOffline=true"), 204);
    assert_eq!(delete("?isOffline=true"), 404);
    assert_eq!(sim.journal("effect=write").last().unwrap()["user"], "u1");
}

#[test]
fn disabling_leaves_sessions_and_merges_or_replaces() {
    let sim = Sim::start(&[]);
    let place = realm(&sim);
    let off = json!({ "enabled": false });
    assert_eq!(place.call("PUT", &user(""), &off).status, 204);
    let truth = place.truth("u1");
    assert_eq!(
        (&truth["enabled"], &truth["first_name"]),
        (&json!(false), &json!("Ada"))
    );
    assert!(truth["live"].to_string().contains("sessions:1"));
    assert!(
        !truth["live"].to_string().contains("\"tokens"),
        "a disabled user renews nothing"
    );
    assert_eq!(place.call("PUT", &user(""), &off).status, 204);
    assert_eq!(
        sim.journal("effect=write").last().unwrap()["changed"],
        false
    );
    place.put(json!({ "unconfirmed": { "put_user": "replace" } }));
    place.call("PUT", &user(""), &off);
    assert_eq!(place.truth("u1")["attributes"], json!({}));
}

#[test]
fn consents_are_listed_with_offline_tokens_and_go_together() {
    let sim = Sim::start(&[]);
    let place = realm(&sim);
    let consents = place.get(&user("/consents")).json();
    assert_eq!(consents[0]["clientId"], "web");
    assert_eq!(consents[0]["additionalGrants"][0]["key"], "Offline Token");
    let revoke = || {
        place
            .call("DELETE", &user("/consents/web"), &Value::Null)
            .status
    };
    assert_eq!((revoke(), revoke()), (204, 404));
    let live = place.truth("u1")["live"].to_string();
    assert!(
        !live.contains("offline") && !live.contains("consents"),
        "{live}"
    );
}

#[test]
fn groups_roles_links_and_credentials_go_one_by_one() {
    let sim = Sim::start(&[]);
    let place = realm(&sim);
    let group = ids(&place.get(&user("/groups")).json()).remove(0);
    let roles = place.get(&user("/role-mappings")).json();
    let of_realm = roles["realmMappings"].clone();
    let of_client = &roles["clientMappings"]["web"];
    assert_eq!(
        (&of_client["id"], &of_client["mappings"][0]["name"]),
        (&json!("c-web"), &json!("editor"))
    );
    let delete = |path: &str, body: &Value| place.call("DELETE", &user(path), body).status;
    assert_eq!(delete(&format!("/groups/{group}"), &Value::Null), 204);
    assert_eq!(delete(&format!("/groups/{group}"), &Value::Null), 204);
    assert_eq!(delete("/groups/none", &Value::Null), 404);
    assert_eq!(delete("/role-mappings/realm", &of_realm), 204);
    assert_eq!(
        delete("/role-mappings/clients/c-web", &of_client["mappings"]),
        204
    );
    assert_eq!(delete("/role-mappings/realm", &json!([{ "id": "x" }])), 400);
    assert_eq!(delete("/federated-identity/google", &Value::Null), 204);
    assert_eq!(delete("/federated-identity/google", &Value::Null), 404);
    let of_group = format!("/admin/realms/main/groups/{group}/role-mappings");
    assert_eq!(place.get(&of_group).json(), json!({}));
    place.mutate(&json!({ "do": "add_role_to_group", "group": "Sales", "role": "admin" }));
    assert_eq!(
        place.get(&of_group).json()["realmMappings"][0]["name"],
        "admin"
    );
    for credential in ids(&place.get(&user("/credentials")).json()) {
        assert_eq!(
            delete(&format!("/credentials/{credential}"), &Value::Null),
            204
        );
    }
    let truth = place.truth("u1");
    assert_eq!(truth["credentials"], 0);
    let live = truth["live"].to_string();
    for gone in ["roles", "groups", "federated"] {
        assert!(!live.contains(gone), "{live}");
    }
}

#[test]
fn a_client_is_disabled_its_secret_changed_and_itself_deleted() {
    let sim = Sim::start(&[]);
    let place = realm(&sim);
    let truth = |client: &str| {
        place
            .order("GET", &format!("/state/clients/{client}"), &Value::Null)
            .json()
    };
    let found = place.get(&format!("{CLIENTS}?clientId=bot")).json();
    assert_eq!(
        (ids(&found), &found[0]["enabled"]),
        (vec!["c-bot".to_owned()], &json!(true))
    );
    let account = place
        .get(&format!("{CLIENTS}/c-bot/service-account-user"))
        .json();
    assert_eq!(account["serviceAccountClientId"], "c-bot");
    assert_eq!(
        place
            .get(&format!("{CLIENTS}/c-web/service-account-user"))
            .status,
        400
    );
    assert_eq!(
        truth("bot")["live"],
        json!(["account:1", "service_account:1", "roles:1"])
    );
    let before = truth("bot")["secret"].clone();
    let rotated = place.call(
        "POST",
        &format!("{CLIENTS}/c-bot/client-secret"),
        &Value::Null,
    );
    assert_eq!(
        (rotated.status, truth("bot")["secret"] == before),
        (200, false)
    );
    let off = json!({ "enabled": false });
    assert_eq!(
        place.call("PUT", &format!("{CLIENTS}/c-web"), &off).status,
        204
    );
    let live = truth("web")["live"].clone();
    assert_eq!(
        live,
        json!(["sessions:2", "offline_sessions:1"]),
        "what is disabled renews nothing"
    );
    assert_eq!(
        ids(&place.get(&format!("{CLIENTS}/c-web/user-sessions")).json()).len(),
        2
    );
    assert_eq!(
        place
            .call("DELETE", &format!("{CLIENTS}/c-web"), &Value::Null)
            .status,
        204
    );
    assert_eq!(truth("web")["exists"], false);
    assert_eq!(place.truth("u2")["live"], json!(["account:1"]));
    place.put(json!({ "forbidden_families": ["clients"] }));
    assert_eq!(place.get(CLIENTS).status, 403);
}

#[test]
fn a_deleted_user_is_gone_and_an_unknown_one_was_never_there() {
    let sim = Sim::start(&[]);
    let place = realm(&sim);
    assert_eq!(place.call("DELETE", &user(""), &Value::Null).status, 204);
    let again = place.call("DELETE", &user(""), &Value::Null);
    assert_eq!(
        (again.status, &again.json()["error"]),
        (404, &json!("User not found"))
    );
    assert_eq!(
        place.truth("u1"),
        json!({ "id": "u1", "exists": false, "live": [] })
    );
    place.mutate(&json!({ "do": "set_enabled", "user": "u2", "enabled": false }));
    place.mutate(&json!({ "do": "add_session", "user": "u2", "client": "web" }));
    assert_eq!(place.get(&format!("{USERS}/u2")).json()["enabled"], false);
}

#[test]
fn groups_know_the_one_above_and_what_is_mapped_to_themselves() {
    let sim = Sim::start(&[]);
    let place = realm(&sim);
    for change in [
        json!({ "do": "set_parent", "group": "Sales", "parent": "Staff" }),
        json!({ "do": "add_role_to_group", "group": "Staff", "role": "editor", "client": "web" }),
        json!({ "do": "add_role_to_group", "group": "Staff", "role": "operations" }),
        json!({ "do": "add_role_to_role", "role": "operations", "client": "bot", "contains": "run" }),
    ] {
        place.mutate(&change);
    }
    let sales = place.get(&user("/groups")).json()[0].clone();
    assert_eq!(sales["path"], "/Staff/Sales");
    let groups = "/admin/realms/main/groups";
    let staff = place.get(groups).json()[0].clone();
    assert_eq!(
        (&staff["name"], &staff["id"]),
        (&json!("Staff"), &sales["parentId"])
    );
    let of = |id: &Value, rest: &str| {
        let id = id.as_str().unwrap();
        place.get(&format!("{groups}/{id}{rest}")).json()
    };
    assert_eq!(of(&sales["id"], "/role-mappings"), json!({}));
    let mapped = of(&staff["id"], "/role-mappings");
    assert_eq!(
        mapped["clientMappings"]["web"]["mappings"][0]["name"],
        "editor"
    );
    assert_eq!(mapped["realmMappings"][0]["composite"], true);
    let contained = of(&staff["id"], "/role-mappings/clients/c-bot/composite");
    assert_eq!(contained[0]["name"], "run");
    place.put(json!({ "unconfirmed": { "group_parent_id": false } }));
    let sales = of(&sales["id"], "");
    assert!(sales.get("parentId").is_none());
    let above = place.get("/admin/realms/main/group-by-path/Staff").json();
    assert_eq!(above["id"], staff["id"]);
}
