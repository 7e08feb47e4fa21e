//! Directory roles, PIM, app roles, grants, Azure roles.

use serde_json::json;

use crate::entra_sim::{Tenant, items, names, refused};
use crate::sim::Sim;

const REMOVE: &str = "adminRemove";
const ELIGIBLE: &str = "/roleManagement/directory/roleEligibilitySchedules";
const REQUEST: &str = "/roleManagement/directory/roleEligibilityScheduleRequests";

#[test]
fn pim_removals_say_revoked_and_then_that_there_is_nothing() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    let id = tenant.person(json!({
        "eligible_roles": [{ "role": "User Administrator" }], "roles": [{ "role": "Security Reader", "pim": true }],
    }));
    let listed = tenant.list(&format!("{ELIGIBLE}?$filter=principalId%20eq%20'{id}'"));
    assert_eq!(
        (&listed[0]["memberType"], listed.len()),
        (&json!("Direct"), 1)
    );
    let body = json!({ "action": REMOVE, "principalId": id, "roleDefinitionId": listed[0]["roleDefinitionId"], "directoryScopeId": "/", "justification": "left" });
    let done = tenant.post(REQUEST, &body);
    assert_eq!(
        (done.status, done.json()["status"].clone()),
        (201, json!("Revoked"))
    );
    assert_eq!(
        refused(&tenant.post(REQUEST, &body)),
        (400, "RoleAssignmentDoesNotExist".into())
    );
    tenant.put(json!({ "unconfirmed": { "pim_gone_on_success": true } }));
    let active = tenant.list(&format!(
        "/roleManagement/directory/roleAssignmentSchedules?$filter=principalId%20eq%20'{id}'"
    ));
    let body = json!({ "action": REMOVE, "principalId": id, "roleDefinitionId": active[0]["roleDefinitionId"], "directoryScopeId": "/" });
    let answer = tenant.post(
        "/roleManagement/directory/roleAssignmentScheduleRequests",
        &body,
    );
    assert_eq!(
        refused(&answer),
        (400, "RoleAssignmentDoesNotExist".into()),
        "said of its own success"
    );
    assert_eq!(
        tenant.live(&id),
        json!(["account:1"]),
        "the assignment went with its schedule"
    );
}

#[test]
fn without_a_licence_there_is_no_pim() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({ "pim": false }));
    let code = "AadPremiumLicenseRequired".to_owned();
    assert_eq!(refused(&tenant.get(ELIGIBLE)), (400, code.clone()));
    tenant.put(json!({ "pim": false, "unconfirmed": { "pim_unlicensed": 403 } }));
    let groups = "/identityGovernance/privilegedAccess/group/eligibilitySchedules?$filter=principalId%20eq%20'x'";
    assert_eq!(refused(&tenant.get(groups)), (403, code));
}

#[test]
fn pim_of_groups_is_listed_by_principal_and_its_end_ends_the_membership() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    tenant.seed(&json!({ "groups": [{ "id": "g-prod", "name": "Prod" }, { "name": "Ops" }] }));
    let id = tenant.person(json!({ "active_groups": [{ "group": "Prod" }], "eligible_groups": [{ "group": "Ops", "owner": true }] }));
    let base = "/identityGovernance/privilegedAccess/group";
    assert_eq!(
        refused(&tenant.get(&format!("{base}/assignmentSchedules"))),
        (400, "MissingParameters".into())
    );
    for (kind, requests) in [
        ("assignment", "assignmentScheduleRequests"),
        ("eligibility", "eligibilityScheduleRequests"),
    ] {
        let listed = tenant.list(&format!(
            "{base}/{kind}Schedules?$filter=principalId%20eq%20'{id}'"
        ));
        let body = json!({ "action": REMOVE, "principalId": id, "groupId": listed[0]["groupId"], "accessId": listed[0]["accessId"] });
        assert_eq!(
            tenant.post(&format!("{base}/{requests}"), &body).status,
            201,
            "{kind}"
        );
    }
    assert_eq!(tenant.live(&id), json!(["account:1"]));
}

#[test]
fn the_last_global_administrator_stays() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    let id = tenant.person(json!({ "roles": [{ "role": "Global Administrator" }] }));
    let path = "/roleManagement/directory/roleAssignments";
    let listed = tenant.list(&format!("{path}?$filter=principalId%20eq%20'{id}'"));
    let one = format!("{path}/{}", listed[0]["id"].as_str().unwrap());
    assert_eq!(tenant.delete(&one).status, 400);
    tenant.person(
        json!({ "login": "bo@example.com", "roles": [{ "role": "Global Administrator" }] }),
    );
    assert_eq!(tenant.delete(&one).status, 204);
    assert_eq!(tenant.delete(&one).status, 404);
    let again = json!({ "principalId": id, "roleDefinitionId": listed[0]["roleDefinitionId"], "directoryScopeId": "/" });
    assert_eq!(tenant.post(path, &again).status, 201);
    assert_eq!(tenant.post(path, &again).status, 400, "the same triple");
}

