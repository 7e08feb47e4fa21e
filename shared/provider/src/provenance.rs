//! Provenance: what a provider's own log says about who or what gave access, and when.

use jiff::Timestamp;
use serde::Serialize;
use sever_domain::EntitlementKind;

/// The most entries that are kept of one question: the newest ones.
pub const ENTRIES_MAX: usize = 10;

/// What a log is asked about: one account or application.
#[derive(Debug, Clone, Copy)]
pub struct LogQuestion<'a> {
    /// The provider's id of it.
    pub provider_id: &'a str,
    /// From when on changes count.
    pub since: Timestamp,
    /// Some of what was last seen to hang on it, privileged first: its family and the provider's key. Where a provider says at the thing
    /// itself who gave it, that is asked for by key.
    pub held: &'a [(EntitlementKind, String)],
}

/// One change that gave access, as the provider's log tells it: ids and kinds, never a name or an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogEntry {
    /// When it happened, by the provider's clock.
    pub at: Timestamp,
    /// The provider's word for the change.
    pub event: String,
    /// What kind of thing did it, in the provider's word.
    pub actor_kind: String,
    /// The immutable id of who or what did it; empty where the log names nobody.
    pub actor: String,
    /// What was given, as the provider's kind and id; `None` where it is the account itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given: Option<String>,
    /// The log's id of the entry, by which it is found there.
    pub entry: String,
    /// What the provider calls everything that one request did, in each of its logs; `None` where it says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation: Option<String>,
}

/// What a log says of one account or application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Provenance {
    /// The provider keeps no log that can be read, or the credential may not read it; the word says which.
    NoLog(&'static str),
    /// The changes that gave access since the instant asked for, newest first, at most [`ENTRIES_MAX`]. None may mean that the log
    /// is late.
    Told(Vec<LogEntry>),
}
