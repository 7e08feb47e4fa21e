//! The kinds of subjects: who can lose access.

use crate::text_enum::text_enum;

text_enum! {
    /// Who loses access.
    pub enum SubjectKind {
        /// A human of the directory.
        Person = "person",
        /// A third-party application that was let into the organisation.
        Integration = "integration",
    }
}

impl SubjectKind {
    /// What a binding of such a subject names at a provider: the column `binding.kind`.
    #[must_use]
    pub const fn binding_kind(self) -> &'static str {
        match self {
            Self::Person => "account",
            Self::Integration => "application",
        }
    }
}
