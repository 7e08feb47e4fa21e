//! Why something is not accepted.

use std::fmt;

use sever_domain::standing::Hindrance;
use sever_store::StoreError;
use thiserror::Error;

/// A field that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldFault {
    /// JSON pointer into the body (RFC 6901); empty for the body as a whole.
    pub field: String,
    /// What is wrong with it, and what would be right. Continues the field's name.
    pub problem: String,
}

impl FieldFault {
    pub(crate) fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            problem: problem.into(),
        }
    }
}

impl fmt::Display for FieldFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = if self.field.is_empty() {
            "the body"
        } else {
            &self.field
        };
        write!(f, "{field} {}", self.problem)
    }
}

impl std::error::Error for FieldFault {}

/// Why a request is not accepted. Nothing of it is stored then.
#[derive(Debug, Error)]
pub enum AcceptError {
    /// A field cannot be taken.
    #[error(transparent)]
    Field(#[from] FieldFault),
    /// The key was used with another body.
    #[error("the idempotency key was used with another body")]
    KeyReused {
        /// The digest of the body that was accepted.
        accepted: [u8; 32],
        /// The digest of this body.
        offered: [u8; 32],
    },
    /// Nobody has this id or key.
    #[error("{field} names a person whom nobody knows")]
    UnknownPerson {
        /// JSON pointer of what names the person.
        field: &'static str,
    },
    /// No integration has this name.
    #[error("there is no integration '{name}': apply it first")]
    UnknownIntegration {
        /// The name.
        name: String,
    },
    /// The integration has no id at the connections named; none are named where it has none anywhere.
    #[error("{}", not_bound(connections))]
    NotBound {
        /// The names of the connections.
        connections: Vec<String>,
    },
    /// There is no connection at which anything could be removed.
    #[error("there is no connection; apply one first")]
    NoConnection,
    /// A repair of what nothing says must go, or what a person decided otherwise.
    #[error("access is not taken away again by itself: {0}")]
    NotJustified(Hindrance),
    /// The database.
    #[error("the request could not be recorded")]
    Store(#[from] StoreError),
}

fn not_bound(connections: &[String]) -> String {
    if connections.is_empty() {
        return "the integration has no id at any open connection: name one under 'provider_ids' and apply it".to_owned();
    }
    format!(
        "the integration has no id at {}: name one under 'provider_ids' and apply it, or leave the connection out of the scope",
        connections.join(", ")
    )
}
