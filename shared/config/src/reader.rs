//! Parses declared variables out of an environment, and keeps every problem instead of stopping at the first.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use crate::secret_file::read_secret;
use crate::{ConfigError, ConfigErrors, Environment, Kind, Variable, Wrong};

/// Reads values for [`crate::FromEnvironment::read`].
///
/// A method that finds a problem records it and returns a stand-in (the default, or empty), so that the remaining variables are
/// still read; [`Reader::finish`] then refuses to hand the struct out. Surrounding white space is ignored, and an empty value counts as not set.
pub struct Reader<'a> {
    environment: &'a dyn Environment,
    problems: Vec<ConfigError>,
}

impl<'a> Reader<'a> {
    /// A reader over `environment` that has found no problem yet.
    #[must_use]
    pub fn new(environment: &'a dyn Environment) -> Self {
        Self {
            environment,
            problems: Vec::new(),
        }
    }

    /// `value`, if nothing was wrong.
    ///
    /// # Errors
    /// Everything that was wrong, in the order of reading.
    pub fn finish<T>(self, value: T) -> Result<T, ConfigErrors> {
        if self.problems.is_empty() {
            Ok(value)
        } else {
            Err(ConfigErrors(self.problems))
        }
    }

    /// Records that `variable` is wrong.
    pub fn reject(&mut self, variable: &Variable, wrong: Wrong) {
        self.problems.push(ConfigError {
            name: variable.name.to_owned(),
            wrong,
            example: variable.example,
        });
    }

    /// Records that `variable` contradicts another one, unless `holds`; `why` completes "SEVER_X …".
    pub fn demand(&mut self, holds: bool, variable: &Variable, why: &str) {
        if !holds {
            self.reject(variable, Wrong::Contradiction(why.to_owned()));
        }
    }

    /// A [`Kind::Whole`] variable.
    pub fn whole(&mut self, variable: &Variable) -> u64 {
        let Kind::Whole {
            min, max, default, ..
        } = variable.kind
        else {
            undeclared(variable, "Whole")
        };
        self.number(variable, min, max, default)
    }

    /// A [`Kind::Whole`] variable as a size; every declared range fits.
    pub fn size(&mut self, variable: &Variable) -> usize {
        usize::try_from(self.whole(variable)).expect("the declared range of a size fits usize")
    }

    /// A [`Kind::Time`] variable.
    pub fn time(&mut self, variable: &Variable) -> Duration {
        let Kind::Time {
            unit,
            min,
            max,
            default,
        } = variable.kind
        else {
            undeclared(variable, "Time")
        };
        unit.duration(self.number(variable, min, max, default))
    }

    /// A [`Kind::Decimal`] variable.
    pub fn decimal(&mut self, variable: &Variable) -> f64 {
        let Kind::Decimal {
            min, max, default, ..
        } = variable.kind
        else {
            undeclared(variable, "Decimal")
        };
        let Some(text) = self.text_of(variable.name) else {
            return default;
        };
        match text.parse::<f64>() {
            Ok(value) if (min..=max).contains(&value) => value,
            // NaN and infinities are decimals to the parser and outside every range.
            Ok(value) => self.stand_in(variable, out_of_range(value, min, max), default),
            Err(_) => self.stand_in(variable, Wrong::NotA("a decimal number"), default),
        }
    }

    /// A [`Kind::Text`] variable.
    pub fn text(&mut self, variable: &Variable) -> String {
        let Kind::Text { default } = variable.kind else {
            undeclared(variable, "Text")
        };
        match self.text_of(variable.name) {
            Some(text) if is_broken(&text) => {
                self.stand_in(variable, Wrong::NotA("valid UTF-8"), default.to_owned())
            }
            Some(text) => text,
            None => default.to_owned(),
        }
    }

    /// A [`Kind::Address`] variable; `None` means that the default of the service applies.
    pub fn address(&mut self, variable: &Variable) -> Option<SocketAddr> {
        let text = self.text_of(variable.name)?;
        match text.parse() {
            Ok(address) => Some(address),
            Err(_) => self.stand_in(variable, Wrong::NotA("an IP address with a port"), None),
        }
    }

