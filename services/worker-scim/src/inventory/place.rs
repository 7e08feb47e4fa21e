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

/// What groups have told of their members so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Told {
    /// One has shown some.
    pub(super) shown: bool,
    /// One was there that showed none.
    #[serde(default)]
    pub(super) kept_back: bool,
}

impl Told {
    /// Whether a group that shows nobody has nobody.
    pub(super) const fn is_whole(self) -> bool {
        self.shown || !self.kept_back
    }

    pub(super) fn note(&mut self, members: Members) {
        match members {
            Members::Some => self.shown = true,
            Members::Nobody | Members::Untold => self.kept_back = true,
        }
    }
}

/// What one group told of its members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Members {
    /// Who they are.
    Some,
    /// An empty list.
    Nobody,
    /// Nothing.
    Untold,
}

/// The list that is being read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub(super) enum Place {
    /// Users.
    Users { list: List },
    /// Groups.
    Groups {
        list: List,
        #[serde(flatten)]
        told: Told,
    },
    /// Groups one by one, and where their list goes on.
    Members {
        nested: Nested,
        list: Option<List>,
        #[serde(flatten)]
        told: Told,
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
