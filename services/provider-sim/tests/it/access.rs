//! Groups, apps, roles, factors, devices, identity providers, links: removal, repetition, refusal.

use serde_json::{Value, json};

use crate::sim::{Org, Sim};

fn names(items: &[Value], pointer: &str) -> Vec<String> {
    let mut names: Vec<String> = items
        .iter()
        .map(|item| item.pointer(pointer).unwrap().as_str().unwrap().to_owned())
        .collect();
    names.sort_unstable();
    names
}

fn group_id(org: &Org<'_>, id: &str, name: &str) -> String {
    let groups = org.get(&format!("/api/v1/users/{id}/groups")).items();
    let group = groups
        .iter()
        .find(|group| group["profile"]["name"] == name)
        .unwrap();
    group["id"].as_str().unwrap().to_owned()
}

#[test]
fn memberships_end_only_where_okta_owns_them() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    org.seed(
        &json!({ "groups": [{ "name": "Sales" }, { "name": "AD Users", "type": "APP_GROUP" }] }),
    );
    let id = org.person(json!({ "groups": ["Sales", "AD Users"] }));
    let groups = org.get(&format!("/api/v1/users/{id}/groups")).items();
    assert_eq!(
        names(&groups, "/profile/name"),
        ["AD Users", "Everyone", "Sales"]
    );
    for (name, status, code) in [("Everyone", 501, "E0000060"), ("AD Users", 403, "E0000006")] {
        let response = org.delete(&format!(
            "/api/v1/groups/{}/users/{id}",
            group_id(&org, &id, name)
        ));
        assert_eq!((response.status, response.code().as_str()), (status, code));
    }
    let sales = format!("/api/v1/groups/{}/users/{id}", group_id(&org, &id, "Sales"));
    assert_eq!(org.delete(&sales).status, 204);
    assert_eq!(org.delete(&sales).status, 204, "a repeat");
    org.put(json!({ "unconfirmed": { "repeat_group_delete": 404 } }));
    assert_eq!(org.delete(&sales).status, 404, "a repeat, switched");
    assert_eq!(org.call("PUT", &sales, "").status, 204);
    org.post(&format!("/api/v1/users/{id}/lifecycle/deactivate"));
    assert_eq!(
        org.delete(&sales).status,
        204,
        "removal works on deactivated users"
    );
    assert_eq!(
        org.call("PUT", &sales, "").code(),
        "E0000038",
        "adding does not"
    );
}

#[test]
fn who_is_removed_from_the_group_of_a_rule_is_excluded_from_the_rule() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    org.seed(&json!({
        "groups": [{ "name": "Berlin" }],
        "rules": [{ "name": "by city", "expression": "user.city==\"Berlin\"", "groups": ["Berlin"] }],
    }));
    let id = org.person(json!({ "groups": [{ "group": "Berlin", "rule": "by city" }] }));
    org.delete(&format!(
        "/api/v1/groups/{}/users/{id}",
        group_id(&org, &id, "Berlin")
    ));
    let rule = org.get("/api/v1/groups/rules").items().remove(0);
    assert_eq!(
        rule.pointer("/conditions/people/users/exclude"),
        Some(&json!([id]))
    );
    let path = format!("/api/v1/groups/rules/{}", rule["id"].as_str().unwrap());
    assert_eq!(
        org.call("PUT", &path, &rule.to_string()).status,
        400,
        "an active rule cannot be edited"
    );
    assert_eq!(
        org.post(&format!("{path}/lifecycle/deactivate")).status,
        204
    );
    let edited = json!({ "conditions": { "people": { "users": { "exclude": [] } } } }).to_string();
    assert_eq!(org.call("PUT", &path, &edited).status, 200);
    assert_eq!(
        org.get(&path)
            .json()
            .pointer("/conditions/people/users/exclude"),
        Some(&json!([]))
    );
}

