//! DELETE of a user (RFC 7644 section 3.6), and what applications make of it.

use sever_provider::http::Method;
use sever_provider::{Answer, CallError};
use tokio::time::Instant;

use crate::account::user_by_id;
use crate::activate::{after_write, not_applied};
use crate::app::{App, Write, unusable};
use crate::errors::Meaning;

const DOING: &str = "deleting the account";

/// Deletes a user. An application that keeps deleted users as inactive ones is remembered, so that the read which closes
/// the job knows what it sees.
///
/// # Errors
/// By what the answer means; class `NeedsPerson` where the application has no DELETE, or left the user active.
pub async fn delete(app: &App, id: &str, until: Instant) -> Result<Answer, CallError> {
    let write = Write {
        doing: DOING,
        method: Method::DELETE,
        id,
        json: None,
        version: None,
    };
    let reply = match app.write_user(write, until).await {
        Ok(reply) => reply,
        Err(refused) => {
            let read = || async { user_by_id(app, id, Some(until)).await.map_err(not_applied) };
            return match refused.meaning {
                Meaning::Gone if read().await?.is_none() => Ok(refused.already()),
                Meaning::Gone | Meaning::NoMethod => {
                    app.dialects.has_no_delete.learn();
                    let what = "the application has no DELETE for users: somebody must delete the account there";
                    Err(unusable(DOING, what.to_owned()))
                }
                _ => Err(refused.error),
            };
        }
    };
    let left = user_by_id(app, id, Some(until))
        .await
        .map_err(after_write)?;
    match left.map(|user| user.active()) {
        None => Ok(app.done(&reply)),
        Some(Some(false)) => {
            app.dialects.keeps_deleted.learn();
            Ok(app.done(&reply))
        }
        // A deletion that takes its time: the closing read looks again.
        Some(_) => Ok(app.done(&reply)),
    }
}
