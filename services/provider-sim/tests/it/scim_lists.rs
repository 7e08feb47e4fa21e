//! Lists of a SCIM application: filters, pages, discovery.

use serde_json::{Value, json};

use crate::place::Place;
use crate::sim::Sim;

fn app_of_five(sim: &Sim) -> Place<'_> {
    let place = Place::new(sim, "scim", json!({}));
    let users: Vec<Value> = (0..5)
        .map(|number| json!({ "login": format!("p{number}@example.com"), "groups": ["All"] }))
        .collect();
    place.seed(&json!({ "groups": [{ "name": "All" }], "users": users }));
    place
}

fn names(list: &Value) -> Vec<&str> {
    let resources = list["Resources"].as_array().map_or(&[][..], Vec::as_slice);
    resources
        .iter()
        .filter_map(|user| user["userName"].as_str())
        .collect()
}

#[test]
fn filters_find_and_can_be_ignored_refused_or_answered_with_404() {
    let sim = Sim::start(&[]);
    let app = app_of_five(&sim);
    let find = "/Users?filter=userName%20eq%20%22P3%40example.com%22";
    let found = app.get(find).json();
    assert_eq!(
        (names(&found), &found["totalResults"]),
        (vec!["p3@example.com"], &json!(1))
    );
    let nobody = "/Users?filter=userName+eq+%22nobody%22";
    let none = app.get(nobody);
    assert_eq!((none.status, &none.json()["Resources"]), (200, &json!([])));
    app.put(json!({ "no_match_status": 404, "empty_resources": false }));
    assert_eq!(app.get(nobody).status, 404);
    app.put(json!({ "ignore_filter": true }));
    assert_eq!(names(&app.get(find).json()).len(), 5);
    app.put(json!({ "refused_filters": ["members.value"] }));
    let refused = app.get("/Groups?filter=members.value%20eq%20%22x%22");
    assert_eq!(
        (refused.status, &refused.json()["scimType"]),
        (400, &json!("invalidFilter"))
    );
    assert_eq!(app.get("/Users?filter=userName").status, 400);
}

#[test]
fn a_filter_on_what_is_not_known_finds_nothing() {
    let sim = Sim::start(&[]);
    let app = app_of_five(&sim);
    app.put(json!({ "unknown_filters": ["emails.value"] }));
    let by_address = app.get("/Users?filter=emails.value%20eq%20%22p3%40example.com%22");
    assert_eq!(
        (by_address.status, &by_address.json()["totalResults"]),
        (200, &json!(0))
    );
    let by_name = app.get("/Users?filter=userName%20eq%20%22p3%40example.com%22");
    assert_eq!(by_name.json()["totalResults"], 1);
}

#[test]
fn whoever_asks_for_cursors_is_led_on_by_them_and_nobody_else() {
    let sim = Sim::start(&[]);
    let app = app_of_five(&sim);
    app.put(json!({ "pages": "cursor" }));
    let config = app.get("/ServiceProviderConfig").json();
    assert_eq!(config["pagination"]["cursor"], true);
    let by_index = app.get("/Users?startIndex=3&count=2").json();
    assert_eq!(names(&by_index), ["p0@example.com", "p1@example.com"]);
    assert!(by_index.get("nextCursor").is_none());
    let mut cursor = String::new();
    let mut seen = 0;
    loop {
        let page = app.get(&format!("/Users?cursor={cursor}&count=2")).json();
        seen += names(&page).len();
        match page["nextCursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, 5);
    let lost = app.get("/Users?cursor=elsewhere");
    assert_eq!(
        (lost.status, &lost.json()["scimType"]),
        (400, &json!("invalidCursor"))
    );
}

#[test]
fn pages_cover_the_list_and_can_repeat() {
    let sim = Sim::start(&[]);
    let app = app_of_five(&sim);
    let pages = |settings: Value| {
        app.put(settings);
        let mut sizes = Vec::new();
        let mut start = 1;
        while start <= 5 && sizes.len() < 6 {
            let page = app
                .get(&format!("/Users?startIndex={start}&count=2"))
                .json();
            sizes.push(names(&page).join(" ").replace("@example.com", ""));
            start += names(&page).len();
        }
        sizes
    };
    assert_eq!(pages(json!({})), ["p0 p1", "p2 p3", "p4"]);
    assert_eq!(
        pages(json!({ "page_repeats": "twice" })),
        ["p0 p1", "p1 p2", "p3 p4"]
    );
    assert_eq!(pages(json!({ "page_repeats": "forever" }))[1], "p0 p1");
    app.put(json!({ "page_size_max": 1, "total_results": false }));
    let page = app.get("/Users").json();
    assert_eq!((names(&page).len(), page.get("totalResults")), (1, None));
    assert_eq!(names(&app.get("/Users?count=0").json()).len(), 0);
}

#[test]
fn attributes_can_be_left_out() {
    let sim = Sim::start(&[]);
    let app = app_of_five(&sim);
    let group = app.get("/Groups?excludedAttributes=members").json()["Resources"][0].clone();
    assert!(group.get("members").is_none() && group["displayName"] == "All");
    let user = app.get("/Users?attributes=userName&count=1").json()["Resources"][0].clone();
    assert!(user.get("active").is_none() && user["id"].is_string());
}

#[test]
fn the_application_describes_itself_or_not() {
    let sim = Sim::start(&[]);
    let app = app_of_five(&sim);
    let config = app.get("/ServiceProviderConfig").json();
    assert_eq!(
        (&config["patch"]["supported"], &config["etag"]["supported"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(app.get("/ResourceTypes").json()["totalResults"], 2);
    let schema = app
        .get("/Schemas/urn:ietf:params:scim:schemas:core:2.0:User")
        .json();
    assert!(
        schema["attributes"]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["name"] == "active")
    );
    assert_eq!(app.get("/Schemas?filter=id+pr").status, 403);
    assert_eq!(app.get("/Me").status, 501);
    assert_eq!(app.get("/Nonsense").status, 404);
    app.put(json!({ "discovery_status": 403 }));
    assert_eq!(app.get("/ServiceProviderConfig").status, 403);
}

#[test]
fn limits_faults_and_a_company() {
    let sim = Sim::start(&["--seed", "7"]);
    let app = Place::new(
        &sim,
        "scim",
        json!({ "rate_limit": { "calls": 2, "window_s": 60 } }),
    );
    let statuses: Vec<u16> = (0..3).map(|_| app.get("/Users").status).collect();
    assert_eq!(statuses, [200, 200, 429]);
    let limited = app.get("/Users");
    assert!(limited.number("retry-after") > 0);
    app.put(json!({}));
    sim.fault(&json!({ "when": { "provider": "scim", "operation": "list_users" }, "then": { "status": 503 }, "count": 1 }));
    let statuses: Vec<u16> = (0..2).map(|_| app.get("/Users").status).collect();
    assert_eq!(statuses, [503, 200]);
    let company = |sim: &Sim, provider: &'static str| {
        let place = Place::new(sim, provider, json!({}));
        let answer = place.order("POST", "/seed-directory", &json!({ "people": 20 }));
        let people = answer.json()["users"].as_array().unwrap().clone();
        people
            .iter()
            .map(|one| one["login"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        company(&sim, "scim"),
        company(&sim, "oidc"),
        "the same people everywhere"
    );
}
