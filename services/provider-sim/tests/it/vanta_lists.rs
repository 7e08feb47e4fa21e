//! Vanta's lists: paging, filters, limits, error bodies, paths that do not exist.

use serde_json::{Value, json};

use crate::sim::Sim;
use crate::vanta_tenant::Tenant;

fn crowd(tenant: &Tenant<'_>, count: usize) {
    let people: Vec<Value> = (0..count)
        .map(|n| json!({ "email": format!("p{n}@example.com") }))
        .collect();
    tenant.seed(&json!({ "people": people }));
}

#[test]
fn pages_have_ten_items_unless_asked_and_a_cursor_goes_on_after_the_last() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    crowd(&tenant, 25);
    assert_eq!(tenant.items("/v1/people").len(), 10);
    let mut seen = Vec::new();
    let mut path = "/v1/people?pageSize=12".to_owned();
    loop {
        let results = tenant.get(&path).json()["results"].clone();
        let data = results["data"].as_array().unwrap().clone();
        seen.extend(
            data.iter()
                .map(|person| person["id"].as_str().unwrap().to_owned()),
        );
        let info = &results["pageInfo"];
        if info["hasNextPage"] == false {
            assert_eq!(info["hasPreviousPage"], true);
            break;
        }
        let cursor = info["endCursor"].as_str().unwrap();
        path = format!("/v1/people?pageSize=12&pageCursor={cursor}");
    }
    assert_eq!(seen.len(), 25);
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 25);
    for bad in ["pageSize=0", "pageSize=101", "pageCursor=nonsense!"] {
        assert_eq!(
            tenant.get(&format!("/v1/people?{bad}")).status,
            400,
            "{bad}"
        );
    }
}

#[test]
fn filters_narrow_the_list_by_the_name_they_have_and_can_be_ignored() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    crowd(&tenant, 3);
    tenant.person(json!({ "email": "gone@example.com", "employment": "FORMER" }));
    let count = |query: &str| tenant.items(&format!("/v1/people?{query}")).len();
    assert_eq!(count("emailAndNameFilter=P1%40EXAMPLE"), 1);
    assert_eq!(count("employmentStatusMatchesAny=FORMER"), 1);
    assert_eq!(count("employmentStatus=FORMER"), 4, "not its name here");
    assert_eq!(
        count("tasksSummaryStatusMatchesAny[]=OFFBOARDING_DUE_SOON"),
        1
    );
    let half = tenant.get("/v1/people?taskTypeMatchesAny=COMPLETE_TRAININGS");
    assert_eq!(half.status, 400, "only together with a status");
    tenant.put(json!({ "unconfirmed": { "employment_filter": "status" } }));
    assert_eq!(count("employmentStatus=FORMER"), 1);
    tenant.put(json!({ "ignore_filter": true }));
    assert_eq!(count("emailAndNameFilter=gone"), 4);
}

#[test]
fn calls_over_the_limit_are_429_with_and_without_a_hint() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({ "rate_limits": { "manage": 2 } }));
    let call = || tenant.get("/v1/users");
    assert_eq!([call().status, call().status], [200, 200]);
    let refused = call();
    assert_eq!(refused.status, 429);
    assert!(refused.number("retry-after") <= 60);
    tenant.put(json!({ "rate_limits": { "manage": 0 }, "unconfirmed": { "retry_after": false } }));
    assert_eq!(call().header("retry-after"), None);
}

#[test]
fn an_error_body_has_any_of_the_shapes_that_clients_have_seen() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    for (shape, pointer) in [
        ("message", "/message"),
        ("error", "/error"),
        ("errors", "/errors/0/message"),
    ] {
        tenant.put(json!({ "unconfirmed": { "error_body": shape } }));
        let response = tenant.get("/v1/people/nobody");
        let told = response.json().pointer(pointer).cloned();
        assert_eq!(
            (response.status, told),
            (404, Some(json!("Person not found")))
        );
    }
    tenant.put(json!({ "unconfirmed": { "error_body": "empty" } }));
    let response = tenant.get("/v1/people/nobody");
    assert_eq!((response.status, response.body.len()), (404, 0));
}

#[test]
fn nothing_disconnects_an_integration_but_the_web_pages() {
    let sim = Sim::start(&[]);
    let tenant = Tenant::start(&sim, json!({}));
    let kind = json!({ "name": "S3Bucket", "scopable": true, "resources": [{ "id": "r1", "name": "logs" }] });
    let integration = json!({ "id": "aws", "name": "AWS", "connections": ["c1"], "kinds": [kind] });
    tenant.seed(&json!({ "integrations": [integration] }));
    for method in ["DELETE", "POST", "PATCH", "PUT"] {
        let refused = tenant.call(method, "/v1/integrations/aws", &json!({}));
        assert_eq!(refused.status, 405, "{method}");
    }
    tenant.put(json!({ "unconfirmed": { "wrong_method": 404, "disconnected": "disabled" } }));
    let refused = tenant.call("DELETE", "/v1/integrations/aws", &json!({}));
    assert_eq!(refused.status, 404);
    let listed = &tenant.items("/v1/integrations")[0];
    assert_eq!(listed["connections"][0]["isDisabled"], false);
    let resources = "/v1/integrations/aws/resource-kinds/S3Bucket/resources";
    let scope = json!({ "inScope": false });
    let patched = tenant.call("PATCH", &format!("{resources}/r1"), &scope);
    assert_eq!(patched.json()["inScope"], false);
    let unowned = json!({ "updates": [{ "id": "r1", "ownerId": "nobody" }] });
    let refused = tenant.call("PATCH", resources, &unowned).json();
    assert_eq!(refused["results"][0]["status"], "ERROR");
    let broken = json!({ "do": "break_connection", "integration": "aws", "message": "revoked" });
    tenant.mutate(&broken);
    assert_eq!(tenant.truth("integrations/aws")["live"], json!([]));
    tenant.mutate(&json!({ "do": "disconnect_integration", "integration": "aws" }));
    let listed = tenant.get("/v1/integrations/aws").json();
    assert_eq!(listed["connections"][0]["isDisabled"], true);
    assert_eq!(
        listed["connections"][0]["connectionErrorMessage"],
        "revoked"
    );
    tenant.put(json!({}));
    tenant.mutate(&json!({ "do": "disconnect_integration", "integration": "aws" }));
    assert_eq!(tenant.get("/v1/integrations/aws").status, 404);
}
