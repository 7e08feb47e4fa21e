//! Identifiers, each a type of its own so that two of them cannot be swapped by mistake.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($($(#[$meta:meta])* $name:ident;)+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A fresh identifier, ordered by the time it was made (UUID version 7).
            #[must_use]
            pub fn generate() -> Self { Self(Uuid::now_v7()) }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { self.0.fmt(f) }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> { Uuid::parse_str(text).map(Self) }
        }
    )+};
}

id! {
    /// A subject (person or integration): the pseudonym by which audit events and logs name it.
    SubjectId;
    /// One instance of an external system.
    ConnectionId;
    /// A subject's immutable id at a connection.
    BindingId;
    /// What a source asked for.
    RequestId;
    /// One removal of a subject's access.
    OptOutId;
    /// One opt-out at one connection.
    JobId;
    /// One idempotent effect of a job on one entitlement.
    StepId;
    /// One reading of a subject's entitlements at a connection.
    InspectionId;
    /// One inventory of a connection.
    RunId;
    /// A difference between what should be and what was seen.
    FindingId;
    /// A stop that only a person lifts.
    HoldId;
    /// One running worker process.
    InstanceId;
    /// An upstream that reports or asks.
    SourceId;
    /// An API token.
    TokenId;
    /// A job that gave up, as it is put before a person.
    DeadLetterId;
    /// A dead message that no job belongs to.
    DeadRawId;
    /// Dead letters that a person sends back to work.
    ReplayId;
}
