//! Where an inventory stands, as it is stored between pages.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sever_provider::Nested;

/// How far a list was read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct List {
    /// Items that came so far: the next page begins behind them.
    pub(super) received: usize,
    /// The next page of an application that counts in cursors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cursor: Option<String>,
    /// The id that the page before began with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) first: Option<String>,
}

/// The list that is being read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub(super) enum Place {
    /// Users.
    Users { list: List },
    /// Groups; whether one has shown its members so far.
    Groups { list: List, shown: bool },
    /// Groups one by one, and where their list goes on.
    Members {
        nested: Nested,
        list: Option<List>,
        shown: bool,
    },
}

/// The beginning.
impl Default for Place {
    fn default() -> Self {
        Self::Users {
            list: List::default(),
        }
    }
}

impl Place {
    pub(super) fn cursor(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}