#[test]
fn an_app_that_a_group_grants_cannot_be_unassigned_before_the_group_is_left() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    org.seed(&json!({ "groups": [{ "name": "Sales" }], "apps": [{ "label": "CRM", "groups": ["Sales"] }, { "label": "Wiki" }] }));
    let id = org.person(json!({ "groups": ["Sales"], "apps": ["CRM", "Wiki"] }));
    let listed = org
        .get(&format!(
            "/api/v1/apps?filter=user.id+eq+%22{id}%22&expand=user/{id}&limit=200"
        ))
        .items();
    assert_eq!(names(&listed, "/label"), ["CRM", "Wiki"]);
    assert_eq!(
        names(&listed, "/_embedded/user/id"),
        [id.clone(), id.clone()]
    );
    let app = |label: &str| {
        let app = listed.iter().find(|app| app["label"] == label).unwrap();
        format!("/api/v1/apps/{}/users/{id}", app["id"].as_str().unwrap())
    };
    assert_eq!(org.delete(&app("Wiki")).status, 204);
    assert_eq!(org.delete(&app("Wiki")).code(), "E0000007");
    let refused = org.delete(&app("CRM"));
    assert_eq!((refused.status, refused.code().as_str()), (403, "E0000046"));
    org.delete(&format!(
        "/api/v1/groups/{}/users/{id}",
        group_id(&org, &id, "Sales")
    ));
    assert_eq!(org.get(&app("CRM")).json()["scope"], "USER");
    assert_eq!(org.delete(&app("CRM")).status, 204);
    assert_eq!(org.get(&app("CRM")).status, 404);
    assert_eq!(org.truth(&id)["apps"], json!([]));
}

#[test]
fn app_assignments_can_be_made_again_but_not_for_inactive_users() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    org.seed(&json!({ "apps": [{ "id": "0oawiki", "label": "Wiki" }] }));
    let id = org.person(json!({}));
    let body =
        json!({ "id": id, "scope": "USER", "credentials": { "userName": "ada" } }).to_string();
    let path = "/api/v1/apps/0oawiki/users";
    assert_eq!(
        org.call("POST", path, &body).json()["credentials"]["userName"],
        "ada"
    );
    assert_eq!(org.call("POST", path, &body).code(), "E0000062");
    assert_eq!(org.get(path).items().len(), 1);
    org.post(&format!("/api/v1/users/{id}/lifecycle/deactivate"));
    assert_eq!(org.call("POST", path, &body).code(), "E0000117");
}

#[test]
fn roles_of_the_user_can_be_taken_and_those_of_groups_cannot() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    org.seed(&json!({ "groups": [{ "name": "Desk", "roles": [{ "type": "HELP_DESK_ADMIN" }] }] }));
    let custom = json!({ "type": "CUSTOM", "role": "cr0", "resource_set": "iam0" });
    let id = org.person(json!({ "groups": ["Desk"], "roles": [{ "type": "APP_ADMIN" }, custom] }));
    let path = format!("/api/v1/users/{id}/roles");
    let roles = org.get(&path).items();
    assert_eq!(names(&roles, "/assignmentType"), ["GROUP", "USER", "USER"]);
    assert!(
        roles
            .iter()
            .any(|role| role["role"] == "cr0" && role["resource-set"] == "iam0")
    );
    for role in &roles {
        let wanted = if role["assignmentType"] == "USER" {
            204
        } else {
            404
        };
        assert_eq!(
            org.delete(&format!("{path}/{}", role["id"].as_str().unwrap()))
                .status,
            wanted
        );
    }
    let admins = org.get("/api/v1/iam/assignees/users").json();
    assert_eq!(
        admins["value"][0]["id"],
        json!(id),
        "still an administrator by the group"
    );
    org.delete(&format!(
        "/api/v1/groups/{}/users/{id}",
        group_id(&org, &id, "Desk")
    ));
    assert_eq!(org.get(&path).items(), [] as [Value; 0]);
    let grant = r#"{"type":"APP_ADMIN"}"#;
    assert_eq!(org.call("POST", &path, grant).status, 201);
    assert_eq!(org.call("POST", &path, grant).code(), "E0000090");
}

#[test]
fn factors_go_one_by_one_or_all_at_once() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    let id = org.person(json!({ "factors": [{ "type": "push" }, { "type": "webauthn", "provider": "FIDO" }, { "type": "sms" }] }));
    let path = format!("/api/v1/users/{id}/factors");
    let factors = org.get(&path).items();
    assert_eq!(names(&factors, "/factorType"), ["push", "sms", "webauthn"]);
    let one = format!("{path}/{}", factors[0]["id"].as_str().unwrap());
    assert_eq!(
        [org.delete(&one).status, org.delete(&one).status],
        [204, 404]
    );
    let reset = format!("/api/v1/users/{id}/lifecycle/reset_factors");
    assert_eq!(org.post(&reset).status, 200);
    assert_eq!(org.get(&path).items().len(), 0);
    assert_eq!(org.post(&reset).status, 200);
    org.put(json!({ "unconfirmed": { "reset_factors_without_factors": 400 } }));
    assert_eq!(org.post(&reset).code(), "E0000001");
}

