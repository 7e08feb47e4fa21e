//! The dependency rules of the house, read from the manifests themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

/// What each room of `shared/` may use of the others; services may use all of them but never each other.
const LAYERS: &[(&str, &[&str])] = &[
    ("sever-domain", &[]),
    ("sever-backoff", &[]),
    ("sever-config", &[]),
    ("sever-crash-point", &[]),
    ("sever-telemetry", &[]),
    ("sever-private-servers", &[]),
    ("sever-audit", &["sever-domain"]),
    (
        "sever-bus",
        &[
            "sever-crash-point",
            "sever-backoff",
            "sever-domain",
            "sever-telemetry",
        ],
    ),
    (
        "sever-store",
        &["sever-crash-point", "sever-audit", "sever-domain"],
    ),
    (
        "sever-provider",
        &["sever-backoff", "sever-domain", "sever-telemetry"],
    ),
    (
        "sever-api",
        &[
            "sever-accept",
            "sever-domain",
            "sever-store",
            "sever-telemetry",
        ],
    ),
    (
        "sever-accept",
        &[
            "sever-crash-point",
            "sever-audit",
            "sever-domain",
            "sever-store",
            "sever-telemetry",
        ],
    ),
    (
        "sever-dispatch",
        &[
            "sever-crash-point",
            "sever-backoff",
            "sever-bus",
            "sever-domain",
            "sever-store",
            "sever-telemetry",
        ],
    ),
    (
        "sever-worker",
        &[
            "sever-crash-point",
            "sever-backoff",
            "sever-bus",
            "sever-config",
            "sever-domain",
            "sever-provider",
            "sever-store",
            "sever-telemetry",
        ],
    ),
];

/// One concern, one crate.
const ONLY: &[(&str, &[&str])] = &[
    ("lapin", &["sever-bus", "sever-bench"]),
    ("tokio-postgres", &["sever-store", "sever-bench"]),
    ("deadpool-postgres", &["sever-store", "sever-bench"]),
    ("refinery", &["sever-store"]),
    ("backoff", &["sever-backoff"]),
    ("metrics-exporter-prometheus", &["sever-telemetry"]),
    (
        "tracing-subscriber",
        &["sever-telemetry", "sever-provider-sim", "sever-bench"],
    ),
];

struct Manifest {
    folder: PathBuf,
    table: Table,
}

impl Manifest {
    fn name(&self) -> &str {
        self.table["package"]["name"].as_str().unwrap()
    }

