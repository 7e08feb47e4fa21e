//! The audit log of the directory.

use serde_json::{Value, json};

use crate::entra_sim::{CLIENT, GRAPH, SECRET, Tenant, items, refused};
use crate::sim::Sim;

const LOG: &str = "/auditLogs/directoryAudits";

fn about(id: &str) -> String {
    format!("{LOG}?$filter=targetResources/any(t:t/id%20eq%20'{id}')")
}

fn activities(events: &[Value]) -> Vec<&str> {
    let names = events
        .iter()
        .map(|event| event["activityDisplayName"].as_str());
    names.map(Option::unwrap).collect()
}

#[test]
fn changes_behind_the_clients_are_logged_by_who_made_them_and_only_then() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    tenant.seed(&json!({"groups": [{"id": "g", "name": "VPN"}], "subscriptions": [{"id": "s", "name": "S"}]}));
    let id = tenant.person(json!({}));
    let admin = json!({"id": "u-admin", "type": "User", "name": "an administrator"});
    tenant.mutate(&json!({"do": "add_to_group", "user": id, "group": "VPN"}));
    assert_eq!(
        tenant.list(&about(&id)).len(),
        0,
        "nobody is said to have done it"
    );
    tenant.mutate(&json!({"do": "remove_from_group", "user": id, "group": "VPN", "by": admin}));
    let system = json!({"type": "System", "name": "a rule"});
    tenant.mutate(&json!({"do": "add_to_group", "user": id, "group": "VPN", "by": system}));
    let events = tenant.list(&about(&id));
    assert_eq!(
        activities(&events),
        ["Add member to group", "Remove member from group"]
    );
    assert_eq!(events[1]["initiatedBy"]["user"]["id"], "u-admin");
    assert_eq!(
        events[0]["initiatedBy"]["app"]["servicePrincipalId"],
        Value::Null
    );
    assert_eq!(events[0]["targetResources"][1]["id"], "g");
    assert_eq!(events[0]["operationType"], "Assign");
    let role = json!({"do": "assign_azure_role", "user": id, "scope": "/subscriptions/s", "role": "x", "by": admin});
    tenant.mutate(&role);
    assert_eq!(tenant.list(&about(&id)).len(), 2, "Azure has another log");
    let path =
        "/subscriptions/s/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01";
    let assignments = items(&tenant.arm("GET", path, None));
    assert_eq!(assignments[0]["properties"]["createdBy"], "u-admin");
}

#[test]
fn a_clients_own_changes_are_its_applications_and_named_as_documented() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    let ids = tenant.seed(
        &json!({"applications": [{"name": "Wiki"}], "users": [{"login": "ada@example.com"}]}),
    );
    let (user, app) = (&ids[0], &ids[1]);
    let role = "00000000-0000-0000-0000-000000000000";
    let body = json!({"principalId": user, "resourceId": app, "appRoleId": role});
    tenant.post(
        &format!("/servicePrincipals/{app}/appRoleAssignedTo"),
        &body,
    );
    let reader = "f2ef992c-3afb-46b9-b7cf-a126ee74c451";
    let body = json!({"principalId": user, "roleDefinitionId": reader, "directoryScopeId": "/"});
    tenant.post("/roleManagement/directory/roleAssignments", &body);
    tenant.patch(
        &format!("/servicePrincipals/{app}"),
        &json!({"accountEnabled": false}),
    );
    let events = tenant.list(&about(user));
    assert_eq!(
        activities(&events),
        [
            "Add member to role",
            "Add app role assignment grant to user"
        ]
    );
    let modified = &events[0]["targetResources"][0]["modifiedProperties"];
    assert_eq!(modified[2]["newValue"], json!(format!("\"{reader}\"")));
    assert!(events[0]["initiatedBy"]["app"]["servicePrincipalId"].is_string());
    let events = tenant.list(&about(app));
    assert_eq!(activities(&events)[0], "Update service principal");
    assert_eq!(
        events[0]["targetResources"][0]["modifiedProperties"][0]["newValue"],
        "[false]"
    );
}

#[test]
fn the_list_is_newest_first_cut_into_pages_and_asked_only_as_documented() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({"page_size_max": 2}));
    let id = tenant.person(json!({}));
    for enabled in [false, true, false, true, false] {
        tenant.patch(&format!("/users/{id}"), &json!({"accountEnabled": enabled}));
        sim.control("POST", "/clock", &json!({"advance_ms": 1000}));
    }
    let pages = tenant.pages(&about(&id));
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
    let newest = pages.concat();
    let at = |event: &Value| event["activityDateTime"].as_str().unwrap().to_owned();
    assert!(newest.iter().map(at).is_sorted_by(|a, b| a > b));
    let mut oldest = tenant
        .pages(&format!("{}&$orderby=activityDateTime%20asc", about(&id)))
        .concat();
    oldest.reverse();
    assert_eq!(oldest, newest);
    let since = at(&newest[1]);
    let filtered = tenant.list(&format!("{LOG}?$filter=activityDateTime%20ge%20{since}"));
    assert_eq!(filtered, newest[..2]);
    for refused_filter in [
        "activityDateTime%20gt%202026-01-01T00:00:00Z",
        "category%20eq%20'x'",
        "targetResources/any(t:t/type%20eq%20'User')",
    ] {
        let answer = tenant.get(&format!("{LOG}?$filter={refused_filter}"));
        assert_eq!(answer.status, 400, "{refused_filter}");
    }
}

#[test]
fn who_may_not_read_the_log_is_refused_and_old_events_go() {
    let sim = Sim::start(&[]);
    let app = |permissions: Value| json!([{"client_id": CLIENT, "secret": SECRET, "permissions": permissions}]);
    let tenant = Tenant::start(&sim, json!({"apps": app(json!(["AuditLog.Read.All"]))}));
    let denied = (403, "Authorization_RequestDenied".to_owned());
    assert_eq!(
        refused(&tenant.get(LOG)),
        denied,
        "the directory's permission is needed besides"
    );
    drop(tenant);
    let tenant = Tenant::start(&sim, json!({"audits_licensed": false}));
    let code = "Authentication_RequestFromNonPremiumTenantOrB2CTenant".to_owned();
    assert_eq!(refused(&tenant.get(LOG)), (403, code));
    tenant.put(json!({"audit_days": 7, "audit_calls": 3}));
    let id = tenant.person(json!({}));
    tenant.patch(&format!("/users/{id}"), &json!({"accountEnabled": false}));
    assert_eq!(tenant.list(&about(&id)).len(), 1);
    tenant.put(json!({"audit_days": 7, "audit_calls": 2, "access_token_lifetime_s": 1_000_000}));
    assert_eq!(tenant.ask_token(GRAPH, SECRET).status, 200);
    let answers: Vec<u16> = (0..3).map(|_| tenant.get(LOG).status).collect();
    assert_eq!(answers, [200, 200, 429], "the log has a limit of its own");
    assert_eq!(tenant.get(&format!("/users/{id}")).status, 200);
    sim.control("POST", "/clock", &json!({"advance_ms": 11_000}));
    assert_eq!(tenant.list(&about(&id)).len(), 1);
}
