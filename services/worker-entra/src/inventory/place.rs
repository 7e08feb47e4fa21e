//! Where an inventory stands, as it is stored between pages.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sever_domain::EntitlementKind;
use sever_provider::Nested;

/// What a place carries along from what was read before it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Walk {
    pub(super) at: Place,
    /// Groups to which directory roles can be given: what they hold is no account's. A tenant has at most 500 of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) assignable: Vec<String>,
}

/// The list that is being read, and its next page; at its beginning there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "list", rename_all = "snake_case")]
pub(super) enum Place {
    /// Users.
    Users { next: Option<String> },
    /// The objects of a pass.
    Outer { pass: Pass, next: Option<String> },
    /// What hangs on the objects of a pass.
    Inner { pass: Pass, nested: Nested },
    /// Directory roles that can be activated.
    Eligible { next: Option<String> },
    /// Delegated grants.
    Grants { next: Option<String> },
    /// The scopes of Azure.
    Scopes,
    /// Role assignments of Azure.
    Azure { scopes: Vec<String>, nested: Nested },
}

/// A list whose objects have lists of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Pass {
    /// Service principals, and who may use them.
    Assigned,
    /// Groups and their members.
    Members,
    /// Role definitions, and who holds them.
    Roles,
    /// Groups and their owners.
    GroupOwners,
    /// Registrations and their owners.
    ApplicationOwners,
    /// Service principals and their owners.
    PrincipalOwners,
}

impl Default for Place {
    fn default() -> Self {
        Self::Users { next: None }
    }
}

impl Pass {
    pub(super) const fn family(self) -> EntitlementKind {
        match self {
            Self::Assigned => EntitlementKind::AppAssignment,
            Self::Members => EntitlementKind::Group,
            Self::Roles => EntitlementKind::Role,
            Self::GroupOwners | Self::ApplicationOwners | Self::PrincipalOwners => {
                EntitlementKind::Ownership
            }
        }
    }

    /// Whether its family is whole with it.
    pub(super) const fn ends_family(self) -> bool {
        !matches!(self, Self::GroupOwners | Self::ApplicationOwners)
    }

    /// What is read once all of it was, or it cannot be.
    pub(super) const fn after(self) -> Place {
        match self {
            Self::Assigned => Self::Members.begin(),
            Self::Members => Self::Roles.begin(),
            Self::Roles => Place::Eligible { next: None },
            Self::GroupOwners => Self::ApplicationOwners.begin(),
            Self::ApplicationOwners => Self::PrincipalOwners.begin(),
            Self::PrincipalOwners => Place::Grants { next: None },
        }
    }

    /// What is read where its family has ended early.
    pub(super) const fn skipped(self) -> Place {
        match self {
            Self::GroupOwners | Self::ApplicationOwners => Self::PrincipalOwners.after(),
            other => other.after(),
        }
    }

    pub(super) const fn begin(self) -> Place {
        Place::Outer {
            pass: self,
            next: None,
        }
    }
}

impl Walk {
    pub(super) fn cursor(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use sever_provider::resumed_at;

    use super::*;

    #[test]
    fn a_place_is_found_again_and_every_pass_comes_to_an_end() {
        let mut place = Pass::Assigned.begin();
        for steps in 0.. {
            assert!(steps < 10, "the passes go in a circle");
            let walk = Walk {
                at: place.clone(),
                assignable: vec!["g".into()],
            };
            assert_eq!(resumed_at::<Walk>(Some(&walk.cursor())), Ok(walk));
            place = match place {
                Place::Outer { pass, .. } => pass.after(),
                Place::Eligible { .. } => Pass::GroupOwners.begin(),
                _ => break,
            };
        }
        assert_eq!(place, Place::Grants { next: None });
        assert_eq!(Pass::GroupOwners.skipped(), Place::Grants { next: None });
        assert!(resumed_at::<Walk>(Some(&serde_json::json!({"at": {"list": "planets"}}))).is_err());
    }
}
