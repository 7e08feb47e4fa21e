//! What a connector can see, revoke, verify and restore, and what only a person can do: declared once, printed by
//! `sever provider capabilities`, and held against the connector's behaviour by the conformance suite.

use serde::Serialize;
use sever_domain::{Action, EntitlementKind, Grade};

/// How one family of entitlements can be dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Capability {
    /// The family.
    pub family: EntitlementKind,
    /// How it is seen.
    pub sees: Sees,
    /// How it is revoked.
    pub revokes: Revokes,
    /// The best evidence for its end.
    pub grade: Grade,
    /// How it comes back.
    pub restores: Restores,
    /// What a reader must know besides, in one sentence; may be empty.
    pub note: &'static str,
}

/// How a family is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sees {
    /// A read lists it whole.
    Listed,
    /// A read lists it where the provider's edition, licence or settings offer one.
    WhereOffered,
    /// No read lists it.
    Never,
}

/// How a family is revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Revokes {
    /// By a call of ours.
    Call(Action),
    /// It ends with the account or with another family, under a named rule.
    WithRule(&'static str),
    /// A person must do it: a manual task.
    Person,
    /// It is reported and stays.
    Never,
}

/// How a family comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Restores {
    /// By a call of ours, at any time.
    Call(Action),
    /// By a call of ours, for this many days.
    CallForDays(Action, u16),
    /// Not by us: its owner must set it up anew.
    Never,
}
