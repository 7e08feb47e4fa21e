//! Inventories: what a connector shows of a whole connection, a page at a time.

mod lists;

use serde::de::DeserializeOwned;
use serde_json::Value;
use sever_domain::entitlement::FamilyResult;
use sever_domain::identity::AccountAttributes;
use sever_domain::inventory::ObservedKind;
use sever_domain::{AccountState, EntitlementKind};

use crate::call::{CallError, unusable};

pub use lists::{Nested, parse_records};

/// The place of an inventory that a stored cursor names; the beginning where there is none.
///
/// # Errors
/// [`OutcomeClass::NeedsPerson`](sever_domain::OutcomeClass) where another version wrote the cursor.
pub fn resumed_at<P: DeserializeOwned + Default>(cursor: Option<&Value>) -> Result<P, CallError> {
    let Some(cursor) = cursor else {
        return Ok(P::default());
    };
    P::deserialize(cursor).map_err(|_| {
        let what = "the stored place is not one of this version".to_owned();
        unusable("resuming an inventory", what)
    })
}

/// An account or application, as a list showed it. Personal data: never logged.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenAccount {
    /// What it is.
    pub kind: ObservedKind,
    /// The provider's immutable id.
    pub provider_id: String,
    /// What it can do.
    pub state: AccountState,
    /// What it can be matched by.
    pub attributes: AccountAttributes,
}

/// Something that gives access, as a list showed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenEntitlement {
    /// The immutable id of what holds it; empty where the provider names nobody.
    pub account_id: String,
    /// Its family.
    pub kind: EntitlementKind,
    /// The provider's key of it; never a secret.
    pub provider_key: String,
    /// Whether it gives administrative power.
    pub privileged: bool,
}

/// A record that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The family that it would belong to.
    pub family: EntitlementKind,
    /// The record, of which only a digest is kept.
    pub record: String,
    /// What is wrong with it, without personal data.
    pub reason: String,
}

/// A family that was read to its end, or cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FamilyEnd {
    /// The family.
    pub family: EntitlementKind,
    /// How well it was read.
    pub result: FamilyResult,
    /// How many the provider said there are, where it says so.
    pub expected: Option<u64>,
    /// Why it is not complete; a provider's error code, never a body.
    pub detail: Option<String>,
}

/// One page of an inventory: at most some thousand rows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct InventoryPage {
    /// Accounts and applications.
    pub accounts: Vec<SeenAccount>,
    /// What hangs on them.
    pub entitlements: Vec<SeenEntitlement>,
    /// What cannot be read.
    pub unreadable: Vec<Unreadable>,
    /// Families that end with this page.
    pub ended: Vec<FamilyEnd>,
    /// Where reading goes on, in the connector's own words; `None` at the end. It is stored, so it holds no secret and no
    /// personal data.
    pub next: Option<Value>,
}

/// What changed since a mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changes {
    /// A page of it.
    Named {
        /// People's accounts that were changed, or whose memberships were; one can come again.
        accounts: Vec<String>,
        /// From where the next page, or the next reading, goes on. It is stored, so it holds no secret and no personal data.
        mark: Value,
        /// Whether there is another page now.
        more: bool,
    },
    /// The provider does not know the mark any more: only reading everything tells what changed.
    Lost,
}

impl InventoryPage {
    /// The whole inventory of a connector that has none.
    #[must_use]
    pub fn unsupported() -> Self {
        Self {
            ended: vec![FamilyEnd {
                family: EntitlementKind::Account,
                result: FamilyResult::Unsupported,
                expected: None,
                detail: None,
            }],
            ..Self::default()
        }
    }
}

impl FamilyEnd {
    /// A family that was read to its end.
    #[must_use]
    pub const fn complete(family: EntitlementKind) -> Self {
        Self {
            family,
            result: FamilyResult::Complete,
            expected: None,
            detail: None,
        }
    }
}
