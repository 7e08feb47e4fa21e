//! Finds variables that nobody reads: a misspelt guard limit must not be a silent default.

use std::collections::BTreeSet;

use crate::example::all_variables;
use crate::{Environment, Variable};

/// A `SEVER_*` variable that no concern declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownVariable {
    /// Its name as set.
    pub name: String,
    /// The declared variable that it resembles, if any.
    pub nearest: Option<&'static str>,
}

/// Every `SEVER_*` variable of `environment` that no concern declares, by name; to be logged as a warning at start.
///
/// `ignored` names further variables that are right: those that credential references (`env:SEVER_…`) point to.
pub fn unknown_variables(environment: &impl Environment, ignored: &[&str]) -> Vec<UnknownVariable> {
    let declared: Vec<&'static Variable> = all_variables().collect();
    let known: BTreeSet<String> = declared
        .iter()
        .flat_map(|variable| [Some(variable.name.to_owned()), variable.file_name()])
        .flatten()
        .collect();
    let mut names = environment.names();
    names.retain(|name| {
        name.starts_with("SEVER_") && !known.contains(name) && !ignored.contains(&name.as_str())
    });
    names.sort_unstable();
    names
        .into_iter()
        .map(|name| UnknownVariable {
            nearest: nearest(&name, &declared),
            name,
        })
        .collect()
}

/// Edits above which two names are not a misspelling of each other.
const EDITS_MAX: usize = 3;

fn nearest(name: &str, declared: &[&'static Variable]) -> Option<&'static str> {
    let distances = declared
        .iter()
        .map(|variable| (edits(name, variable.name), variable.name));
    distances
        .filter(|(edits, _)| *edits <= EDITS_MAX)
        .min()
        .map(|(_, name)| name)
}

/// Levenshtein distance, by the usual row-wise programme.
fn edits(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, from) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MapEnvironment;

    #[test]
    fn a_misspelt_variable_is_found_with_what_was_meant() {
        let environment = MapEnvironment::from([
            ("SEVER_GUARD_MASS_CUONT", "5"),
            ("SEVER_GUARD_MASS_COUNT", "5"),
            ("SEVER_AMQP_URL_FILE", "/x"),
            ("SEVER_OKTA_KEY", "k"),
            ("SEVER_NOTHING_LIKE_IT", "1"),
            ("PATH", "/bin"),
        ]);
        let unknown = unknown_variables(&environment, &["SEVER_OKTA_KEY"]);
        let expected = [
            ("SEVER_GUARD_MASS_CUONT", Some("SEVER_GUARD_MASS_COUNT")),
            ("SEVER_NOTHING_LIKE_IT", None),
        ];
        assert_eq!(
            unknown
                .iter()
                .map(|one| (one.name.as_str(), one.nearest))
                .collect::<Vec<_>>(),
            expected
        );
    }
}
