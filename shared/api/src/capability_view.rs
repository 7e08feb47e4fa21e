//! What a provider's workers can do, as they declared it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sever_domain::{EntitlementKind, Grade, Provider, SubjectKind};
use sever_store::StoreError;
use sever_store::capability::CapabilityRow;
use utoipa::ToSchema;

/// What a provider's workers can see, revoke, prove and restore, and what only a person can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CapabilityList {
    /// The provider.
    #[schema(value_type = String, example = "okta")]
    pub provider: Provider,
    /// For each kind of subject, in the order in which families are shown.
    pub items: Vec<CapabilityView>,
    /// When a worker last declared any of it.
    pub declared_at: Timestamp,
}

/// How one family of entitlements can be dealt with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CapabilityView {
    /// Whom it is about: `person` or `integration`.
    #[schema(value_type = String, example = "person")]
    pub subject_kind: SubjectKind,
    /// The rest, as the worker wrote it.
    #[serde(flatten)]
    pub capability: DeclaredCapability,
}

/// One family, as a worker declares it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeclaredCapability {
    /// The family.
    #[schema(value_type = String, example = "session")]
    pub family: EntitlementKind,
    /// How it is seen.
    pub sees: SeesView,
    /// How it is revoked.
    pub revokes: RevokesView,
    /// The best evidence for its end.
    #[schema(value_type = String, example = "read")]
    pub grade: Grade,
    /// How it comes back.
    pub restores: RestoresView,
    /// What a reader must know besides; may be empty.
    pub note: String,
}

/// How a family is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SeesView {
    /// A read lists it whole.
    Listed,
    /// A read lists it where the provider's edition, licence or settings offer one.
    WhereOffered,
    /// No read lists it.
    Never,
}

/// How a family is revoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RevokesView {
    /// By a call of this action, such as `revoke_sessions`.
    Call(String),
    /// It ends with the account or with another family, under the rule of this name.
    WithRule(String),
    /// A person must do it: a manual task.
    Person,
    /// It is reported and stays.
    Never,
}

/// How a family comes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RestoresView {
    /// By a call of this action, such as `add_to_group`, at any time.
    Call(String),
    /// By a call of this action, for this many days.
    CallForDays(String, u16),
    /// Not by Sever: its owner must set it up anew.
    Never,
}

impl CapabilityList {
    /// What was declared; `None` where nothing was.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for a declaration that this version does not know.
    pub fn new(provider: Provider, rows: Vec<CapabilityRow>) -> Result<Option<Self>, StoreError> {
        let Some(declared_at) = rows.iter().map(|row| row.declared_at).max() else {
            return Ok(None);
        };
        let items = rows
            .into_iter()
            .map(|row| {
                Ok(CapabilityView {
                    subject_kind: row.subject_kind,
                    capability: declared(row.capability)?,
                })
            })
            .collect::<Result<_, StoreError>>()?;
        Ok(Some(Self {
            provider,
            items,
            declared_at,
        }))
    }
}

fn declared(capability: Value) -> Result<DeclaredCapability, StoreError> {
    serde_json::from_value(capability).map_err(|error| StoreError::Corrupt {
        column: "provider_capability.capability",
        problem: error.to_string(),
    })
}
