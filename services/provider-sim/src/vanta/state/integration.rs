//! Integrations and the resources that they report.

use std::collections::BTreeMap;

/// A connection of an integration.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The id.
    pub id: String,
    /// Switched off in the web pages.
    pub disabled: bool,
    /// Why it does not work, where it does not.
    pub error: Option<String>,
}

/// A resource that an integration reports.
#[derive(Debug, Clone)]
pub struct Resource {
    /// The id.
    pub id: String,
    /// The name people see.
    pub name: String,
    /// The user who owns it.
    pub owner: Option<String>,
    /// The connection that reports it.
    pub connection: Option<String>,
    /// Whether it is part of the audit.
    pub in_scope: bool,
    /// What it is.
    pub description: Option<String>,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created: i64,
}

/// A kind of resources.
#[derive(Debug, Clone, Default)]
pub struct Kind {
    /// Whether resources can be taken out of scope.
    pub scopable: bool,
    /// Resources by id.
    pub resources: BTreeMap<String, Resource>,
}

/// A third-party system that is connected to Vanta.
#[derive(Debug, Clone)]
pub struct Integration {
    /// The id, for instance `okta`.
    pub id: String,
    /// The name people see.
    pub name: String,
    /// Connections.
    pub connections: Vec<Connection>,
    /// Resources by kind.
    pub kinds: BTreeMap<String, Kind>,
}
