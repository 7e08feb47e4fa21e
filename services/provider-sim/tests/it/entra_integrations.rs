//! Enterprise applications: what is taken from them, and what refuses.

use serde_json::{Value, json};

use crate::entra_sim::{Tenant, refused};
use crate::sim::Sim;

#[test]
fn an_application_loses_everything_it_had() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    let id = tenant.seed(&json!({
        "subscriptions": [{ "id": "s1" }],
        "groups": [{ "id": "g1", "name": "Bots" }, { "name": "Users" }],
        "applications": [
            { "id": "sp-graph", "name": "Graph", "first_party": true },
            { "id": "sp-crm", "app_id": "a-crm", "application_id": "app-crm", "name": "CRM",
              "secrets": [{ "name": "one" }], "keys": [{ "name": "cert" }, { "name": "cert 2" }],
              "federated": [{ "name": "ci", "issuer": "https://ci.example.com", "subject": "main" }],
              "assigned": ["Users"], "permissions": [{ "resource": "Graph", "role": "r-mail" }],
              "grants": [{ "resource": "Graph", "scope": "User.Read" }], "groups": ["Bots"],
              "roles": [{ "role": "Directory Readers" }], "azure": [{ "scope": "/subscriptions/s1", "role": "Reader" }] },
        ],
    })).remove(1);
    assert_eq!(id, "sp-crm");
    let application = tenant
        .get("/applications/app-crm?$select=id,keyCredentials,passwordCredentials")
        .json();
    let keys = application["keyCredentials"].as_array().unwrap();
    let kept = json!({ "keyId": keys[1]["keyId"], "key": null, "type": "AsymmetricX509Cert", "usage": "Verify" });
    assert_eq!(
        tenant
            .patch(
                "/applications/app-crm",
                &json!({ "keyCredentials": [kept] })
            )
            .status,
        204
    );
    let again = tenant
        .get("/applications/app-crm?$select=keyCredentials")
        .json();
    assert_eq!(
        again["keyCredentials"],
        json!([keys[1]]),
        "the one that was sent back without its content"
    );
    assert_eq!(
        tenant
            .patch("/applications/app-crm", &json!({ "keyCredentials": [] }))
            .status,
        204
    );
    assert_eq!(
        tenant
            .patch(
                "/applications/app-crm",
                &json!({ "passwordCredentials": [] })
            )
            .status,
        400
    );
    let secret = json!({ "keyId": application["passwordCredentials"][0]["keyId"] });
    tenant.post("/applications/app-crm/removePassword", &secret);
    let one = |path: &str| -> String { tenant.list(path)[0]["id"].as_str().unwrap().to_owned() };
    let federated = one("/applications/app-crm/federatedIdentityCredentials");
    let held: Vec<Value> = tenant.list("/servicePrincipals/sp-crm/appRoleAssignments");
    let role = one("/roleManagement/directory/roleAssignments?$filter=principalId%20eq%20'sp-crm'");
    for path in [
        format!("/applications/app-crm/federatedIdentityCredentials/{federated}"),
        format!(
            "/servicePrincipals/sp-crm/appRoleAssignedTo/{}",
            one("/servicePrincipals/sp-crm/appRoleAssignedTo")
        ),
        format!(
            "/servicePrincipals/sp-graph/appRoleAssignedTo/{}",
            held[0]["id"].as_str().unwrap()
        ),
        format!(
            "/oauth2PermissionGrants/{}",
            one("/servicePrincipals/sp-crm/oauth2PermissionGrants")
        ),
        "/groups/g1/members/sp-crm/$ref".to_owned(),
        format!("/roleManagement/directory/roleAssignments/{role}"),
    ] {
        assert_eq!(tenant.delete(&path).status, 204, "{path}");
    }
    assert_eq!(
        tenant
            .patch(
                "/servicePrincipals/sp-crm",
                &json!({ "accountEnabled": false })
            )
            .status,
        204
    );
    assert_eq!(
        tenant.truth("service-principals/sp-crm")["live"],
        json!(["azure:1"])
    );
    let by_journal = sim.journal("effect=write&user=sp-crm").len()
        + sim.journal("effect=write&user=app-crm").len();
    assert_eq!(
        by_journal,
        sim.journal("effect=write").len() - 1,
        "all but the group that was assigned"
    );
}

#[test]
fn what_azure_or_microsoft_manages_refuses() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    tenant.seed(&json!({ "applications": [
        { "id": "sp-graph", "name": "Graph", "first_party": true }, { "id": "sp-vm", "name": "VM", "managed_identity": true },
    ] }));
    for id in ["sp-graph", "sp-vm"] {
        let answer = tenant.patch(
            &format!("/servicePrincipals/{id}"),
            &json!({ "accountEnabled": false }),
        );
        assert_eq!(
            refused(&answer),
            (403, "Authorization_RequestDenied".into()),
            "{id}"
        );
        assert_eq!(
            tenant.delete(&format!("/servicePrincipals/{id}")).status,
            403,
            "{id}"
        );
    }
    let managed = tenant.get("/servicePrincipals/sp-vm").json();
    assert_eq!(managed["servicePrincipalType"], "ManagedIdentity");
}

#[test]
fn deleting_a_registration_takes_its_service_principal_along_and_both_come_back() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    tenant.seed(&json!({ "applications": [
        { "id": "sp-crm", "application_id": "app-crm", "name": "CRM" }, { "id": "sp-saas", "name": "SaaS", "third_party": true },
    ] }));
    assert_eq!(tenant.delete("/applications/app-crm").status, 204);
    assert_eq!(tenant.get("/servicePrincipals/sp-crm").status, 404);
    assert_eq!(
        tenant
            .call("POST", "/directory/deletedItems/app-crm/restore", None)
            .status,
        200
    );
    assert_eq!(tenant.get("/servicePrincipals/sp-crm").status, 200);
    let foreign = tenant.get("/servicePrincipals/sp-saas").json();
    assert_ne!(foreign["appOwnerOrganizationId"], json!(tenant.id));
    let path = format!(
        "/applications?$filter=appId%20eq%20'{}'",
        foreign["appId"].as_str().unwrap()
    );
    assert!(tenant.list(&path).is_empty(), "registered elsewhere");
}
