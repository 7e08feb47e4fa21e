//! Every named statement, prepared against the real schema.

use std::fs;
use std::path::{Path, PathBuf};

use sever_testkit::Database;

/// Every Rust file below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                sources(&path)
            } else {
                vec![path]
            }
        })
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .collect()
}

/// The text constants of a file that are statements, with their names.
fn statements(source: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for part in source.split("const ").skip(1) {
        let Some((name, rest)) = part.split_once(": &str =") else {
            continue;
        };
        let Some(text) = rest
            .trim_start()
            .strip_prefix('"')
            .and_then(|text| text.split_once("\";"))
        else {
            continue;
        };
        let sql = text.0.replace("\\\"", "\"");
        if ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"]
            .iter()
            .any(|verb| sql.trim_start().starts_with(verb))
        {
            found.push((name.to_owned(), sql));
        }
    }
    found
}

/// A column that was renamed, an ambiguous name or a type that cannot be is found here, and not by the
/// first job that needs the statement.
#[tokio::test]
async fn the_schema_takes_every_statement() {
    let database = Database::fresh().await.unwrap();
    let mut prepared = 0;
    let mut script = String::new();
    for path in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        for (name, sql) in statements(&fs::read_to_string(&path).unwrap()) {
            prepared += 1;
            script.push_str(&format!(
                "/* {} {name} */ PREPARE s{prepared} AS {sql};\n",
                path.display()
            ));
        }
    }
    assert!(prepared > 80, "only {prepared} statements were found");
    for statement in script
        .split(";\n")
        .filter(|statement| !statement.trim().is_empty())
    {
        database.sql_as_app(statement).await.unwrap();
    }
}

/// A job's numbers and instants are bound as what they are: `$n / 2` or `LIMIT $n * 8` would make an
/// integer of what the code binds as something else.
#[tokio::test]
async fn bound_widths_are_those_of_the_code() {
    let database = Database::fresh().await.unwrap();
    let outbox =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/outbox.rs")).unwrap();
    let claim = statements(&outbox)
        .into_iter()
        .find(|(name, _)| name == "CLAIM")
        .unwrap()
        .1;
    let types = format!(
        "PREPARE claim AS {claim}; SELECT parameter_types FROM pg_prepared_statements WHERE name = 'claim'"
    );
    assert_eq!(
        database.sql(&types).await.unwrap(),
        "{uuid,bigint,\"double precision\"}"
    );
}
