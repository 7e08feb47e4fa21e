//! Sources: the upstreams that report or ask.

use serde::{Deserialize, Serialize};
use sever_store::source::Source;
use utoipa::ToSchema;

/// An upstream that reports or asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SourceView {
    /// Its name.
    #[schema(example = "hr")]
    pub name: String,
    /// The user name that the broker validates on its messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broker_user: Option<String>,
    /// Whether the provider ids that it lists become bindings once a read by id finds them.
    pub trusted: bool,
}

/// A source as it is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceBody {
    /// The user name that the broker validates on its messages; absent leaves the stored one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broker_user: Option<String>,
    /// Whether the provider ids that it lists become bindings once a read by id finds them.
    #[serde(default)]
    pub trusted: bool,
}

/// The sources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SourceList {
    /// By name.
    pub items: Vec<SourceView>,
}

impl From<Source> for SourceView {
    fn from(source: Source) -> Self {
        Self {
            name: source.name,
            broker_user: source.broker_user,
            trusted: source.trusted,
        }
    }
}
