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
