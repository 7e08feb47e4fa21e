//! Where values come from: the process, or a map in tests.

use std::collections::BTreeMap;

/// A source of named values.
///
/// An implementation answers from memory: it neither blocks nor fails.
pub trait Environment {
    /// The value of `name`, or `None` where it is not set.
    fn get(&self, name: &str) -> Option<String>;

    /// The names of everything that is set, in no particular order; used to find misspelt variables.
    fn names(&self) -> Vec<String>;
}

/// The environment of this process.
///
/// Bytes that are not UTF-8 arrive as U+FFFD, which the reader refuses: a broken value is an error and not an absent one.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the environment"
    )]
    fn get(&self, name: &str) -> Option<String> {
        std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the environment"
    )]
    fn names(&self) -> Vec<String> {
        std::env::vars_os()
            .map(|(name, _)| name.to_string_lossy().into_owned())
            .collect()
    }
}

/// An environment made of given pairs, for tests and for programs that compute the environment of another.
#[derive(Clone, Default)]
pub struct MapEnvironment(BTreeMap<String, String>);

impl MapEnvironment {
    /// The same environment with `name` set to `value`.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.insert(name.into(), value.into());
        self
    }

    /// The same environment without `name`.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.0.remove(name);
        self
    }
}

impl<const N: usize> From<[(&str, &str); N]> for MapEnvironment {
    fn from(pairs: [(&str, &str); N]) -> Self {
        pairs
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }
}

impl FromIterator<(String, String)> for MapEnvironment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

/// Names only: the values may be secrets.
impl std::fmt::Debug for MapEnvironment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Environment for MapEnvironment {
    fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }

    fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_of_a_map_shows_names_and_no_values() {
        let shown = format!(
            "{:?}",
            MapEnvironment::from([("SEVER_AMQP_URL", "amqp://u:hunter2@h")])
        );
        assert!(shown.contains("SEVER_AMQP_URL"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn the_process_environment_lists_what_it_can_get() {
        let names = ProcessEnvironment.names();
        assert!(!names.is_empty());
        assert!(
            names
                .iter()
                .all(|name| ProcessEnvironment.get(name).is_some())
        );
        assert_eq!(
            ProcessEnvironment.get("SEVER_A_NAME_THAT_NOBODY_SETS"),
            None
        );
    }
}
