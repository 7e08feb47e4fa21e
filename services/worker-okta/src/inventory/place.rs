//! Where an inventory stands, as it is stored between pages.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Lists below a list: the objects of one outer page whose own lists are still to be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Nested {
    /// The objects; the first one is being read.
    pub(super) of: Vec<String>,
    /// The outer list's next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) outer: Option<String>,
    /// The next page of the first object's list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<String>,
}

/// The list that is being read, and its next page; at its beginning there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "list", rename_all = "snake_case")]
pub(super) enum Place {
    /// Users that are not deactivated.
    Users { next: Option<String> },
    /// Users that are.
    Deactivated { next: Option<String> },
    /// Applications.
    Apps { next: Option<String> },
    /// Users of applications.
    Assignments(Nested),
    /// Groups.
    Groups { next: Option<String> },
    /// Members of groups.
    Members(Nested),
    /// Administrators.
    Admins { next: Option<String> },
    /// Roles of administrators.
    Roles(Nested),
    /// API tokens.
    Tokens { next: Option<String> },
}

/// The beginning.
impl Default for Place {
    fn default() -> Self {
        Self::Users { next: None }
    }
}

impl Place {
    pub(super) fn cursor(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use sever_provider::resumed_at;

    use super::*;

    #[test]
    fn a_place_is_found_again() {
        let nested = Nested {
            of: vec!["g1".into(), "g2".into()],
            outer: Some("/o".into()),
            next: None,
        };
        for place in [
            Place::Users { next: None },
            Place::Members(nested),
            Place::Tokens {
                next: Some("/t".into()),
            },
        ] {
            assert_eq!(resumed_at::<Place>(Some(&place.cursor())), Ok(place));
        }
        assert!(resumed_at::<Place>(Some(&serde_json::json!({"list": "planets"}))).is_err());
    }
}