    /// A [`Kind::Switch`] variable.
    pub fn switch(&mut self, variable: &Variable) -> bool {
        let Kind::Switch { default } = variable.kind else {
            undeclared(variable, "Switch")
        };
        match self.text_of(variable.name).as_deref() {
            None => default,
            Some("true") => true,
            Some("false") => false,
            Some(_) => self.stand_in(variable, Wrong::NotA("true or false"), default),
        }
    }

    /// A required [`Kind::Secret`]; `check` gets the value and says what it is not.
    pub fn secret(
        &mut self,
        variable: &Variable,
        check: fn(&str) -> Result<(), Wrong>,
    ) -> SecretString {
        let found = self
            .find_secret(variable)
            .and_then(|found| found.ok_or((variable.name.to_owned(), Wrong::Missing)));
        self.checked(variable, found, check).unwrap_or_default()
    }

    /// A [`Kind::Secret`] that may be absent.
    pub fn optional_secret(
        &mut self,
        variable: &Variable,
        check: fn(&str) -> Result<(), Wrong>,
    ) -> Option<SecretString> {
        let found = self.find_secret(variable).transpose()?;
        self.checked(variable, found, check)
    }

    /// The secret from the variable or its file, unchecked; the error carries the name of the variable to change.
    fn find_secret(&self, variable: &Variable) -> Result<Option<SecretString>, (String, Wrong)> {
        let Some(file_name) = variable.file_name() else {
            undeclared(variable, "Secret")
        };
        match (self.text_of(variable.name), self.text_of(&file_name)) {
            (Some(_), Some(_)) => Err((variable.name.to_owned(), Wrong::TwoSources)),
            (Some(text), None) => Ok(Some(text.into())),
            (None, Some(path)) => match read_secret(Path::new(&path)) {
                Ok(text) => Ok(Some(text.into())),
                Err(why) => Err((file_name, Wrong::File(why))),
            },
            (None, None) => Ok(None),
        }
    }

    fn checked(
        &mut self,
        variable: &Variable,
        found: Result<SecretString, (String, Wrong)>,
        check: fn(&str) -> Result<(), Wrong>,
    ) -> Option<SecretString> {
        let checked = found.and_then(|secret| {
            let text = secret.expose_secret();
            let verdict = if is_broken(text) {
                Err(Wrong::NotA("valid UTF-8"))
            } else {
                check(text)
            };
            verdict.map_err(|wrong| (variable.name.to_owned(), wrong))?;
            Ok(secret)
        });
        match checked {
            Ok(secret) => Some(secret),
            Err((name, wrong)) => {
                let example = if name == variable.name {
                    variable.example
                } else {
                    "/run/secrets/value"
                };
                self.problems.push(ConfigError {
                    name,
                    wrong,
                    example,
                });
                None
            }
        }
    }

    fn number(&mut self, variable: &Variable, min: u64, max: u64, default: u64) -> u64 {
        let Some(text) = self.text_of(variable.name) else {
            return default;
        };
        match text.parse::<u64>() {
            Ok(value) if (min..=max).contains(&value) => value,
            Ok(value) => self.stand_in(variable, out_of_range(value, min, max), default),
            Err(_) => self.stand_in(variable, Wrong::NotA("a whole number"), default),
        }
    }

    fn text_of(&self, name: &str) -> Option<String> {
        let text = self.environment.get(name)?.trim().to_owned();
        (!text.is_empty()).then_some(text)
    }

    fn stand_in<T>(&mut self, variable: &Variable, wrong: Wrong, value: T) -> T {
        self.reject(variable, wrong);
        value
    }
}

/// Whether bytes were lost on the way from the process environment.
fn is_broken(text: &str) -> bool {
    text.contains(char::REPLACEMENT_CHARACTER)
}

fn out_of_range<T: std::fmt::Display>(value: T, min: T, max: T) -> Wrong {
    Wrong::OutOfRange {
        value: value.to_string(),
        min: min.to_string(),
        max: max.to_string(),
    }
}

/// A struct that reads a variable as another kind than it declared is a mistake in this crate, met by its first test.
fn undeclared(variable: &Variable, kind: &str) -> ! {
    unreachable!("{} is read as {kind} and declared otherwise", variable.name)
}
