//! The families of an integration, and what their keys look like.

use sever_domain::EntitlementKind;
use sever_domain::entitlement::Entitlement;

/// Every family, in the order in which they are shown.
pub const ALL: &[EntitlementKind] = &[
    EntitlementKind::Account,
    EntitlementKind::Token,
    EntitlementKind::Grant,
    EntitlementKind::Role,
    EntitlementKind::Permission,
    EntitlementKind::Secret,
    EntitlementKind::Consumer,
    EntitlementKind::Hook,
    EntitlementKind::ApiToken,
];

/// The refresh tokens that were issued to an application, which are revoked together.
pub const REFRESH_TOKENS: &str = "refresh_tokens";
/// The same, once more after the application was deactivated.
pub const REFRESH_TOKENS_AFTER: &str = "refresh_tokens_after_deactivation";
/// Keys of the refresh tokens that a custom authorization server issued to an application.
pub const SERVER: &str = "server:";
/// The same, once more after the application was deactivated.
pub const SERVER_AFTER: &str = "server_after_deactivation:";
/// Keys of permissions: a scope's grant, or the connection that provisions users.
pub const SCOPE: &str = "scope:";
/// The connection through which an application provisions users.
pub const PROVISIONING: &str = "provisioning";
/// Keys of credentials: a client secret.
pub const SECRET: &str = "secret:";
/// A public key.
pub const KEY: &str = "key:";
/// Keys of consumers: a group.
pub const GROUP: &str = "group:";
/// A user with an assignment of their own.
pub const USER: &str = "user:";

/// What a bound id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    /// An application.
    App,
    /// A hook that is told of events.
    EventHook,
    /// A hook that is asked during a flow.
    InlineHook,
    /// An API token.
    ApiToken,
}

impl Object {
    /// By the prefix that Okta gives its ids.
    #[must_use]
    pub fn of(id: &str) -> Self {
        match id.get(..3) {
            Some("who") => Self::EventHook,
            Some("cal") => Self::InlineHook,
            Some("00T") => Self::ApiToken,
            _ => Self::App,
        }
    }
}

/// The custom authorization server whose tokens a key stands for; `None` for the org's own.
#[must_use]
pub fn server_of(key: &str) -> Option<&str> {
    let before = key.strip_prefix(SERVER);
    before.or_else(|| key.strip_prefix(SERVER_AFTER))
}

/// Whether a credential stays because Okta takes no call that would leave the application without one, or none for its
/// kind.
#[must_use]
pub fn must_stay(held: &Entitlement) -> bool {
    held.facts["stays"] == true
}

/// Whether a hook or API token only looks as if it belonged to the application.
#[must_use]
pub fn is_candidate(held: &Entitlement) -> bool {
    held.facts["candidate"] == true
}
