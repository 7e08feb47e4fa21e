//! A login to Vanta itself.

use serde::{Deserialize, Serialize};

/// Who made a login and decides about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Managed {
    /// Added by hand: the API may deactivate it.
    #[default]
    Manual,
    /// Provisioned by SCIM or an identity provider: the API refuses.
    Scim,
}

/// A login.
#[derive(Debug, Clone)]
pub struct User {
    /// The id.
    pub id: String,
    /// The e-mail.
    pub email: String,
    /// The name people see.
    pub name: String,
    /// May sign in.
    pub active: bool,
    /// Who decides about it.
    pub managed: Managed,
    /// An administrator; the last active one is never deactivated.
    pub admin: bool,
}