#[test]
fn a_device_is_deleted_only_after_it_was_deactivated_and_shows_who_shares_it() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    let users = org.seed(&json!({
        "users": [{ "login": "a@example.com" }, { "login": "b@example.com" }],
        "devices": [{ "id": "guo1", "name": "kiosk", "users": ["a@example.com", "b@example.com"] }],
    }));
    let listed = org
        .get(&format!("/api/v1/users/{}/devices", users[0]))
        .items();
    assert_eq!(listed[0]["device"]["id"], "guo1");
    assert_eq!(
        names(&org.get("/api/v1/devices/guo1/users").items(), "/user/id"),
        users
    );
    assert_eq!(org.delete("/api/v1/devices/guo1").status, 400);
    assert_eq!(
        org.post("/api/v1/devices/guo1/lifecycle/deactivate").status,
        204
    );
    assert_eq!(
        [
            org.delete("/api/v1/devices/guo1").status,
            org.delete("/api/v1/devices/guo1").status
        ],
        [204, 404]
    );
    assert_eq!(
        org.get(&format!("/api/v1/users/{}/devices", users[1]))
            .items()
            .len(),
        0
    );
}

#[test]
fn links_to_other_systems_and_users_can_be_cut_once() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    org.seed(&json!({
        "idps": [{ "id": "0oaidp", "name": "Google", "type": "GOOGLE" }],
        "linked_objects": [{ "primary": "manager", "associated": "subordinate" }],
        "groups": [{ "id": "00gsales", "name": "Sales" }],
        "users": [{ "login": "boss@example.com" }],
    }));
    let id = org.person(json!({ "idps": ["Google"], "linked": { "manager": "boss@example.com" }, "owns_groups": ["Sales"] }));
    assert_eq!(
        names(&org.get(&format!("/api/v1/users/{id}/idps")).items(), "/id"),
        ["0oaidp"]
    );
    assert_eq!(
        org.get("/api/v1/meta/schemas/user/linkedObjects").items()[0]["primary"]["name"],
        "manager"
    );
    assert_eq!(
        org.get(&format!("/api/v1/users/{id}/linkedObjects/manager"))
            .items()
            .len(),
        1
    );
    assert_eq!(
        org.get("/api/v1/users/boss@example.com/linkedObjects/subordinate")
            .items()
            .len(),
        1
    );
    assert_eq!(
        names(&org.get("/api/v1/groups/00gsales/owners").items(), "/id"),
        std::slice::from_ref(&id)
    );
    for path in [
        format!("/api/v1/idps/0oaidp/users/{id}"),
        format!("/api/v1/users/{id}/linkedObjects/manager"),
        format!("/api/v1/groups/00gsales/owners/{id}"),
    ] {
        assert_eq!(
            [org.delete(&path).status, org.delete(&path).status],
            [204, 404],
            "{path}"
        );
    }
}

#[test]
fn paths_and_methods_that_do_not_exist_are_told_apart_from_objects_that_do_not() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    assert_eq!(org.get("/api/v1/nothing").code(), "E0000008");
    assert_eq!(
        org.call("PATCH", "/api/v1/users/00u", "").code(),
        "E0000022"
    );
    assert_eq!(org.get("/api/v1/users/00u").code(), "E0000007");
    let headers = [("authorization", crate::sim::TOKEN)];
    let bare = org
        .try_send(
            "POST",
            "/api/v1/users/00u/lifecycle/suspend",
            &headers,
            None,
        )
        .unwrap();
    assert_eq!(
        bare.status, 411,
        "a POST without a body needs Content-Length: 0"
    );
}

#[test]
fn users_are_found_by_id_login_and_unambiguous_short_name() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    let users = org.seed(&json!({ "users": [
        { "login": "ada@example.com" }, { "login": "bob@example.com" }, { "login": "bob@example.org" },
    ] }));
    assert_eq!(
        org.get("/api/v1/users/ADA%40example.com").json()["id"],
        json!(users[0])
    );
    assert_eq!(org.get("/api/v1/users/ada").json()["id"], json!(users[0]));
    assert_eq!(
        org.get("/api/v1/users/bob").status,
        404,
        "two have this short name"
    );
}
