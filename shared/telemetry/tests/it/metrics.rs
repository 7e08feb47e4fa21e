//! The page `deploy/METRICS.md`, and the checks that hold code, rules and dashboards to the catalogue.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{files, root};
use sever_telemetry::catalogue::{ALL, MetricKind};

const OPENING: &str = "\
# Metrics

Every service serves these on `/metrics` of its ops address, where they apply, beside the usual `process_*` ones.
Label values come from small closed sets. Made from `shared/telemetry/src/catalogue.rs`: run its tests with `SEVER_BLESS=1` after a change.

| metric | type | labels | unit | meaning |
| --- | --- | --- | --- | --- |
";

fn render_page() -> String {
    let mut page = OPENING.to_owned();
    for metric in ALL {
        let kind = match metric.kind {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
            MetricKind::Histogram => "histogram",
        };
        let labels = metric
            .labels
            .iter()
            .map(|label| format!("`{label}`"))
            .collect::<Vec<_>>()
            .join(", ");
        let _ = writeln!(
            page,
            "| `{}` | {kind} | {labels} | {} | {} |",
            metric.name,
            metric.unit.as_str(),
            metric.help
        );
    }
    page
}

/// Every `sever_…` word of `text`; a word that ends in `_` is a prefix or a pattern and no name.
fn words(text: &str) -> BTreeSet<&str> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    text.split(|letter| !is_part(letter))
        .filter(|word| word.starts_with("sever_") && !word.ends_with('_'))
        .collect()
}

/// Whether the catalogue has `word`, or the histogram of which it is a series.
fn is_known(word: &str) -> bool {
    ALL.iter().any(|metric| {
        let series = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|suffix| word.strip_suffix(suffix));
        metric.name == word || (metric.kind == MetricKind::Histogram && series == Some(metric.name))
    })
}

#[test]
fn the_page_in_the_repository_is_what_the_catalogue_says() {
    let path = root().join("deploy/METRICS.md");
    let expected = render_page();
    #[expect(
        clippy::disallowed_methods,
        reason = "the one switch that rewrites the page instead of comparing"
    )]
    if std::env::var_os("SEVER_BLESS").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let page = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        page, expected,
        "deploy/METRICS.md has drifted: run this test once with SEVER_BLESS=1"
    );
}

#[test]
fn rules_and_dashboards_use_only_metrics_of_the_catalogue() {
    let mut seen = 0;
    for folder in ["deploy/prometheus", "deploy/grafana"] {
        for (path, text) in files(&root().join(folder), &["yml", "yaml", "json"]) {
            for word in words(&text) {
                assert!(
                    is_known(word),
                    "{} uses {word}, which the catalogue does not have",
                    path.display()
                );
                seen += 1;
            }
        }
    }
    assert!(
        seen > 20,
        "the scan found almost nothing: has deploy/ moved?"
    );
}

/// A metric that is recorded under a name or label of its own would be on no page and in no alert.
#[test]
fn code_records_only_metrics_of_the_catalogue_with_their_labels() {
    for folder in ["shared", "services"] {
        for (path, text) in files(&root().join(folder), &["rs"]) {
            for (name, labels) in recorded(&text) {
                let metric = ALL.iter().find(|metric| metric.name == name);
                let expected =
                    metric.map(|metric| BTreeSet::from_iter(metric.labels.iter().copied()));
                assert_eq!(
                    Some(labels),
                    expected,
                    "{} records {name}; the catalogue has these labels",
                    path.display()
                );
            }
        }
    }
}

/// Names and labels given literally to `counter!`, `gauge!` and `histogram!`.
fn recorded(text: &str) -> Vec<(&str, BTreeSet<&str>)> {
    let calls = ["counter!(", "gauge!(", "histogram!("]
        .into_iter()
        .flat_map(|call| text.split(call).skip(1));
    let named = calls.filter_map(|call| {
        let (name, rest) = call.trim_start().strip_prefix('"')?.split_once('"')?;
        let arguments = to_the_closing_parenthesis(rest);
        let labels = arguments
            .split("=>")
            .filter_map(|before| before.trim_end().strip_suffix('"')?.rsplit('"').next());
        Some((name, labels.collect()))
    });
    named
        .filter(|(name, _)| name.starts_with("sever_"))
        .collect()
}

/// The start of `text` up to the parenthesis that closes the call it stands in.
fn to_the_closing_parenthesis(text: &str) -> &str {
    let mut open = 1;
    let end = text.find(|letter| {
        open += match letter {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        open == 0
    });
    &text[..end.unwrap_or(text.len())]
}

#[test]
fn the_scans_see_what_they_look_for() {
    assert_eq!(
        words("rate(sever_jobs_x[5m]) by (le) sever_[a-z]"),
        BTreeSet::from(["sever_jobs_x"])
    );
    assert!(
        is_known("sever_verified_seconds_bucket")
            && !is_known("sever_jobs_bucket")
            && !is_known("sever_job")
    );
    let text = "gauge!(\n \"sever_jobs\",\n \"state\" => state, \"provider\" => name.to_owned()\n).set(1.0); counter!(X.name)";
    assert_eq!(
        recorded(text),
        [("sever_jobs", BTreeSet::from(["provider", "state"]))]
    );
}
