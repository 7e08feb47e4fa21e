//! The guards that stop a run-away source: mass guard and protected list.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use crate::secret_file::read_text;
use crate::{FromEnvironment, Kind, Reader, TimeUnit, Variable, Wrong};

/// Limits of the mass guard, and who is protected.
#[derive(Debug, Clone, PartialEq)]
pub struct GuardConfig {
    /// People affected in one window above which the mass guard trips.
    pub mass_count: u64,
    /// Percent of the active directory in one window above which the mass guard trips.
    pub mass_percent: f64,
    /// The window.
    pub mass_window: Duration,
    /// The percentage applies only where more people than this are affected in the window.
    pub mass_minimum: u64,
    /// People and accounts that are never acted on without a person's release.
    pub protected: BTreeSet<ProtectedEntry>,
}

/// One protected person (`source:external_id`) or account (`connection:provider_id`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProtectedEntry {
    /// Name of the source or connection: before the first colon.
    pub scope: String,
    /// The id within it: after the first colon, never empty.
    pub id: String,
}

impl ProtectedEntry {
    /// Parses `scope:id`; both parts are trimmed and must not be empty.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (scope, id) = text.split_once(':')?;
        let (scope, id) = (scope.trim(), id.trim());
        (!scope.is_empty() && !id.is_empty()).then(|| Self {
            scope: scope.to_owned(),
            id: id.to_owned(),
        })
    }
}

/// Largest protected list: 10,000 entries of 100 bytes; more is no exception list any more.
const PROTECTED_BYTES_MAX: u64 = 1024 * 1024;

const MASS_COUNT: Variable = Variable {
    name: "SEVER_GUARD_MASS_COUNT",
    kind: Kind::Whole {
        unit: "people",
        min: 1,
        max: 10_000_000,
        default: 50,
    },
    example: "50",
    help: "People affected in one window above which everything further is held. Too high: a broken feed removes that many. Too low: an ordinary day needs releases.",
};

const MASS_PERCENT: Variable = Variable {
    name: "SEVER_GUARD_MASS_PERCENT",
    kind: Kind::Decimal {
        unit: "percent of the active directory",
        min: 0.01,
        max: 100.0,
        default: 5.0,
    },
    example: "5.0",
    help: "Share of active people in one window above which everything further is held. Too high and too low cost as with the count.",
};

const MASS_WINDOW: Variable = Variable {
    name: "SEVER_GUARD_MASS_WINDOW_S",
    kind: Kind::Time {
        unit: TimeUnit::Seconds,
        min: 60,
        max: 604_800,
        default: 3_600,
    },
    example: "3600",
    help: "The window. Too long: ordinary days add up to a trip. Too short: a slow run-away stays under the limits.",
};

const MASS_MINIMUM: Variable = Variable {
    name: "SEVER_GUARD_MASS_MINIMUM",
    kind: Kind::Whole {
        unit: "people",
        min: 0,
        max: 10_000_000,
        default: 10,
    },
    example: "10",
    help: "The percentage applies only above this many people. Too high: small organisations have the count alone. Too low: one leaver of twelve trips it.",
};

const PROTECTED: Variable = Variable {
    name: "SEVER_GUARD_PROTECTED",
    kind: Kind::List,
    example: "hr:10001,okta-main:00u1abcd2EFGH3ijk4x7",
    help: "People (source:external_id) and accounts (connection:provider_id) that are always held: break-glass, service accounts. Missing ones can be locked out.",
};

const PROTECTED_FILE: Variable = Variable {
    name: "SEVER_GUARD_PROTECTED_FILE",
    kind: Kind::File,
    example: "/etc/sever/protected.txt",
    help: "More of the same, one entry per line, `#` starts a comment line; at most 1 MiB. Read once at start.",
};

impl FromEnvironment for GuardConfig {
    const VARIABLES: &'static [&'static Variable] = &[
        &MASS_COUNT,
        &MASS_PERCENT,
        &MASS_WINDOW,
        &MASS_MINIMUM,
        &PROTECTED,
        &PROTECTED_FILE,
    ];

    fn read(reader: &mut Reader<'_>) -> Self {
        let mut protected = read_list(reader);
        if let Some(path) = reader.file(&PROTECTED_FILE) {
            match read_file(&path) {
                Ok(entries) => protected.extend(entries),
                Err(why) => reader.reject(&PROTECTED_FILE, Wrong::File(why)),
            }
        }
        Self {
            mass_count: reader.whole(&MASS_COUNT),
            mass_percent: reader.decimal(&MASS_PERCENT),
            mass_window: reader.time(&MASS_WINDOW),
            mass_minimum: reader.whole(&MASS_MINIMUM),
            protected,
        }
    }
}

fn read_list(reader: &mut Reader<'_>) -> BTreeSet<ProtectedEntry> {
    let texts = reader.list(&PROTECTED);
    let entries: Option<BTreeSet<_>> = texts
        .iter()
        .map(|text| ProtectedEntry::parse(text))
        .collect();
    if entries.is_none() {
        reader.reject(&PROTECTED, Wrong::NotA("a list of scope:id entries"));
    }
    entries.unwrap_or_default()
}

/// The entries of the file; errors name the line and never its content, which may be personal.
fn read_file(path: &Path) -> Result<BTreeSet<ProtectedEntry>, String> {
    let text = read_text(path, PROTECTED_BYTES_MAX)?;
    let lines = text.lines().map(str::trim).enumerate();
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(index, line)| {
            ProtectedEntry::parse(line)
                .ok_or_else(|| format!("has no scope:id in line {}", index + 1))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MapEnvironment;

    fn with_file(content: &str) -> (tempfile::NamedTempFile, MapEnvironment) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        let environment = MapEnvironment::default()
            .with("SEVER_GUARD_PROTECTED_FILE", file.path().to_string_lossy());
        (file, environment)
    }

    #[test]
    fn list_and_file_add_up() {
        let (_file, environment) = with_file("# break-glass\nokta-main:00u1\n\n hr : 7 \n");
        let config =
            GuardConfig::from_environment(&environment.with("SEVER_GUARD_PROTECTED", "hr:1, hr:7"))
                .unwrap();
        let shown: Vec<_> = config
            .protected
            .iter()
            .map(|entry| format!("{}:{}", entry.scope, entry.id))
            .collect();
        assert_eq!(shown, ["hr:1", "hr:7", "okta-main:00u1"]);
        assert_eq!((config.mass_count, config.mass_percent), (50, 5.0));
    }

    #[test]
    fn an_entry_without_scope_is_refused_and_not_ignored() {
        let (_file, environment) = with_file("hr:1\nboss@example.com\n");
        let errors = GuardConfig::from_environment(&environment).unwrap_err();
        assert!(
            errors
                .to_string()
                .contains("SEVER_GUARD_PROTECTED_FILE names a file that has no scope:id in line 2"),
            "{errors}"
        );
        assert!(!errors.to_string().contains("boss"), "{errors}");
        assert!(
            GuardConfig::from_environment(&MapEnvironment::from([(
                "SEVER_GUARD_PROTECTED",
                "hr:1,x"
            )]))
            .is_err()
        );
    }

    #[test]
    fn percentages_outside_the_range_are_refused() {
        for wrong in ["0", "100.1", "NaN", "inf", "-1", "five"] {
            let environment = MapEnvironment::from([("SEVER_GUARD_MASS_PERCENT", wrong)]);
            assert!(
                GuardConfig::from_environment(&environment).is_err(),
                "{wrong}"
            );
        }
    }
}
