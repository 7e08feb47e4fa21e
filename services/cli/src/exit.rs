//! Exit codes, which scripts may rely on, and failures that carry them.
//!
//! | code | meaning |
//! | --- | --- |
//! | 0 | done |
//! | 1 | a problem was found, or something failed that is none of the below |
//! | 2 | usage: an argument, a file or the configuration cannot be taken |
//! | 3 | not found |
//! | 4 | refused: no token that works, a missing scope, or a state that does not allow it |
//! | 5 | unreachable: the console or the database does not answer |
//! | 130 | `sever dev` was interrupted while it started, or `sever demo` before its end |

use std::fmt;
use std::path::Path;
use std::process::ExitCode;

/// Why a command ended without doing what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// 1: a problem was found, or something failed.
    Problem,
    /// 2: an argument, a file or the configuration cannot be taken.
    Usage,
    /// 3: there is no such thing.
    NotFound,
    /// 4: not allowed, by rights or by state.
    Refused,
    /// 5: the console or the database does not answer.
    Unreachable,
}

impl Reason {
    /// Its exit code.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Problem => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Refused => 4,
            Self::Unreachable => 5,
        }
    }
}

/// A failure: its reason and one message for people, without secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    reason: Reason,
    message: String,
}

impl Failure {
    /// A failure; the message says what was done, to what, and what to do next.
    pub(crate) fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
        }
    }

    /// An argument, a file or the configuration that cannot be taken.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Reason::Usage, message)
    }

    /// The same failure, which the file's content caused.
    pub(crate) fn in_file(mut self, file: &Path) -> Self {
        if matches!(
            self.reason,
            Reason::Usage | Reason::Refused | Reason::NotFound
        ) {
            self.message = format!("{}: {}", file.display(), self.message);
        }
        self
    }

    /// Whether this is its reason.
    pub(crate) fn is(&self, reason: Reason) -> bool {
        self.reason == reason
    }

    /// The exit code of the process.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.reason.code())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// So that a program of several steps can say at which one it failed.
impl std::error::Error for Failure {}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        // The chain in one line: what was being done, then why it failed.
        Self::new(Reason::Problem, format!("{error:#}"))
    }
}

impl From<sever_config::ConfigErrors> for Failure {
    fn from(errors: sever_config::ConfigErrors) -> Self {
        Self::usage(errors.to_string())
    }
}

/// What every command ends in.
pub(crate) type Ended = Result<ExitCode, Failure>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_those_of_the_contract() {
        let codes = [
            Reason::Problem,
            Reason::Usage,
            Reason::NotFound,
            Reason::Refused,
            Reason::Unreachable,
        ]
        .map(Reason::code);
        assert_eq!(codes, [1, 2, 3, 4, 5]);
    }
}
