//! What cannot be taken in: kept with its body and the reason, and counted.

use sever_domain::request::Channel;
use sever_store::reject::{self, NewReject};
use sever_store::{Store, StoreError};
use sever_telemetry::catalogue;

use crate::error::AcceptError;

/// Keeps a body that cannot be taken in, so that a person can see it. The sender may be told or acked once
/// this returns `Ok`.
///
/// # Errors
/// As any statement.
pub async fn reject(
    store: &Store,
    source_name: &str,
    channel: Channel,
    body: &[u8],
    why: &AcceptError,
) -> Result<(), StoreError> {
    let (field, other_digest) = match why {
        AcceptError::Field(fault) => (Some(fault.field.as_str()), None),
        AcceptError::KeyReused { accepted, .. } => (None, Some(*accepted)),
        AcceptError::UnknownPerson { field } => (Some(*field), None),
        AcceptError::UnknownIntegration { .. } => (Some("/integration"), None),
        AcceptError::NotBound { .. }
        | AcceptError::NoConnection
        | AcceptError::NotJustified(_)
        | AcceptError::Store(_) => (None, None),
    };
    let reason = why.to_string();
    let row = NewReject {
        source_name,
        channel,
        other_digest,
        reason: &reason,
        field,
        body,
    };
    let id = reject::insert(store, &row).await?;
    let word = word(why);
    // The reason quotes the body, so it stays in the row.
    tracing::warn!(reject = %id, source_name, reason = word, "something could not be taken in; see 'sever rejected show'");
    metrics::counter!(catalogue::REQUESTS_REJECTED.name, "reason" => word).increment(1);
    Ok(())
}

/// The reason as a metric's label.
const fn word(why: &AcceptError) -> &'static str {
    match why {
        AcceptError::Field(_) => "field",
        AcceptError::KeyReused { .. } => "key_reused",
        AcceptError::UnknownPerson { .. } => "unknown_person",
        AcceptError::UnknownIntegration { .. } => "unknown_integration",
        AcceptError::NotBound { .. } => "not_bound",
        AcceptError::NoConnection => "no_connection",
        AcceptError::NotJustified(_) => "not_justified",
        AcceptError::Store(_) => "store",
    }
}
