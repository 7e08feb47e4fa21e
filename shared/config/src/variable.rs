//! The declaration of one variable: what the parser obeys and what the example page prints.

use std::fmt;
use std::time::Duration;

/// One variable as declared by its concern.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Variable {
    /// The full name, `SEVER_…`; a secret can also be given as a file named by `<name>_FILE`.
    pub name: &'static str,
    /// Its type, range and default.
    pub kind: Kind,
    /// A value that is right, shown in errors and in the example.
    pub example: &'static str,
    /// What it is for, and what too high and too low cost; one or two sentences.
    pub help: &'static str,
}

/// The type, range and default of a variable.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// A whole number, both ends included.
    Whole {
        /// What is counted, plural.
        unit: &'static str,
        /// Smallest right value.
        min: u64,
        /// Largest right value.
        max: u64,
        /// Value where the variable is not set.
        default: u64,
    },
    /// A decimal number, both ends included.
    Decimal {
        /// What is measured.
        unit: &'static str,
        /// Smallest right value.
        min: f64,
        /// Largest right value.
        max: f64,
        /// Value where the variable is not set.
        default: f64,
    },
    /// A whole number of time units, both ends included.
    Time {
        /// The unit, which is also the suffix of the name.
        unit: TimeUnit,
        /// Smallest right value.
        min: u64,
        /// Largest right value.
        max: u64,
        /// Value where the variable is not set.
        default: u64,
    },
    /// Free text.
    Text {
        /// Value where the variable is not set.
        default: &'static str,
    },
    /// An IP address and port to listen on; the default differs for each service and is described in words.
    Address {
        /// The default in words.
        default: &'static str,
    },
    /// `true` or `false`.
    Switch {
        /// Value where the variable is not set.
        default: bool,
    },
    /// A value that is never printed; also readable from the file named by `<name>_FILE`.
    Secret {
        /// Whether the program refuses to start without it.
        required: bool,
    },
}

/// The unit of a time variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeUnit {
    /// `_MS`
    Milliseconds,
    /// `_S`
    Seconds,
    /// `_H`
    Hours,
}

impl TimeUnit {
    /// `count` of this unit. The ranges of all variables keep `count` far from overflow.
    #[must_use]
    pub const fn duration(self, count: u64) -> Duration {
        match self {
            Self::Milliseconds => Duration::from_millis(count),
            Self::Seconds => Duration::from_secs(count),
            Self::Hours => Duration::from_secs(count * 3600),
        }
    }

    /// The suffix that a variable of this unit carries.
    #[must_use]
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Milliseconds => "_MS",
            Self::Seconds => "_S",
            Self::Hours => "_H",
        }
    }
}

impl fmt::Display for TimeUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Milliseconds => "milliseconds",
            Self::Seconds => "seconds",
            Self::Hours => "hours",
        })
    }
}

impl Variable {
    /// Whether the program refuses to start without it.
    #[must_use]
    pub const fn required(&self) -> bool {
        matches!(self.kind, Kind::Secret { required: true })
    }

    /// The name of the variable that names a file with the value, for secrets.
    #[must_use]
    pub fn file_name(&self) -> Option<String> {
        matches!(self.kind, Kind::Secret { .. }).then(|| format!("{}_FILE", self.name))
    }

    /// The default as text, as it would be written in an environment file; `None` where there is none.
    #[must_use]
    pub fn default_text(&self) -> Option<String> {
        match self.kind {
            Kind::Whole { default, .. } | Kind::Time { default, .. } => Some(default.to_string()),
            Kind::Decimal { default, .. } => Some(format!("{default:?}")),
            Kind::Text { default } => Some(default.to_owned()),
            Kind::Switch { default } => Some(default.to_string()),
            Kind::Address { .. } | Kind::Secret { .. } => None,
        }
    }
}

/// Unit, range and default in words, for the example page.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole {
                unit,
                min,
                max,
                default,
            } => write!(f, "{unit}, {min} to {max}, default {default}"),
            Self::Decimal {
                unit,
                min,
                max,
                default,
            } => write!(f, "{unit}, {min:?} to {max:?}, default {default:?}"),
            Self::Time {
                unit,
                min,
                max,
                default,
            } => write!(f, "{unit}, {min} to {max}, default {default}"),
            Self::Text { default } => write!(f, "text, default {default}"),
            Self::Address { default } => write!(f, "IP address and port, default {default}"),
            Self::Switch { default } => write!(f, "true or false, default {default}"),
            Self::Secret { required: true } => f.write_str("secret, required"),
            Self::Secret { required: false } => f.write_str("secret, default none"),
        }
    }
}
