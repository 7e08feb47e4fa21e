//! Users: what they show, how they are disabled, deleted and restored.

use serde_json::{Value, json};

use crate::entra_sim::{CLIENT, SECRET, Tenant, items, refused};
use crate::sim::Sim;

#[test]
fn a_user_shows_eleven_members_unless_others_are_selected() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    let id = tenant.person(json!({ "sessions": 1 }));
    let user = tenant.get("/users/ada@example.com").json();
    assert_eq!(user["id"], json!(id));
    assert_eq!(
        user.as_object().unwrap().len(),
        12,
        "eleven and the context: {user}"
    );
    assert!(user.get("accountEnabled").is_none());
    let user = tenant
        .get(&format!("/users/{id}?$select=id,accountEnabled"))
        .json();
    assert_eq!(user["accountEnabled"], true);
    assert!(user.get("displayName").is_none());
    let found = tenant.list("/users?$filter=userPrincipalName%20eq%20'ADA@example.com'");
    assert_eq!(found[0]["id"], json!(id));
    assert!(found[0].get("accountEnabled").is_none());
    let path = "/users?$filter=endswith(mail,'example.com')";
    assert_eq!(
        refused(&tenant.get(path)),
        (400, "Request_UnsupportedQuery".into())
    );
    let path = format!("{path}&$count=true");
    let advanced = tenant.call_with("GET", &path, &[("ConsistencyLevel", "eventual")], None);
    assert_eq!(
        (
            items(&advanced).len(),
            advanced.json()["@odata.count"].clone()
        ),
        (1, json!(1))
    );
}

#[test]
fn disabling_and_revoking_can_be_repeated_and_guests_keep_their_sessions() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    let id = tenant.person(json!({ "sessions": 2 }));
    let guest =
        tenant.person(json!({ "login": "bo#EXT#@example.com", "kind": "guest", "sessions": 1 }));
    for _ in 0..2 {
        assert_eq!(
            tenant
                .patch(&format!("/users/{id}"), &json!({ "accountEnabled": false }))
                .status,
            204
        );
        let revoked = tenant.call("POST", &format!("/users/{id}/revokeSignInSessions"), None);
        assert_eq!(
            (revoked.status, revoked.json()["value"].clone()),
            (200, json!(true))
        );
    }
    tenant.call(
        "POST",
        &format!("/users/{guest}/revokeSignInSessions"),
        None,
    );
    assert_eq!(tenant.live(&id), json!([]));
    assert_eq!(tenant.live(&guest), json!(["account:1", "sessions:1"]));
    assert_eq!(
        tenant.get("/users/bo%23EXT%23@example.com").json()["id"],
        json!(guest)
    );
}

#[test]
fn an_administrator_cannot_be_disabled_before_the_roles_are_gone() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    tenant.seed(&json!({ "groups": [{ "name": "Operators", "kind": "role_assignable" }] }));
    let id = tenant
        .person(json!({ "roles": [{ "role": "User Administrator" }], "groups": ["Operators"] }));
    let disable = || tenant.patch(&format!("/users/{id}"), &json!({ "accountEnabled": false }));
    assert_eq!(
        refused(&disable()),
        (403, "Authorization_RequestDenied".into())
    );
    let roles = tenant.list(&format!(
        "/roleManagement/directory/roleAssignments?$filter=principalId%20eq%20'{id}'"
    ));
    assert_eq!(
        tenant
            .delete(&format!(
                "/roleManagement/directory/roleAssignments/{}",
                roles[0]["id"].as_str().unwrap()
            ))
            .status,
        204
    );
    assert_eq!(disable().status, 403, "still in a role-assignable group");
    let group = tenant.list(&format!("/users/{id}/memberOf"))[0]["id"].clone();
    let path = format!("/groups/{}/members/{id}/$ref", group.as_str().unwrap());
    assert_eq!(tenant.delete(&path).status, 204);
    assert_eq!(disable().status, 204);
}

#[test]
fn a_caller_with_a_stronger_role_can_disable_administrators() {
    let sim = Sim::start(&[]);
    let app = json!({ "client_id": CLIENT, "secret": SECRET, "directory_roles": ["Privileged Authentication Administrator"] });
    let tenant = Tenant::start(&sim, json!({ "apps": [app] }));
    let id = tenant.person(json!({ "roles": [{ "role": "Global Administrator" }] }));
    assert_eq!(
        tenant
            .patch(&format!("/users/{id}"), &json!({ "accountEnabled": false }))
            .status,
        204
    );
}

#[test]
fn a_synced_user_is_disabled_or_refused_as_the_switch_says() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    let id = tenant.person(json!({ "synced": true }));
    let disable = || tenant.patch(&format!("/users/{id}"), &json!({ "accountEnabled": false }));
    assert_eq!(disable().status, 204);
    tenant.put(json!({ "unconfirmed": { "disable_synced_user": 400 } }));
    let answer = disable();
    assert_eq!(refused(&answer), (400, "Request_BadRequest".into()));
    assert!(
        answer.json()["error"]["message"]
            .as_str()
            .unwrap()
            .starts_with("Unable to update the specified")
    );
    assert!(answer.json()["error"]["innerError"]["request-id"].is_string());
    let rename = tenant.patch(&format!("/users/{id}"), &json!({ "displayName": "x" }));
    assert_eq!(rename.status, 400);
}

