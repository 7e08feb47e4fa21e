//! Audit events as canonical bytes with their digest. Pure: writing them is the store's work.

#![cfg_attr(test, allow(clippy::unwrap_used))] // a failed unwrap is a failed test

mod event;

pub use event::{AuditEvent, AuditKind, Particulars, digest, digest_of};
