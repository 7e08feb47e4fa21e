//! Enums that are stored and spoken as one lower-case word.

use thiserror::Error;

/// A word that is none of the enum's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("'{word}' is not a {kind}; use one of: {allowed}")]
pub struct UnknownWord {
    /// What was read.
    pub word: String,
    /// The enum's name.
    pub kind: &'static str,
    /// The words that would have been accepted, comma-separated.
    pub allowed: String,
}

/// A change of state that the state machine does not have.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a {machine} in state '{state}' has no transition for '{event}'")]
pub struct IllegalTransition {
    /// `job` or `step`.
    pub machine: &'static str,
    /// The state it was in.
    pub state: &'static str,
    /// The event that was tried.
    pub event: &'static str,
}

/// Declares an enum whose variants are written as one word in the database, in JSON and on the
/// command line, so that the three cannot differ.
macro_rules! text_enum {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(into = "&'static str", try_from = "String")]
        $vis enum $name { $($(#[$vmeta])* $variant),+ }

        impl $name {
            /// Every value, in declaration order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stored and spoken word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl From<$name> for &'static str {
            fn from(value: $name) -> Self { value.as_str() }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::text_enum::UnknownWord;
            fn from_str(word: &str) -> Result<Self, Self::Err> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    other => Err($crate::text_enum::UnknownWord {
                        word: other.chars().take(64).collect(),
                        kind: stringify!($name),
                        allowed: [$($word),+].join(", "),
                    }),
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::text_enum::UnknownWord;
            fn try_from(word: String) -> Result<Self, Self::Error> { word.parse() }
        }
    };
}
pub(crate) use text_enum;