    fn uses(&self, section: &str) -> BTreeSet<String> {
        let names = |table: &Table| table.keys().cloned().collect::<Vec<_>>();
        self.table
            .get(section)
            .and_then(Value::as_table)
            .map(names)
            .unwrap_or_default()
            .into_iter()
            .collect()
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn manifests() -> Vec<Manifest> {
    let folders = ["services", "shared"]
        .iter()
        .flat_map(|room| fs::read_dir(root().join(room)).unwrap())
        .map(|entry| entry.unwrap().path());
    let all: Vec<Manifest> = folders
        .chain(
            [
                "tests",
                "tests/bench",
                "tests/chaos",
                "tests/conformance",
                "tests/interop",
            ]
            .map(|room| root().join(room)),
        )
        .filter(|folder| folder.join("Cargo.toml").exists())
        .map(|folder| {
            let table = fs::read_to_string(folder.join("Cargo.toml"))
                .unwrap()
                .parse()
                .unwrap();
            Manifest { folder, table }
        })
        .collect();
    assert!(all.len() > 15, "the manifests were not found");
    all
}

#[test]
fn dependencies_point_one_way() {
    let layers: BTreeMap<&str, &[&str]> = LAYERS.iter().copied().collect();
    for manifest in manifests() {
        let ours: Vec<String> = manifest
            .uses("dependencies")
            .into_iter()
            .filter(|name| name.starts_with("sever-"))
            .collect();
        if let Some(allowed) = layers.get(manifest.name()) {
            for name in &ours {
                assert!(
                    allowed.contains(&name.as_str()),
                    "{} may not use {name}",
                    manifest.name()
                );
            }
        } else if manifest.folder.parent().unwrap().ends_with("shared") {
            assert_eq!(
                manifest.name(),
                "sever-testkit",
                "{} has no layer: give it one",
                manifest.name()
            );
        }
    }
}

#[test]
fn no_service_uses_another() {
    let all = manifests();
    let services: BTreeSet<&str> = all
        .iter()
        .filter(|manifest| manifest.folder.parent().unwrap().ends_with("services"))
        .map(Manifest::name)
        .collect();
    for manifest in &all {
        for section in ["dependencies", "build-dependencies"] {
            for name in manifest.uses(section) {
                assert!(
                    !services.contains(name.as_str()),
                    "{} uses the service {name}",
                    manifest.name()
                );
            }
        }
    }
}

#[test]
fn the_simulator_imports_nothing_of_ours() {
    let all = manifests();
    let simulator = all
        .iter()
        .find(|manifest| manifest.name() == "sever-provider-sim")
        .unwrap();
    for section in ["dependencies", "dev-dependencies"] {
        assert!(
            simulator
                .uses(section)
                .iter()
                .all(|name| !name.starts_with("sever-")),
            "{section}"
        );
    }
}

#[test]
fn one_crate_for_each_concern() {
    for manifest in manifests() {
        for (dependency, owners) in ONLY {
            if manifest.uses("dependencies").contains(*dependency) {
                assert!(
                    owners.contains(&manifest.name()),
                    "{} imports {dependency}, which only {owners:?} may",
                    manifest.name()
                );
            }
        }
    }
}

#[test]
fn every_crate_takes_its_lints_versions_and_edition_from_the_workspace() {
    for manifest in manifests() {
        let inherits = |value: Option<&Value>| {
            value
                .and_then(|value| value.get("workspace"))
                .and_then(Value::as_bool)
                == Some(true)
        };
        assert!(
            inherits(manifest.table.get("lints")),
            "{}: lints",
            manifest.name()
        );
        assert!(
            inherits(manifest.table["package"].get("edition")),
            "{}: edition",
            manifest.name()
        );
        for section in ["dependencies", "dev-dependencies"] {
            for (name, value) in manifest
                .table
                .get(section)
                .and_then(Value::as_table)
                .into_iter()
                .flatten()
            {
                assert!(
                    inherits(Some(value)),
                    "{}: {name} is not the workspace's",
                    manifest.name()
                );
            }
        }
    }
}

/// The table of crates is how a newcomer finds the room: none is missing, and none is named that is not there.
#[test]
fn the_architecture_page_names_every_room() {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for room in ["shared", "services"] {
        for entry in fs::read_dir(root().join(room)).unwrap() {
            let folder = entry.unwrap();
            if !folder.path().join("Cargo.toml").exists() {
                continue;
            }
            let name = folder.file_name().into_string().unwrap();
            let named = if room == "shared" {
                format!("| `shared/{name}` |")
            } else if name == "cli" {
                "| `sever` |".to_owned()
            } else {
                format!("| `sever-{name}` |")
            };
            assert!(page.contains(&named), "ARCHITECTURE.md has no row {named}");
        }
    }
    for row in page
        .lines()
        .filter_map(|line| line.strip_prefix("| `shared/"))
    {
        let name = row.split('`').next().unwrap();
        assert!(
            root().join("shared").join(name).join("Cargo.toml").exists(),
            "ARCHITECTURE.md names shared/{name}, which is not there"
        );
    }
}

#[test]
fn unsafe_code_is_forbidden_everywhere() {
    let workspace: Table = fs::read_to_string(root().join("Cargo.toml"))
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(
        workspace["workspace"]["lints"]["rust"]["unsafe_code"].as_str(),
        Some("forbid")
    );
}

/// The one file that reads the machine's time of day, and the program that is no service.
const CLOCK_READERS: [&str; 2] = [
    "shared/provider/src/wall_clock.rs",
    "services/cli/src/demo/events.rs",
];

/// Decisions rest on the database's clock, carried by the monotonic one: a machine whose clock is wrong does no harm.
#[test]
fn nobody_reads_the_machines_time_of_day() {
    for path in rust_files(&root().join("shared"))
        .into_iter()
        .chain(rust_files(&root().join("services")))
    {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        let is_ours = name.contains("/src/") && !name.contains("provider-sim");
        if !is_ours || CLOCK_READERS.contains(&name.as_str()) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for reader in ["Timestamp::now()", "SystemTime::now()", "Zoned::now()"] {
            assert!(!text.contains(reader), "{name} reads {reader}");
        }
    }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => rust_files(&path),
            false => vec![path],
        })
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .collect()
}

#[test]
fn the_lock_file_names_only_the_public_registry() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    for line in lock.lines().filter(|line| line.starts_with("source = ")) {
        assert_eq!(
            line,
            "source = \"registry+https://github.com/rust-lang/crates.io-index\""
        );
    }
}
