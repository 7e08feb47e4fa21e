//! The hand-kept description of the messages against the examples and the reader.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sever_accept::LeaverEvent;

/// One example for each type of event, with its text.
pub(crate) fn examples() -> Vec<(PathBuf, String)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| (path.clone(), std::fs::read_to_string(path).unwrap()))
        .collect()
}

fn asyncapi() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("asyncapi.yaml")).unwrap()
}

/// The names of the properties of a schema, by its indentation in our own layout.
fn properties(schema: &str) -> BTreeSet<String> {
    let text = asyncapi();
    let lines = text
        .lines()
        .skip_while(|line| *line != "  schemas:")
        .skip_while(|line| *line != format!("    {schema}:"))
        .skip(1);
    lines
        .take_while(|line| line.starts_with("      "))
        .filter(|line| line.starts_with("        ") && !line.starts_with("         "))
        .filter_map(|line| line.trim().strip_suffix(':').map(ToOwned::to_owned))
        .collect()
}

fn names(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn there_is_an_example_of_each_type_and_the_reader_takes_it() {
    let mut types = BTreeSet::new();
    for (path, text) in examples() {
        LeaverEvent::parse(text.as_bytes())
            .unwrap_or_else(|fault| panic!("{}: {fault}", path.display()));
        let event: Value = serde_json::from_str(&text).unwrap();
        types.insert(event["type"].as_str().unwrap().to_owned());
    }
    let text = asyncapi();
    let described: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("name: sever.employment."))
        .map(|rest| format!("sever.employment.{rest}"))
        .collect();
    assert_eq!(types, described);
}

#[test]
fn the_described_fields_are_those_of_the_reader_and_of_the_examples() {
    let mut used = [BTreeSet::new(), BTreeSet::new(), BTreeSet::new()];
    for (_, text) in examples() {
        let event: Value = serde_json::from_str(&text).unwrap();
        for (names_used, part) in
            used.iter_mut()
                .zip([&event, &event["data"], &event["data"]["person"]])
        {
            names_used.extend(names(part));
        }
    }
    let described = ["event", "data", "person"].map(properties);
    assert_eq!(used, described);
    // The reader's own description, as HTTP serves it.
    let openapi = serde_json::to_value(sever_intake::description()).unwrap();
    for (schema, described) in [
        ("LeaverEventBody", &described[0]),
        ("LeaverData", &described[1]),
        ("PersonInEvent", &described[2]),
    ] {
        assert_eq!(
            &names(&openapi["components"]["schemas"][schema]["properties"]),
            described,
            "{schema}"
        );
    }
}