#[test]
fn a_deleted_user_can_be_restored_for_thirty_days() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    tenant.seed(&json!({ "groups": [{ "name": "Sales" }], "subscriptions": [{ "id": "s1" }] }));
    let access = json!({ "groups": ["Sales"], "azure": [{ "scope": "/subscriptions/s1", "role": "Reader" }] });
    let id = tenant.person(access);
    assert_eq!(tenant.delete(&format!("/users/{id}")).status, 204);
    assert_eq!(tenant.delete(&format!("/users/{id}")).status, 404);
    let deleted = tenant.get(&format!("/directory/deletedItems/{id}")).json();
    assert_eq!(
        (&deleted["accountEnabled"], &deleted["@odata.type"]),
        (&json!(false), &json!("#microsoft.graph.user"))
    );
    assert!(
        deleted["userPrincipalName"]
            .as_str()
            .unwrap()
            .ends_with("ada@example.com")
    );
    assert_eq!(
        tenant
            .list("/directory/deletedItems/microsoft.graph.user")
            .len(),
        1
    );
    assert_eq!(tenant.truth(&format!("users/{id}"))["azure_orphans"], 1);
    let restore = format!("/directory/deletedItems/{id}/restore");
    assert_eq!(tenant.call("POST", &restore, None).status, 200);
    assert_eq!(
        tenant.live(&id),
        json!(["account:1", "groups:1", "azure:1"])
    );
    tenant.delete(&format!("/users/{id}"));
    sim.control(
        "POST",
        "/clock",
        &json!({ "advance_ms": 31_i64 * 86_400_000 }),
    );
    let tenant = Tenant::start(&sim, json!({}));
    assert_eq!(tenant.call("POST", &restore, None).status, 404, "too late");
    assert_eq!(tenant.truth(&format!("users/{id}"))["restorable"], false);
}

#[test]
fn what_an_account_has_by_licence_is_direct_or_inherited() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    tenant.seed(&json!({ "groups": [{ "name": "Sales", "licences": ["sku-group"] }] }));
    let id = tenant.person(json!({ "groups": ["Sales"], "licences": ["sku-own"] }));
    let states = |id: &str| -> Vec<Value> {
        let user = tenant
            .get(&format!("/users/{id}?$select=id,licenseAssignmentStates"))
            .json();
        user["licenseAssignmentStates"].as_array().unwrap().clone()
    };
    assert_eq!(
        states(&id)
            .iter()
            .filter(|state| state["assignedByGroup"].is_null())
            .count(),
        1
    );
    assert_eq!(states(&id).len(), 2);
    let remove = |sku: &str| {
        tenant.post(
            &format!("/users/{id}/assignLicense"),
            &json!({ "addLicenses": [], "removeLicenses": [sku] }),
        )
    };
    assert_eq!(remove("sku-own").status, 200);
    let message = |answer: crate::http::Response| {
        answer.json()["error"]["message"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert!(message(remove("sku-own")).contains("does not have a corresponding license"));
    assert!(message(remove("sku-group")).contains("inherited from a group membership"));
    tenant.put(json!({ "unconfirmed": { "remove_absent_licence": 200 } }));
    assert_eq!(remove("sku-own").status, 200);
    assert_eq!(
        tenant
            .post(
                &format!("/users/{id}/assignLicense"),
                &json!({ "addLicenses": [{ "skuId": "sku-own" }], "removeLicenses": [] })
            )
            .status,
        200
    );
    assert_eq!(
        tenant.live(&id),
        json!(["account:1", "licences:1", "groups:1"])
    );
}

#[test]
fn authentication_methods_go_by_their_collections_and_the_default_one_last() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    let id =
        tenant.person(json!({ "methods": ["passwordMethods", "phoneMethods", "fido2Methods"] }));
    let base = format!("/users/{id}/authentication");
    let method = |kind: &str| {
        let methods = tenant.list(&format!("{base}/methods"));
        let found = methods
            .iter()
            .find(|method| method["@odata.type"].as_str().unwrap().contains(kind));
        found.unwrap()["id"].as_str().unwrap().to_owned()
    };
    let (phone, key, password) = (method("phone"), method("fido2"), method("password"));
    assert_eq!(
        tenant
            .delete(&format!("{base}/passwordMethods/{password}"))
            .status,
        405
    );
    assert_eq!(
        tenant
            .delete(&format!("{base}/phoneMethods/{phone}"))
            .status,
        400,
        "the default one"
    );
    assert_eq!(
        tenant.delete(&format!("{base}/phoneMethods/{key}")).status,
        404,
        "of another type"
    );
    assert_eq!(
        tenant.delete(&format!("{base}/fido2Methods/{key}")).status,
        204
    );
    assert_eq!(
        tenant
            .delete(&format!("{base}/phoneMethods/{phone}"))
            .status,
        204
    );
    assert_eq!(
        tenant
            .delete(&format!("{base}/phoneMethods/{phone}"))
            .status,
        404
    );
}
