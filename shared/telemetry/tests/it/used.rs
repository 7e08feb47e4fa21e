//! Every metric of the catalogue is set by some code: a page that promises a figure which nobody writes is worse than none.

use sever_telemetry::catalogue::ALL;

use crate::{files, root};

/// The catalogue declares, and the recorder gives histograms their buckets; neither sets anything.
const NO_USE: [&str; 2] = ["src/catalogue.rs", "src/metrics_recorder.rs"];

/// The constants of the catalogue in the order of [`ALL`], read from its source.
fn constants() -> Vec<String> {
    let source = std::fs::read_to_string(root().join("shared/telemetry/src/catalogue.rs")).unwrap();
    let declared = source.lines().filter_map(|line| {
        let (constant, rest) = line.trim_start().split_once(": ")?;
        let kind = rest.split(' ').next()?;
        let is_one = ["Counter", "Gauge", "Histogram"].contains(&kind) && rest.contains(" in ");
        is_one.then(|| constant.to_owned())
    });
    declared.collect()
}

#[test]
fn every_metric_is_set_somewhere() {
    let constants = constants();
    assert_eq!(constants.len(), ALL.len(), "{constants:?}");
    let code: Vec<String> = ["shared", "services"]
        .iter()
        .flat_map(|room| files(&root().join(room), &["rs"]))
        .filter(|(path, _)| {
            path.components().any(|part| part.as_os_str() == "src")
                && !NO_USE.iter().any(|file| path.ends_with(file))
        })
        .map(|(_, text)| text)
        .collect();
    let unset: Vec<&str> = constants
        .iter()
        .zip(ALL)
        .filter(|(constant, metric)| {
            // Rooms that may not use the catalogue's crate write the name itself.
            let (named, literal) = (
                format!("catalogue::{constant}"),
                format!("\"{}\"", metric.name),
            );
            !code.iter().any(|text| {
                text.contains(&literal)
                    || text.match_indices(&named).any(|(at, found)| {
                        let next = text[at + found.len()..].chars().next();
                        !next.is_some_and(|c| c.is_alphanumeric() || c == '_')
                    })
            })
        })
        .map(|(_, metric)| metric.name)
        .collect();
    assert!(unset.is_empty(), "nobody sets {unset:?}");
}
