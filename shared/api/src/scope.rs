//! Scopes: what a token may do.

use std::fmt;
use std::str::FromStr;

macro_rules! scopes {
    ($($(#[$meta:meta])* $variant:ident = $word:literal),+ $(,)?) => {
        /// What a token may do. Written `resource:verb`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        pub enum Scope { $($(#[$meta])* #[serde(rename = $word)] $variant),+ }

        impl Scope {
            /// Every scope.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stored and spoken word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
    };
}

scopes! {
    /// Report leavers, for a source.
    LeaverEventsWrite = "leaver-events:write",
    /// Ask for opt-outs.
    OptOutsWrite = "opt-outs:write",
    /// See opt-outs.
    OptOutsRead = "opt-outs:read",
    /// Import people.
    PeopleWrite = "people:write",
    /// See people.
    PeopleRead = "people:read",
    /// Create and change integrations.
    IntegrationsWrite = "integrations:write",
    /// See integrations.
    IntegrationsRead = "integrations:read",
    /// Create and change connections.
    ConnectionsWrite = "connections:write",
    /// See connections.
    ConnectionsRead = "connections:read",
    /// Create and change sources.
    SourcesWrite = "sources:write",
    /// See sources.
    SourcesRead = "sources:read",
    /// Release and reject holds.
    HoldsDecide = "holds:decide",
    /// See holds.
    HoldsRead = "holds:read",
    /// Say that a task is done, with evidence.
    TasksWrite = "tasks:write",
    /// Confirm or refuse what somebody says is done.
    TasksDecide = "tasks:decide",
    /// See tasks.
    TasksRead = "tasks:read",
    /// See what could not be taken in.
    RejectedRead = "rejected:read",
    /// See findings, inventories and what somebody can reach.
    DriftRead = "drift:read",
    /// Ask for inventories, and accept and repair findings.
    DriftWrite = "drift:write",
    /// See the audit events.
    AuditRead = "audit:read",
    /// Make and revoke tokens.
    TokensWrite = "tokens:write",
    /// Change the protected list.
    ProtectedWrite = "protected:write",
    /// See the protected list.
    ProtectedRead = "protected:read",
}

/// A word that is no scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownScope(String);

impl fmt::Display for UnknownScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
        write!(
            f,
            "'{}' is no scope; use some of: {}",
            self.0,
            words.join(", ")
        )
    }
}

impl std::error::Error for UnknownScope {}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|scope| scope.as_str() == word)
            .ok_or_else(|| UnknownScope(word.chars().take(64).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_is_read_back_from_its_word() {
        for scope in Scope::ALL {
            assert_eq!(scope.as_str().parse(), Ok(*scope));
        }
        let unknown = "holds:all".parse::<Scope>().unwrap_err().to_string();
        assert!(
            unknown.contains("holds:all") && unknown.contains("holds:decide"),
            "{unknown}"
        );
    }
}