#[test]
fn app_roles_of_groups_are_listed_with_the_user_and_only_the_own_ones_can_be_taken() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    tenant.seed(&json!({
        "applications": [{ "id": "sp-crm", "name": "CRM" }, { "id": "sp-wiki", "name": "Wiki" }],
        "groups": [{ "name": "Sales", "app_roles": ["Wiki"] }],
    }));
    let id = tenant.person(json!({ "groups": ["Sales"], "app_roles": ["CRM"] }));
    let listed = tenant.list(&format!("/users/{id}/appRoleAssignments"));
    assert_eq!(names(&listed, "principalType"), ["Group", "User"]);
    let own = listed
        .iter()
        .find(|item| item["principalId"] == json!(id))
        .unwrap();
    let path = format!(
        "/servicePrincipals/sp-crm/appRoleAssignedTo/{}",
        own["id"].as_str().unwrap()
    );
    assert_eq!(
        tenant.delete(&path.replace("sp-crm", "sp-wiki")).status,
        404,
        "not at this resource"
    );
    assert_eq!(
        [tenant.delete(&path).status, tenant.delete(&path).status],
        [204, 404]
    );
    let body = json!({ "principalId": id, "resourceId": "sp-crm", "appRoleId": own["appRoleId"] });
    assert_eq!(
        tenant
            .post("/servicePrincipals/sp-crm/appRoleAssignedTo", &body)
            .status,
        201
    );
    assert_eq!(
        tenant
            .list("/servicePrincipals/sp-crm/appRoleAssignedTo")
            .len(),
        1
    );
}

#[test]
fn grants_for_everybody_are_not_listed_with_a_user() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    tenant.seed(&json!({ "applications": [{ "id": "sp-crm", "name": "CRM", "grants": [{ "scope": "User.Read" }] }] }));
    let id = tenant.person(json!({ "grants": [{ "client": "CRM", "scope": "Mail.Read" }] }));
    let mine = tenant.list(&format!("/users/{id}/oauth2PermissionGrants"));
    assert_eq!(names(&mine, "consentType"), ["Principal"]);
    let path = format!(
        "/oauth2PermissionGrants/{}",
        mine[0]["id"].as_str().unwrap()
    );
    assert_eq!(
        [tenant.delete(&path).status, tenant.delete(&path).status],
        [204, 404]
    );
    let of_client = tenant.list("/oauth2PermissionGrants?$filter=clientId%20eq%20'sp-crm'");
    assert_eq!(names(&of_client, "consentType"), ["AllPrincipals"]);
    assert_eq!(
        tenant
            .list("/servicePrincipals/sp-crm/oauth2PermissionGrants")
            .len(),
        1
    );
}

#[test]
fn azure_roles_are_listed_below_and_above_and_their_end_can_be_repeated() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    tenant.seed(&json!({
        "management_groups": [{ "name": "root" }],
        "subscriptions": [{ "id": "s1", "management_group": "root" }, { "id": "s2", "locked": true }],
        "groups": [{ "name": "Sales", "azure": [{ "scope": "/subscriptions/s1", "role": "Reader" }] }],
    }));
    let id = tenant.person(json!({ "groups": ["Sales"], "azure": [
        { "scope": "/providers/Microsoft.Management/managementGroups/root", "role": "Reader" },
        { "scope": "/subscriptions/s1/resourceGroups/r", "role": "Contributor" },
        { "scope": "/subscriptions/s2", "role": "Owner" },
    ] }));
    let version = "api-version=2022-04-01";
    let roles = "providers/Microsoft.Authorization/roleAssignments";
    let list = |scope: &str, filter: &str| {
        items(&tenant.arm(
            "GET",
            &format!("{scope}/{roles}?{version}&$filter={filter}"),
            None,
        ))
    };
    let mine = list("/subscriptions/s1", &format!("principalId%20eq%20'{id}'"));
    assert_eq!(mine.len(), 2, "above and below: {mine:?}");
    assert_eq!(
        list("/subscriptions/s1", &format!("assignedTo('{id}')")).len(),
        3
    );
    assert_eq!(list("/subscriptions/s1", "atScope()").len(), 2);
    let one = mine
        .iter()
        .find(|item| item["id"].as_str().unwrap().contains("resourceGroups"))
        .unwrap();
    let path = format!("{}?{version}", one["id"].as_str().unwrap());
    assert_eq!(
        tenant.arm("DELETE", &path, None).json()["name"],
        one["name"]
    );
    assert_eq!(tenant.arm("DELETE", &path, None).status, 204);
    let properties = json!({ "properties": { "principalId": id, "roleDefinitionId": one["properties"]["roleDefinitionId"], "principalType": "User" } });
    assert_eq!(tenant.arm("PUT", &path, Some(&properties)).status, 201);
    assert_eq!(tenant.arm("PUT", &path, Some(&properties)).status, 200);
    let locked = list("/subscriptions/s2", &format!("principalId%20eq%20'{id}'"));
    let path = format!("{}?{version}", locked[0]["id"].as_str().unwrap());
    assert_eq!(
        refused(&tenant.arm("DELETE", &path, None)),
        (409, "ScopeLocked".into())
    );
    assert_eq!(
        tenant
            .arm(
                "GET",
                "/subscriptions/s1/providers/Microsoft.Authorization/roleAssignments",
                None
            )
            .status,
        400
    );
    assert_eq!(
        tenant.live(&id),
        json!(["account:1", "groups:1", "azure:3"])
    );
}
