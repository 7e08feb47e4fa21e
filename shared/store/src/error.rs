//! What can go wrong between Sever and its database.

use std::fmt;
use std::time::Duration;

use thiserror::Error;

/// A statement or connection that failed. Messages name the statement, never a bound value.
#[derive(Debug, Error)]
pub enum StoreError {
    /// No connection could be had in time: the pool is empty or the server is away.
    #[error(
        "no database connection could be had while {doing}; check that PostgreSQL is up and the pool is large enough"
    )]
    NoConnection {
        /// What was to be done.
        doing: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A statement failed.
    #[error("the database refused {doing}: {refused}")]
    Statement {
        /// What was being done.
        doing: &'static str,
        /// Why.
        refused: Refused,
    },
    /// The server did not answer; whether it did what was asked is not known.
    #[error("the database was silent for {within:?} while {doing}; the connection is given up")]
    Silent {
        /// What was being done.
        doing: &'static str,
        /// How long was waited.
        within: Duration,
    },
    /// A guard in the statement did not hold: somebody else changed the row, or the lease is lost.
    #[error("{doing}: the row is no longer in the expected state")]
    Conflict {
        /// What was being done.
        doing: &'static str,
    },
    /// A stored value that the types do not know: a newer version wrote it.
    #[error("column {column} holds a value that this version does not know: {problem}")]
    Corrupt {
        /// The column.
        column: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The database URL cannot be read.
    #[error("the database URL cannot be used: {problem}")]
    BadUrl {
        /// What is wrong; never the URL itself.
        problem: String,
    },
    /// The schema is not the one this program was built for.
    #[error(
        "the database schema is at version {found}, this program needs {needed}; run 'sever migrate' as the owner role"
    )]
    SchemaVersion {
        /// The version found; 0 for an empty database.
        found: i32,
        /// The version needed.
        needed: i32,
    },
    /// A migration failed.
    #[error("the migration failed; the database is as it was before the failing file")]
    Migration {
        /// Why.
        #[source]
        source: Box<refinery::Error>,
    },
}

impl StoreError {
    /// Whether trying again later can help: the server is away, a lock or statement timed out, a
    /// deadlock or serialisation failure.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        use tokio_postgres::error::SqlState;
        match self {
            Self::NoConnection { .. } | Self::Silent { .. } => true,
            Self::Statement { refused, .. } => refused.0.code().is_none_or(|code| {
                [
                    SqlState::T_R_DEADLOCK_DETECTED,
                    SqlState::T_R_SERIALIZATION_FAILURE,
                    SqlState::LOCK_NOT_AVAILABLE,
                    SqlState::QUERY_CANCELED,
                    SqlState::ADMIN_SHUTDOWN,
                    SqlState::CRASH_SHUTDOWN,
                    SqlState::CANNOT_CONNECT_NOW,
                    SqlState::TOO_MANY_CONNECTIONS,
                    SqlState::IN_FAILED_SQL_TRANSACTION,
                ]
                .contains(code)
            }),
            Self::Conflict { .. }
            | Self::Corrupt { .. }
            | Self::BadUrl { .. }
            | Self::SchemaVersion { .. }
            | Self::Migration { .. } => false,
        }
    }

    /// Whether the server broke a deadlock by ending this transaction: trying again at once can help.
    #[must_use]
    pub fn is_deadlock(&self) -> bool {
        use tokio_postgres::error::SqlState;
        matches!(self, Self::Statement { refused, .. } if refused.0.code() == Some(&SqlState::T_R_DEADLOCK_DETECTED))
    }

    /// Whether a statement was refused only because one beside it, sent at the same time, had failed: its own error
    /// says nothing, and trying again tells.
    #[must_use]
    pub fn is_of_failed_transaction(&self) -> bool {
        use tokio_postgres::error::SqlState;
        matches!(self, Self::Statement { refused, .. } if refused.0.code() == Some(&SqlState::IN_FAILED_SQL_TRANSACTION))
    }

    /// The name of the constraint that refused the statement, if one did.
    #[must_use]
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Self::Statement { refused, .. } => {
                let error = refused.0.as_db_error();
                error.and_then(|error| error.constraint())
            }
            Self::NoConnection { .. }
            | Self::Silent { .. }
            | Self::Conflict { .. }
            | Self::Corrupt { .. }
            | Self::BadUrl { .. }
            | Self::SchemaVersion { .. }
            | Self::Migration { .. } => None,
        }
    }

    pub(crate) fn statement(doing: &'static str) -> impl FnOnce(tokio_postgres::Error) -> Self {
        move |error| Self::Statement {
            doing,
            refused: Refused(error),
        }
    }
}

/// Why a statement was refused, in words without any value of a row: what PostgreSQL sends as detail names the values that it refused,
/// and stays out of messages and logs.
pub struct Refused(tokio_postgres::Error);

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(error) = self.0.as_db_error() else {
            return self.0.fmt(formatter);
        };
        let code = error.code().code();
        write!(formatter, "{} ({code}", error.message())?;
        for (what, name) in [("table", error.table()), ("constraint", error.constraint())] {
            if let Some(name) = name {
                write!(formatter, ", {what} {name}")?;
            }
        }
        formatter.write_str(")")
    }
}

impl fmt::Debug for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}
