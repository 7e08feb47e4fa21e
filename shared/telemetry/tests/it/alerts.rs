//! Every alert has a runbook page and a unit test, and pages name only variables that exist.

use std::collections::BTreeSet;

use super::{files, root};

/// What each page says, in this order.
const HEADINGS: [&str; 4] = [
    "## What it means",
    "## How to look",
    "## What is safe to do",
    "## How to know that it worked",
];

/// Name and text of each alert of the rules.
fn alerts() -> Vec<(String, String)> {
    let rules = files(&root().join("deploy/prometheus/rules"), &["yml"]);
    let texts = rules
        .iter()
        .flat_map(|(_, text)| text.split("- alert: ").skip(1));
    texts
        .map(|text| {
            (
                text.lines().next().unwrap().trim().to_owned(),
                text.to_owned(),
            )
        })
        .collect()
}

#[test]
fn every_alert_names_its_page_and_every_page_belongs_to_an_alert() {
    let alerts = alerts();
    assert!(
        alerts.len() >= 10,
        "the scan found {} alerts: have the rules moved?",
        alerts.len()
    );
    for (name, text) in &alerts {
        let page = format!("deploy/runbooks/{name}.md");
        assert!(
            text.contains(&format!("runbook: {page}")),
            "{name} does not point to {page}"
        );
        let content = std::fs::read_to_string(root().join(&page)).unwrap_or_default();
        let headings: Vec<_> = content
            .lines()
            .filter(|line| line.starts_with("## "))
            .collect();
        assert_eq!(headings, HEADINGS, "{page}");
    }
    let names: BTreeSet<_> = alerts.iter().map(|(name, _)| name.clone()).collect();
    let pages = files(&root().join("deploy/runbooks"), &["md"]);
    let titles: BTreeSet<_> = pages
        .iter()
        .map(|(path, _)| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    assert_eq!(titles, names);
}

#[test]
fn every_alert_is_seen_firing_by_a_rule_test() {
    let tests = files(&root().join("deploy/prometheus/tests"), &["yml"]);
    for (name, _) in alerts() {
        let expected = format!("runbook: deploy/runbooks/{name}.md");
        assert!(
            tests.iter().any(|(_, text)| text.contains(&expected)),
            "no promtool test expects {name} to fire"
        );
    }
}

#[test]
fn pages_and_compose_name_only_variables_that_a_program_reads() {
    let example = std::fs::read_to_string(root().join("sever.env.example")).unwrap();
    let known = variables(&example);
    let mut pages = files(&root().join("deploy"), &["md", "yml", "sh"]);
    let compose = root().join("docker-compose.yml");
    pages.push((compose.clone(), std::fs::read_to_string(compose).unwrap()));
    for (path, text) in pages {
        let unknown: Vec<_> = variables(&text)
            .difference(&known)
            .filter(|name| **name != "SEVER_BLESS")
            .copied()
            .collect();
        assert!(
            unknown.is_empty(),
            "{} names {unknown:?}, not in sever.env.example",
            path.display()
        );
    }
}

/// Every `SEVER_…` word of `text`.
fn variables(text: &str) -> BTreeSet<&str> {
    let is_part =
        |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_';
    text.split(|letter| !is_part(letter))
        .filter(|word| word.starts_with("SEVER_"))
        .collect()
}
