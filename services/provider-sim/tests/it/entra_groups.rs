//! Memberships and ownerships: the address that deletes a person, and what Graph refuses.

use serde_json::json;

use crate::entra_sim::{Tenant, names, refused};
use crate::sim::Sim;

#[test]
fn a_removal_without_ref_deletes_the_person() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    tenant.seed(&json!({ "groups": [{ "id": "g-sales", "name": "Sales" }] }));
    let id = tenant.person(json!({ "groups": ["Sales"] }));
    assert_eq!(
        tenant
            .delete(&format!("/groups/g-sales/members/{id}"))
            .status,
        204
    );
    assert_eq!(
        tenant.get(&format!("/users/{id}")).status,
        404,
        "the person is gone"
    );
    assert_eq!(tenant.truth(&format!("users/{id}"))["restorable"], true);
    let journal = sim.journal("effect=write");
    assert_eq!(journal[0]["operation"], "delete_member_object");
    assert_eq!(journal[0]["user"], json!(id));
    let owner = tenant.person(json!({ "login": "bo@example.com", "owns": ["Sales"] }));
    let refusal = tenant.delete(&format!("/groups/g-sales/owners/{owner}"));
    assert!(
        refusal.json()["error"]["message"]
            .as_str()
            .unwrap()
            .contains("contained entities")
    );
}

#[test]
fn a_repeated_removal_is_refused_in_two_shapes_by_turns() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    tenant.seed(&json!({ "groups": [{ "id": "g-sales", "name": "Sales" }] }));
    let id = tenant.person(json!({ "groups": ["Sales"] }));
    let path = format!("/groups/g-sales/members/{id}/$ref");
    assert_eq!(tenant.delete(&path).status, 204);
    let first = tenant.delete(&path);
    assert_eq!(refused(&first), (404, "Request_ResourceNotFound".into()));
    assert!(
        first.json()["error"]["message"]
            .as_str()
            .unwrap()
            .contains("'g-sales'"),
        "it names the group"
    );
    let second = tenant.delete(&path);
    assert_eq!(refused(&second), (400, "Request_BadRequest".into()));
    assert!(
        second.json()["error"]["message"]
            .as_str()
            .unwrap()
            .contains("removed object references do not exist")
    );
    let body =
        json!({ "@odata.id": format!("https://graph.microsoft.com/v1.0/directoryObjects/{id}") });
    assert_eq!(
        tenant.post("/groups/g-sales/members/$ref", &body).status,
        204
    );
    assert_eq!(
        tenant.post("/groups/g-sales/members/$ref", &body).status,
        400,
        "it is there already"
    );
    assert_eq!(names(&tenant.list("/groups/g-sales/members"), "id"), [id]);
}

#[test]
fn groups_that_others_decide_about_refuse() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    tenant.seed(&json!({ "groups": [
        { "id": "g-rule", "name": "Rule", "kind": "dynamic", "rule_tests_enabled": true },
        { "id": "g-synced", "name": "Synced", "kind": "synced" },
        { "id": "g-list", "name": "List", "kind": "distribution" },
        { "id": "g-mail", "name": "Mail", "kind": "mail_enabled_security" },
        { "id": "g-365", "name": "Team", "kind": "team" },
    ] }));
    let id = tenant.person(json!({ "groups": ["Rule", "Synced", "List", "Mail", "Team"] }));
    for (group, status) in [
        ("g-rule", 403),
        ("g-synced", 400),
        ("g-list", 400),
        ("g-mail", 400),
        ("g-365", 204),
    ] {
        assert_eq!(
            tenant
                .delete(&format!("/groups/{group}/members/{id}/$ref"))
                .status,
            status,
            "{group}"
        );
    }
    assert_eq!(tenant.live(&id), json!(["account:1"]));
    tenant.patch(&format!("/users/{id}"), &json!({ "accountEnabled": false }));
    let left = tenant.list(&format!("/users/{id}/memberOf/microsoft.graph.group"));
    assert_eq!(
        names(&left, "id"),
        ["g-list", "g-mail", "g-synced"],
        "the rule saw that the account is disabled"
    );
    let list = left.iter().find(|group| group["id"] == "g-list").unwrap();
    assert_eq!(
        (&list["mailEnabled"], &list["@odata.type"]),
        (&json!(true), &json!("#microsoft.graph.group"))
    );
}

#[test]
fn the_last_owner_stays_until_there_is_another() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    tenant.seed(&json!({ "groups": [{ "id": "g-team", "name": "Team", "kind": "team" }], "applications": [{ "id": "sp-crm", "application_id": "app-crm", "name": "CRM" }] }));
    let id = tenant.person(json!({ "owns": ["Team", "app-crm"], "groups": ["Team"] }));
    let other = tenant.person(json!({ "login": "bo@example.com" }));
    let owned = tenant.list(&format!("/users/{id}/ownedObjects"));
    assert_eq!(
        names(&owned, "@odata.type"),
        ["#microsoft.graph.application", "#microsoft.graph.group"]
    );
    let path = format!("/groups/g-team/owners/{id}/$ref");
    let refusal = tenant.delete(&path);
    assert!(
        refusal.json()["error"]["message"]
            .as_str()
            .unwrap()
            .contains("must have at least one owner")
    );
    let body = json!({ "@odata.id": format!("https://graph.microsoft.com/v1.0/directoryObjects/{other}") });
    assert_eq!(tenant.post("/groups/g-team/owners/$ref", &body).status, 204);
    assert_eq!(tenant.delete(&path).status, 204);
    assert_eq!(
        tenant
            .delete(&format!("/applications/app-crm/owners/{id}/$ref"))
            .status,
        204
    );
    assert_eq!(
        tenant
            .delete(&format!("/applications/app-crm/owners/{id}/$ref"))
            .status,
        404
    );
    assert_eq!(
        tenant.live(&id),
        json!(["account:1"]),
        "who owned the team has left it too"
    );
}

#[test]
fn roles_appear_as_memberships_and_transitive_groups_are_not_direct_ones() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    tenant.seed(
        &json!({ "groups": [{ "name": "Outer" }, { "name": "Inner", "groups": ["Outer"] }] }),
    );
    let id =
        tenant.person(json!({ "groups": ["Inner"], "roles": [{ "role": "Security Reader" }] }));
    let member_of = tenant.list(&format!("/users/{id}/memberOf"));
    assert_eq!(
        names(&member_of, "displayName"),
        ["Inner", "Security Reader"]
    );
    let transitive = tenant.list(&format!(
        "/users/{id}/transitiveMemberOf/microsoft.graph.group"
    ));
    assert_eq!(names(&transitive, "displayName"), ["Inner", "Outer"]);
}
