//! What is wrong with the configuration, in words that can be acted on without the source.

use std::fmt;

/// One variable that is missing or wrong. Never holds the value of a secret, nor free text that somebody typed by mistake.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{name} {wrong}; a right value is for example {name}={example}")]
pub struct ConfigError {
    /// The variable to change.
    pub name: String,
    /// What is wrong with it.
    pub wrong: Wrong,
    /// A right value.
    pub example: &'static str,
}

/// What is wrong with a variable.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Wrong {
    /// Required and neither it nor its file variable is set; an empty value counts as not set.
    #[error("is not set")]
    Missing,
    /// Not of the declared type.
    #[error("is not {0}")]
    NotA(&'static str),
    /// A number outside its range; the number is no secret and is shown.
    #[error("is {value}, outside {min} to {max}")]
    OutOfRange {
        /// The value as written.
        value: String,
        /// Smallest right value.
        min: String,
        /// Largest right value.
        max: String,
    },
    /// The variable and its file variable are both set, and which one wins would be a guess.
    #[error("and the same name with _FILE are both set: keep one")]
    TwoSources,
    /// The file that it names cannot be used.
    #[error("names a file that {0}")]
    File(String),
    /// It contradicts another variable.
    #[error("{0}")]
    Contradiction(String),
}

/// Every problem of one read, at least one, in the order of reading.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfigErrors(pub(crate) Vec<ConfigError>);

impl ConfigErrors {
    /// The problems, at least one.
    #[must_use]
    pub fn problems(&self) -> &[ConfigError] {
        &self.0
    }
}

impl std::error::Error for ConfigErrors {}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the configuration is wrong ({} to correct, see sever.env.example)",
            self.0.len()
        )?;
        self.0
            .iter()
            .try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}
