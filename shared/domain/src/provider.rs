//! The kinds of external systems.

use crate::text_enum::text_enum;

text_enum! {
    /// A kind of external system; one worker binary each.
    pub enum Provider {
        /// Okta.
        Okta = "okta",
        /// Microsoft Entra ID.
        Entra = "entra",
        /// Vanta.
        Vanta = "vanta",
        /// Any SCIM 2.0 application.
        Scim = "scim",
        /// Any OpenID provider.
        Oidc = "oidc",
    }
}

impl Provider {
    /// Whether its part of an opt-out comes after those of the other providers. Vanta's offboarding completes only
    /// once the accounts that it monitors elsewhere are gone.
    #[must_use]
    pub const fn waits_for_others(self) -> bool {
        matches!(self, Self::Vanta)
    }

    /// Whether it tells which accounts changed since a mark, so that incremental inventories read these and no others: Microsoft Graph's
    /// delta queries. The others could only be read whole.
    #[must_use]
    pub const fn tells_changes(self) -> bool {
        matches!(self, Self::Entra)
    }

    /// Whether a connection takes one job at a time, whatever it was told. Vanta keeps one live token for an application, and
    /// two jobs that work side by side would end each other's.
    #[must_use]
    pub const fn is_one_lane(self) -> bool {
        matches!(self, Self::Vanta)
    }
}
