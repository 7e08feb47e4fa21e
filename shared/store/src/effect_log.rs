//! Every intended call, to be compared with a provider's own record of what it received.

use jiff::Timestamp;
use sever_domain::{Action, JobId};
use tokio_postgres::Row;

use crate::error::StoreError;
use crate::pool::Client;
use crate::row::word;

const LIST: &str = "
SELECT step.job_id, connection.name AS connection, binding.provider_id AS account, step.action, step.target_key,
       effect.intent_at, effect.answered_at, effect.status, effect.outcome, effect.provider_request_id
FROM effect
JOIN step ON step.id = effect.step_id
JOIN binding ON binding.id = step.binding_id
JOIN connection ON connection.id = binding.connection_id
ORDER BY effect.intent_at, effect.step_id, effect.no LIMIT $1";

/// One intended call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntendedCall {
    /// Its job.
    pub job: JobId,
    /// The connection's name.
    pub connection: String,
    /// The account that its step hangs on, by the provider's id.
    pub account: String,
    /// What it does.
    pub action: Action,
    /// The provider's key of what it ends.
    pub target_key: String,
    /// When its intent was written, which is before the call.
    pub intent_at: Timestamp,
    /// When it was answered.
    pub answered_at: Option<Timestamp>,
    /// The HTTP status of the answer.
    pub status: Option<i32>,
    /// `done`, `already_gone`, `not_applied`, `lost` or `refused`; `None` while unanswered.
    pub outcome: Option<String>,
    /// The provider's id of the request.
    pub provider_request_id: Option<String>,
}

/// The oldest `limit` intended calls, repeated ones and those of older plan revisions included.
///
/// # Errors
/// As any statement; [`StoreError::Corrupt`] for a word that this version does not know.
pub async fn list(client: &Client, limit: i64) -> Result<Vec<IntendedCall>, StoreError> {
    let rows = client
        .query(LIST, &[&limit], "listing intended calls")
        .await?;
    rows.iter().map(call).collect()
}

fn call(row: &Row) -> Result<IntendedCall, StoreError> {
    Ok(IntendedCall {
        job: JobId(row.get("job_id")),
        connection: row.get("connection"),
        account: row.get("account"),
        action: word(row, "action")?,
        target_key: row.get("target_key"),
        intent_at: row.get("intent_at"),
        answered_at: row.get("answered_at"),
        status: row.get("status"),
        outcome: row.get("outcome"),
        provider_request_id: row.get("provider_request_id"),
    })
}
