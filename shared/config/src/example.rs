//! The reference page of all variables, `sever.env.example`, made from their declarations.

use std::fmt::Write as _;

use crate::{
    BrokerConfig, ConsoleClientConfig, DatabaseConfig, DevConfig, DispatchConfig, FromEnvironment,
    GuardConfig, HttpConfig, OpsConfig, OwnerDatabaseConfig, Variable, WorkerConfig,
};

/// Every concern with its title and its readers, in the order of the page.
const CONCERNS: &[(&str, &[&Variable])] = &[
    (
        "Database (intake, console, workers)",
        DatabaseConfig::VARIABLES,
    ),
    (
        "Database owner (`sever migrate`, `sever database-restored`)",
        OwnerDatabaseConfig::VARIABLES,
    ),
    ("Broker (intake, workers)", BrokerConfig::VARIABLES),
    (
        "Health, metrics, logs, shutdown (every service)",
        OpsConfig::VARIABLES,
    ),
    ("HTTP (intake, console)", HttpConfig::VARIABLES),
    ("Worker runtime (workers)", WorkerConfig::VARIABLES),
    ("Dispatch (intake)", DispatchConfig::VARIABLES),
    ("Guards (workers)", GuardConfig::VARIABLES),
    ("Command line (`sever`)", ConsoleClientConfig::VARIABLES),
    (
        "Developer's machine (`sever dev`, `sever demo`)",
        DevConfig::VARIABLES,
    ),
];

const OPENING: &str = "\
# Every variable that a Sever program reads: unit, range, default, and what too high and too low cost.
# Required ones are set to an example below; the others are commented out with their default or, where there is none, an example.
# A secret can instead be given as a file: set the same name with _FILE appended to an absolute path.
# An empty value counts as not set. A wrong value stops the program, naming every variable to correct.
";

/// The text of `sever.env.example`.
#[must_use]
pub fn render_example() -> String {
    let mut page = OPENING.to_owned();
    for (title, variables) in CONCERNS {
        let _ = write!(page, "\n# ---- {title}\n");
        for variable in *variables {
            let mark = if variable.required() { "" } else { "#" };
            let value = variable
                .default_text()
                .unwrap_or_else(|| variable.example.to_owned());
            let _ = write!(
                page,
                "\n# {}\n# {}\n{mark}{}={value}\n",
                variable.help, variable.kind, variable.name
            );
        }
    }
    page
}

/// Every declared variable, in the order of the page.
pub(crate) fn all_variables() -> impl Iterator<Item = &'static Variable> {
    CONCERNS
        .iter()
        .flat_map(|(_, variables)| variables.iter().copied())
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;
    use crate::{Environment, Kind, MapEnvironment, Reader};

    /// Notes each name that is asked for.
    #[derive(Default)]
    struct Recording(RefCell<BTreeSet<String>>);

    impl Environment for Recording {
        fn get(&self, name: &str) -> Option<String> {
            self.0.borrow_mut().insert(name.to_owned());
            None
        }

        fn names(&self) -> Vec<String> {
            Vec::new()
        }
    }

    fn asked_by<T: FromEnvironment>() -> (BTreeSet<String>, BTreeSet<String>) {
        let recording = Recording::default();
        T::read(&mut Reader::new(&recording));
        let declared = T::VARIABLES
            .iter()
            .flat_map(|variable| [Some(variable.name.to_owned()), variable.file_name()])
            .flatten()
            .collect();
        (recording.0.into_inner(), declared)
    }

    #[test]
    fn every_struct_reads_exactly_what_it_declares() {
        let pairs = [
            asked_by::<DatabaseConfig>(),
            asked_by::<OwnerDatabaseConfig>(),
            asked_by::<BrokerConfig>(),
            asked_by::<OpsConfig>(),
            asked_by::<HttpConfig>(),
            asked_by::<WorkerConfig>(),
            asked_by::<DispatchConfig>(),
            asked_by::<GuardConfig>(),
            asked_by::<ConsoleClientConfig>(),
            asked_by::<DevConfig>(),
        ];
        assert_eq!(
            pairs.len(),
            CONCERNS.len(),
            "a concern is missing from the page or from this test"
        );
        for (asked, declared) in pairs {
            assert_eq!(asked, declared);
        }
    }

    #[test]
    fn the_page_in_the_repository_is_what_the_declarations_say() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sever.env.example");
        let expected = render_example();
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
            "sever.env.example has drifted: run this test once with SEVER_BLESS=1"
        );
    }

    #[test]
    fn the_page_with_every_line_switched_on_is_a_right_configuration() {
        let lines = render_example();
        let settings = lines
            .lines()
            .map(|line| line.trim_start_matches('#'))
            .filter(|line| !line.starts_with(' '));
        let environment: MapEnvironment = settings
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        assert_eq!(environment.names().len(), all_variables().count());
        let all: Result<
            (
                DatabaseConfig,
                OwnerDatabaseConfig,
                BrokerConfig,
                OpsConfig,
                HttpConfig,
                WorkerConfig,
                DispatchConfig,
            ),
            _,
        > = crate::read_all(&environment);
        all.unwrap();
        crate::read_all::<(GuardConfig, ConsoleClientConfig, DevConfig)>(&environment).unwrap();
    }

    #[test]
    fn names_are_unique_and_carry_their_unit() {
        let names: BTreeSet<_> = all_variables().map(|variable| variable.name).collect();
        assert_eq!(names.len(), all_variables().count());
        for variable in all_variables() {
            if let Kind::Time {
                unit,
                min,
                max,
                default,
            } = variable.kind
            {
                assert!(variable.name.ends_with(unit.suffix()), "{}", variable.name);
                assert!((min..=max).contains(&default), "{}", variable.name);
            }
        }
    }
}
