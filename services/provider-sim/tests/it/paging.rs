//! Paging, searching, filtering.

use serde_json::{Value, json};

use crate::sim::Sim;

fn people(count: usize) -> Value {
    let users: Vec<Value> = (0..count)
        .map(|n| json!({ "login": format!("p{n}@example.com"), "first_name": format!("First{n}"), "last_name": "Last" }))
        .collect();
    json!({ "users": users })
}

fn ids(pages: &[Vec<Value>]) -> Vec<String> {
    pages
        .iter()
        .flatten()
        .map(|user| user["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn lists_page_by_absolute_links_without_gap_or_repeat() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    let planted = org.seed(&people(7));
    let pages = org.pages("/api/v1/users?limit=3");
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1]);
    assert_eq!(ids(&pages), planted);
    assert_eq!(
        org.pages("/api/v1/users?limit=7").len(),
        1,
        "a full last page has no next"
    );
    let first = org.get("/api/v1/users?limit=3");
    assert!(
        first
            .link("self")
            .unwrap()
            .starts_with(&format!("http://{}/okta/main/api/v1/users", sim.address))
    );
    assert_eq!(
        first
            .headers
            .iter()
            .filter(|(name, _)| name == "link")
            .count(),
        2,
        "a line for each relation"
    );
    assert_eq!(org.get("/api/v1/users?after=nonsense!").code(), "E0000001");
}

#[test]
fn a_page_that_comes_again_brings_the_same_items() {
    let sim = Sim::start(&[]);
    let org = sim.org(
        "main",
        json!({ "page_repeats": "twice", "page_size_max": 2 }),
    );
    org.seed(&people(3));
    let pages = org.pages("/api/v1/users?limit=200");
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
    assert_eq!(pages[0], pages[1]);
}

#[test]
fn admins_page_through_the_body() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    let admin = |n: usize| json!({ "login": format!("a{n}@example.com"), "roles": [{ "type": "APP_ADMIN" }] });
    let planted = org.seed(&json!({ "users": (0..3).map(admin).collect::<Vec<_>>() }));
    let first = org.get("/api/v1/iam/assignees/users?limit=2").json();
    let next = first["_links"]["next"]["href"].as_str().unwrap();
    let second = org
        .get(
            next.strip_prefix(&format!("http://{}/okta/main", sim.address))
                .unwrap(),
        )
        .json();
    let found: Vec<&Value> = first["value"]
        .as_array()
        .unwrap()
        .iter()
        .chain(second["value"].as_array().unwrap())
        .collect();
    assert_eq!(
        found
            .iter()
            .map(|admin| admin["id"].as_str().unwrap())
            .collect::<Vec<_>>(),
        planted
    );
    assert_eq!(second["_links"].get("next"), None);
}

#[test]
fn lists_differ_in_whether_they_show_deprovisioned_users() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    let mut document = people(3);
    document["users"][1]["status"] = json!("DEPROVISIONED");
    org.seed(&document);
    let count = |query: &str| org.get(&format!("/api/v1/users?{query}")).items().len();
    assert_eq!(count(""), 2);
    assert_eq!(count("q=first"), 2);
    assert_eq!(count("search=profile.lastName+eq+%22last%22"), 3);
    assert_eq!(count("filter=status+eq+%22DEPROVISIONED%22"), 1);
    assert_eq!(
        count("search=profile.login+sw+%22p1%22+or+status+eq+%22ACTIVE%22"),
        3
    );
}

#[test]
fn questions_that_cannot_be_asked_are_refused() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({}));
    for (query, code) in [
        (
            "search=status+eq+%22ACTIVE%22&filter=status+eq+%22ACTIVE%22",
            "E0000033",
        ),
        ("filter=profile.city+eq+%22Berlin%22", "E0000031"),
        ("filter=profile.login+sw+%22a%22", "E0000031"),
        ("search=status+is+%22ACTIVE%22", "E0000031"),
        ("limit=many", "E0000001"),
    ] {
        assert_eq!(
            org.get(&format!("/api/v1/users?{query}")).code(),
            code,
            "{query}"
        );
    }
}

#[test]
fn an_org_that_ignores_filters_answers_with_everybody() {
    let sim = Sim::start(&[]);
    let org = sim.org("main", json!({ "ignore_filter": true }));
    let planted = org.seed(&people(3));
    org.seed(&json!({ "apps": [{ "label": "Wiki" }] }));
    assert_eq!(
        org.get("/api/v1/users?filter=profile.login+eq+%22p1@example.com%22")
            .items()
            .len(),
        3
    );
    let apps = org
        .get(&format!(
            "/api/v1/apps?filter=user.id+eq+%22{}%22",
            planted[0]
        ))
        .items();
    assert_eq!(apps.len(), 1, "an app that the user does not have");
}
