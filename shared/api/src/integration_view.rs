//! Integrations over HTTP: as they are wanted (the shape of `integrations.toml`), and as they are.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sever_store::connection::Change;
use sever_store::integration::IntegrationSpec;
use sever_store::integration_view::IntegrationRow;
use sever_store::person_view::BindingRow;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::person_view::AccountView;

/// The integrations to apply: the file `integrations.toml`, and the body of `PUT /v1/integrations`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IntegrationsBody {
    /// The integrations; those that are not named stay as they are.
    pub integration: Vec<IntegrationBody>,
}

/// One integration as it is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IntegrationBody {
    /// Its name: lower-case letters, digits, `_` and `-`, at most 63.
    #[schema(example = "crm")]
    pub name: String,
    /// Who makes it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(example = "Example CRM Inc.")]
    pub vendor: String,
    /// The role in the organisation that answers for it; never a person's name.
    #[schema(example = "sales-systems")]
    pub owner: String,
    /// Its immutable id at each connection that knows it, by the connection's name. An id that is not named any more is refuted:
    /// nothing is done there from then on.
    #[serde(default)]
    #[schema(example = json!({"okta-main": "0oa1gjh63g214q0Hq0g4"}))]
    pub provider_ids: BTreeMap<String, ProviderIds>,
}

/// One id, or several where the connection knows the integration by several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged, expecting = "an id, or a list of ids")]
pub enum ProviderIds {
    /// One id.
    One(String),
    /// Several ids.
    Several(BTreeSet<String>),
}

impl ProviderIds {
    /// The ids in order.
    #[must_use]
    pub fn all(&self) -> BTreeSet<&str> {
        match self {
            Self::One(id) => BTreeSet::from([id.as_str()]),
            Self::Several(ids) => ids.iter().map(String::as_str).collect(),
        }
    }
}

/// What applying did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AppliedIntegrations {
    /// One line for each integration, in the order of the body.
    pub applied: Vec<AppliedIntegration>,
}

/// What became of one integration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AppliedIntegration {
    /// Its name.
    pub name: String,
    /// `created`, `changed` or `unchanged`.
    #[schema(example = "created")]
    pub change: String,
}

impl AppliedIntegration {
    /// What became of the integration of this name.
    #[must_use]
    pub fn new(name: &str, change: Change) -> Self {
        Self {
            name: name.to_owned(),
            change: change.as_str().to_owned(),
        }
    }
}

/// The integrations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IntegrationList {
    /// By name, at most 10,000.
    pub items: Vec<IntegrationLine>,
}

/// One line of a list of integrations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IntegrationLine {
    /// The subject id: the pseudonym under which audit events and logs name it.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Who makes it.
    pub vendor: String,
    /// The role that answers for it.
    pub owner: String,
    /// The names of the connections where it has an id.
    pub connections: Vec<String>,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// One integration with the ids by which connections know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IntegrationView {
    /// The integration itself.
    #[serde(flatten)]
    pub line: IntegrationLine,
    /// Its ids, also those that were taken out.
    pub applications: Vec<AccountView>,
    /// When it was first applied.
    pub created_at: Timestamp,
}

impl From<IntegrationBody> for IntegrationSpec {
    fn from(body: IntegrationBody) -> Self {
        let ids = |ids: ProviderIds| ids.all().into_iter().map(ToOwned::to_owned).collect();
        Self {
            name: body.name,
            vendor: body.vendor,
            owner: body.owner,
            provider_ids: body
                .provider_ids
                .into_iter()
                .map(|(connection, listed)| (connection, ids(listed)))
                .collect(),
        }
    }
}

impl From<IntegrationRow> for IntegrationLine {
    fn from(row: IntegrationRow) -> Self {
        Self {
            id: row.id.0,
            name: row.name,
            vendor: row.vendor,
            owner: row.owner,
            connections: row.connections,
            updated_at: row.updated_at,
        }
    }
}

impl IntegrationView {
    /// An integration with its ids.
    #[must_use]
    pub fn new(row: IntegrationRow, applications: Vec<BindingRow>) -> Self {
        let created_at = row.created_at;
        Self {
            line: row.into(),
            applications: applications.into_iter().map(AccountView::from).collect(),
            created_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_knows_an_integration_by_one_id_or_by_several() {
        let body = r#"{"integration":[{"name":"crm","owner":"sales","provider_ids":{"a":"1","b":["2","3"]}}]}"#;
        let read: IntegrationsBody = serde_json::from_str(body).unwrap();
        let spec = IntegrationSpec::from(read.integration[0].clone());
        let counts: Vec<usize> = spec.provider_ids.values().map(BTreeSet::len).collect();
        assert_eq!((spec.vendor.as_str(), counts), ("", vec![1, 2]));
        let wrong = body.replace("owner", "ownr");
        assert!(serde_json::from_str::<IntegrationsBody>(&wrong).is_err());
    }
}
