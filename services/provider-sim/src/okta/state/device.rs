//! Devices, identity providers and linked object definitions.

use std::collections::BTreeSet;

/// A device.
#[derive(Debug, Clone)]
pub struct Device {
    /// Its id.
    pub id: String,
    /// `profile.displayName`.
    pub name: String,
    /// `profile.platform`.
    pub platform: String,
    /// `ACTIVE`, `DEACTIVATED`, `SUSPENDED` or `CREATED`.
    pub status: String,
    /// Milliseconds since the Unix epoch.
    pub created: i64,
    /// Last change.
    pub last_updated: i64,
    /// Ids of its users.
    pub users: BTreeSet<String>,
}

/// An identity provider from which people sign in.
#[derive(Debug, Clone)]
pub struct Idp {
    /// Its id.
    pub id: String,
    /// `GOOGLE`, `SAML2`, `OIDC` and so on.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Milliseconds since the Unix epoch.
    pub created: i64,
}

/// A kind of link between users.
#[derive(Debug, Clone)]
pub struct LinkedDefinition {
    /// The name of the one, for instance `manager`.
    pub primary: String,
    /// The name of the many, for instance `subordinate`.
    pub associated: String,
}
