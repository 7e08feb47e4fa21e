//! Entitlements: the things that give access, and what a reading of them says.

use serde::{Deserialize, Serialize};

use crate::text_enum::text_enum;

text_enum! {
    /// One kind of thing that gives access. All entitlements of one kind at a binding are a *family*.
    pub enum EntitlementKind {
        /// The account itself.
        Account = "account",
        /// A signed-in session.
        Session = "session",
        /// An OAuth refresh or access token.
        Token = "token",
        /// A consent that lets a client act for the person.
        Grant = "grant",
        /// An API token that the person owns.
        ApiToken = "api_token",
        /// An administrative role.
        Role = "role",
        /// A group membership.
        Group = "group",
        /// An application assignment.
        AppAssignment = "app_assignment",
        /// A licence.
        Licence = "licence",
        /// A sign-in factor or authentication method.
        Factor = "factor",
        /// A registered device.
        Device = "device",
        /// A link to an account at an outside identity provider.
        IdentityLink = "identity_link",
        /// An ownership of a group or application.
        Ownership = "ownership",
        /// A client secret or key.
        Secret = "secret",
        /// A hook that carries data out.
        Hook = "hook",
        /// An administrative role that is not active and can be activated (Entra PIM: eligible).
        EligibleRole = "eligible_role",
        /// A role at a resource rather than in the directory (Azure role assignment).
        ResourceRole = "resource_role",
        /// A permission that an integration holds at an interface (app role, API scope).
        Permission = "permission",
        /// A person, group or application that was given access to an integration.
        Consumer = "consumer",
        /// An account that a monitoring system keeps for a person.
        MonitoredAccount = "monitored_account",
        /// A resource that a connection of ours has pushed.
        Resource = "resource",
    }
}

text_enum! {
    /// What an account can do, in the words that every provider shares.
    pub enum AccountState {
        /// It can sign in, or could after an action of its own (unlock, password reset, activation).
        Live = "live",
        /// Signing in is blocked, reversibly.
        Contained = "contained",
        /// The provider's deactivated state.
        Deactivated = "deactivated",
        /// It does not exist.
        Absent = "absent",
    }
}

impl AccountState {
    /// Whether nobody can sign in with the account.
    #[must_use]
    pub const fn sign_in_blocked(self) -> bool {
        match self {
            Self::Live => false,
            Self::Contained | Self::Deactivated | Self::Absent => true,
        }
    }
}

text_enum! {
    /// How well one family of entitlements was read.
    pub enum FamilyResult {
        /// Read whole: what is not in it is not there.
        Complete = "complete",
        /// The provider has no read for it.
        Unsupported = "unsupported",
        /// The credential may not read it, or no repetition makes the answer usable: a person must act first.
        Forbidden = "forbidden",
        /// The read did not work this time.
        Failed = "failed",
    }
}

/// One thing that gives access, as it was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entitlement {
    /// Its family.
    pub kind: EntitlementKind,
    /// The provider's immutable key for it, within its kind; at most 512 characters.
    pub provider_key: String,
    /// Whether it gives administrative power.
    pub privileged: bool,
    /// An allow-list of facts: evidence, and what a restore needs. Never a secret.
    pub facts: serde_json::Value,
}

/// One family as it was read at one binding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FamilyReading {
    /// The family.
    pub family: EntitlementKind,
    /// How well it was read.
    pub result: FamilyResult,
    /// Why it is not complete; a provider's error code, never a body.
    pub detail: Option<String>,
    /// What was found: all of it where `Complete`, otherwise what was seen all the same.
    pub entitlements: Vec<Entitlement>,
}

/// Everything that was read at one binding in one inspection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccountReading {
    /// What the account can do.
    pub account_state: AccountState,
    /// The provider's own word for the account's state, as evidence.
    pub provider_state: String,
    /// One reading for each family that the connector knows, the account's own included.
    pub families: Vec<FamilyReading>,
}

impl AccountReading {
    /// The reading of an account that does not exist: every family is empty, and the account's own
    /// family is complete.
    #[must_use]
    pub fn absent(families: &[EntitlementKind]) -> Self {
        Self {
            account_state: AccountState::Absent,
            provider_state: "absent".to_owned(),
            families: families
                .iter()
                .map(|family| FamilyReading {
                    family: *family,
                    result: if *family == EntitlementKind::Account {
                        FamilyResult::Complete
                    } else {
                        FamilyResult::Unsupported
                    },
                    detail: None,
                    entitlements: Vec::new(),
                })
                .collect(),
        }
    }

    /// Every entitlement of every family.
    pub fn entitlements(&self) -> impl Iterator<Item = &Entitlement> {
        self.families.iter().flat_map(|family| &family.entitlements)
    }

    /// The entitlements of one family; empty where the family was not read.
    #[must_use]
    pub fn of(&self, kind: EntitlementKind) -> &[Entitlement] {
        self.families
            .iter()
            .find(|family| family.family == kind)
            .map_or(&[], |family| &family.entitlements)
    }
}
