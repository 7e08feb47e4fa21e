//! The shape of a seed document. Unknown members are refused, so that a misspelt one does not pass for planted.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::app_document::{SeedApp, SeedHook};
use crate::okta::state::{GroupKind, Status};

/// People and access to add to an org.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedDocument {
    /// Groups.
    pub groups: Vec<SeedGroup>,
    /// Group rules.
    pub rules: Vec<SeedRule>,
    /// Apps.
    pub apps: Vec<SeedApp>,
    /// Event hooks.
    pub event_hooks: Vec<SeedHook>,
    /// Inline hooks.
    pub inline_hooks: Vec<SeedHook>,
    /// Identity providers.
    pub idps: Vec<SeedIdp>,
    /// Linked object definitions.
    pub linked_objects: Vec<SeedLinked>,
    /// Users with all that hangs on them.
    pub users: Vec<SeedUser>,
    /// Devices that several users share.
    pub devices: Vec<SeedDevice>,
}

/// A group.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedGroup {
    /// Its id.
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// Who owns its membership.
    #[serde(rename = "type")]
    pub kind: GroupKind,
    /// Roles that members inherit.
    pub roles: Vec<SeedRole>,
    /// Users who own it.
    pub owners: Vec<String>,
}

/// A group rule.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedRule {
    /// Its id.
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// Its expression; kept, not evaluated.
    pub expression: String,
    /// The groups it fills.
    pub groups: Vec<String>,
    /// Users it leaves out.
    pub excluded: Vec<String>,
}

/// An identity provider.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedIdp {
    /// Its id.
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// `GOOGLE`, `SAML2` and so on.
    #[serde(rename = "type")]
    pub kind: String,
}

/// A linked object definition.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedLinked {
    /// The name of the one.
    pub primary: String,
    /// The name of the many.
    pub associated: String,
}

/// A user.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedUser {
    /// The id; one that exists already gets what this document adds.
    pub id: Option<String>,
    /// `profile.login`.
    pub login: String,
    /// `profile.email`; the login without one.
    pub email: Option<String>,
    /// `profile.firstName`.
    pub first_name: String,
    /// `profile.lastName`.
    pub last_name: String,
    /// More of the profile.
    pub profile: Map<String, Value>,
    /// The status.
    pub status: Status,
    /// `credentials.provider.type`; `OKTA` without one.
    pub provider: Option<String>,
    /// Has no password, so activation ends in PROVISIONED.
    pub no_password: bool,
    /// Okta sessions.
    pub sessions: u32,
    /// Groups, by hand or by a rule.
    pub groups: Vec<SeedMembership>,
    /// Direct app assignments.
    pub apps: Vec<String>,
    /// OAuth clients with tokens and grants.
    pub clients: Vec<SeedClient>,
    /// SSWS tokens.
    pub api_tokens: Vec<SeedApiToken>,
    /// Roles.
    pub roles: Vec<SeedRole>,
    /// Factors.
    pub factors: Vec<SeedFactor>,
    /// Devices of this user alone.
    pub devices: Vec<SeedDevice>,
    /// Identity providers with a linked account.
    pub idps: Vec<String>,
    /// Primary user by relationship name, for instance `{"manager": "ada@example.com"}`.
    pub linked: std::collections::BTreeMap<String, String>,
    /// Groups the user owns.
    pub owns_groups: Vec<String>,
}

/// A membership: the group, or the group and the rule that put the user in.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum SeedMembership {
    /// By hand.
    Group(String),
    /// By a rule.
    ByRule {
        /// The group.
        group: String,
        /// The rule.
        rule: String,
    },
}

/// An OAuth client of a user.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedClient {
    /// The client id.
    pub client_id: String,
    /// The client's name.
    pub name: String,
    /// Refresh tokens.
    pub tokens: Vec<SeedToken>,
    /// Consents.
    pub grants: Vec<SeedGrant>,
}

/// A refresh token.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedToken {
    /// Its id.
    pub id: Option<String>,
    /// The authorization server's id (`default`, `aus...`); the org's own without one.
    pub server: Option<String>,
    /// Scopes.
    pub scopes: Vec<String>,
    /// When it ends, ISO 8601; in 90 days without one.
    pub expires_at: Option<String>,
    /// Already revoked.
    pub revoked: bool,
}

/// A consent.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedGrant {
    /// Its id.
    pub id: Option<String>,
    /// The authorization server's id; the org's own without one.
    pub server: Option<String>,
    /// The scope.
    pub scope: String,
}

/// An SSWS token.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedApiToken {
    /// Its id.
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// `Okta API` without one; agents have their own.
    pub client_name: Option<String>,
    /// A secret that the simulator accepts.
    pub secret: Option<String>,
    /// The app whose it really is, by id or label.
    pub app: Option<String>,
}

/// A role.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedRole {
    /// The assignment's id.
    pub id: Option<String>,
    /// `APP_ADMIN` and so on, or `CUSTOM`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The custom role's id.
    pub role: Option<String>,
    /// The custom role's resource set.
    pub resource_set: Option<String>,
    /// Ids of the groups that it is limited to.
    pub target_groups: Vec<String>,
    /// Names of the applications that it is limited to.
    pub target_apps: Vec<String>,
}

/// A factor.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedFactor {
    /// Its id.
    pub id: Option<String>,
    /// `push`, `webauthn`, `token:software:totp`, `sms` and so on.
    #[serde(rename = "type")]
    pub kind: String,
    /// `OKTA` without one.
    pub provider: Option<String>,
}

/// A device.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedDevice {
    /// Its id.
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// `MACOS` without one.
    pub platform: Option<String>,
    /// `ACTIVE` without one.
    pub status: Option<String>,
    /// Its users, beside the one it is written under.
    pub users: Vec<String>,
}
