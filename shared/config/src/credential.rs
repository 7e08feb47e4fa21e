//! References to credentials: no table and no configuration file ever holds the credential itself.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::Environment;
use crate::secret_file::read_secret;

/// Where a credential is kept: `env:NAME` or `file:/absolute/path`.
///
/// Display, Debug and serde show the reference only, which is no secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum CredentialReference {
    /// `env:NAME`: a variable of the worker's environment; letters, digits and `_`, not starting with a digit.
    Environment(String),
    /// `file:/absolute/path`: a file that the worker can read, at most 64 KiB of UTF-8.
    File(PathBuf),
}

/// Why a credential cannot be had. No variant holds any part of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// The text is no reference. It is not shown: people paste the credential itself here.
    #[error("a credential reference is written env:NAME or file:/absolute/path; this is neither")]
    Malformed,
    /// The variable is not set, empty, or not UTF-8.
    #[error(
        "the credential env:{0} is not set, or empty, or not UTF-8: set that variable for the worker"
    )]
    Unset(String),
    /// The file cannot be used; the words say why.
    #[error("the credential file:{path} {why}", path = path.display())]
    File {
        /// The path of the reference.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

impl CredentialReference {
    /// Reads the credential, less one trailing newline where it is a file. Blocks on the file system for a small file.
    ///
    /// Call it again at each use that may follow a rotation: nothing is cached.
    ///
    /// # Errors
    /// [`CredentialError::Unset`] or [`CredentialError::File`].
    pub fn resolve(&self, environment: &impl Environment) -> Result<SecretString, CredentialError> {
        match self {
            Self::Environment(name) => {
                let value = environment.get(name).filter(|value| {
                    !value.trim().is_empty() && !value.contains(char::REPLACEMENT_CHARACTER)
                });
                value
                    .map(SecretString::from)
                    .ok_or_else(|| CredentialError::Unset(name.clone()))
            }
            Self::File(path) => {
                read_secret(path)
                    .map(SecretString::from)
                    .map_err(|why| CredentialError::File {
                        path: path.clone(),
                        why,
                    })
            }
        }
    }
}

impl FromStr for CredentialReference {
    type Err = CredentialError;

    fn from_str(text: &str) -> Result<Self, CredentialError> {
        if let Some(name) = text
            .strip_prefix("env:")
            .filter(|name| is_variable_name(name))
        {
            return Ok(Self::Environment(name.to_owned()));
        }
        let path = text.strip_prefix("file:").map(PathBuf::from);
        path.filter(|path| path.is_absolute())
            .map(Self::File)
            .ok_or(CredentialError::Malformed)
    }
}

impl fmt::Display for CredentialReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

impl TryFrom<String> for CredentialReference {
    type Error = CredentialError;

    fn try_from(text: String) -> Result<Self, CredentialError> {
        text.parse()
    }
}

impl From<CredentialReference> for String {
    fn from(reference: CredentialReference) -> Self {
        reference.to_string()
    }
}

fn is_variable_name(name: &str) -> bool {
    let starts = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    starts
        && name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::MapEnvironment;

    #[test]
    fn references_survive_a_round_trip_and_everything_else_is_refused_unshown() {
        for right in [
            "env:SEVER_OKTA_KEY",
            "env:_x1",
            "file:/run/secrets/okta.pem",
        ] {
            assert_eq!(
                right.parse::<CredentialReference>().unwrap().to_string(),
                right
            );
        }
        for wrong in [
            "",
            "env:",
            "env:1A",
            "env:A B",
            "file:",
            "file:relative",
            "00aHunter2",
            "vault:x",
            "ENV:A",
        ] {
            let error = wrong.parse::<CredentialReference>().unwrap_err();
            assert_eq!(error, CredentialError::Malformed, "{wrong}");
            assert!(!error.to_string().contains("Hunter2"), "{error}");
        }
    }

    #[test]
    fn a_variable_resolves_to_its_value_and_an_empty_one_is_an_error() {
        let environment = MapEnvironment::from([("KEY", "s3cret"), ("EMPTY", " ")]);
        let resolve = |text: &str| {
            text.parse::<CredentialReference>()
                .unwrap()
                .resolve(&environment)
        };
        assert_eq!(resolve("env:KEY").unwrap().expose_secret(), "s3cret");
        assert_eq!(
            resolve("env:EMPTY").unwrap_err(),
            CredentialError::Unset("EMPTY".to_owned())
        );
        assert_eq!(
            resolve("env:ABSENT").unwrap_err(),
            CredentialError::Unset("ABSENT".to_owned())
        );
    }

    #[test]
    fn a_file_resolves_without_its_trailing_newline_and_the_error_names_the_path() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "s3cret\n").unwrap();
        let reference: CredentialReference =
            format!("file:{}", file.path().display()).parse().unwrap();
        assert_eq!(
            reference
                .resolve(&MapEnvironment::default())
                .unwrap()
                .expose_secret(),
            "s3cret"
        );

        let absent: CredentialReference = "file:/no/such/file".parse().unwrap();
        let error = absent.resolve(&MapEnvironment::default()).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("the credential file:/no/such/file cannot be read"),
            "{error}"
        );
    }
}
