//! DELETE of a user (RFC 7644 section 3.6), and what applications make of it.

use sever_provider::http::{Method, Reply};
use sever_provider::{Answer, CallError};
use tokio::time::Instant;

use crate::account::{is_listed, user_by_id};
use crate::activate::{after_write, not_applied};
use crate::app::{App, Refused, Write, inconsistent, unusable};
use crate::errors::Meaning;
use crate::user::User;

const DOING: &str = "deleting the account";

/// Deletes a user. An application that keeps deleted users as inactive ones is remembered, so that the read which closes
/// the job knows what it sees.
///
/// # Errors
/// By what the answer means; class `NeedsPerson` where the application has no DELETE, or left the user active.
pub async fn delete(app: &App, id: &str, until: Instant) -> Result<Answer, CallError> {
    let read = async || user_by_id(app, id, Some(until)).await;
    let mut sent = send(app, id, None, until).await;
    if let Err(refused) = &sent
        && refused.meaning == Meaning::WrongForm
        && let Some(version) = read().await.map_err(not_applied)?.and_then(|it| it.version)
    {
        // It deletes nothing without the version that it has.
        sent = send(app, id, Some(version), until).await;
    }
    let reply = match sent {
        Ok(reply) => reply,
        Err(refused) if matches!(refused.meaning, Meaning::Gone | Meaning::NoMethod) => {
            let left = read().await.map_err(not_applied)?;
            if refused.meaning == Meaning::Gone
                && let Some(user) = &left
            {
                recognize_kept(app, user).await?;
            }
            return not_deleted(app, id, refused, left.map(|user| user.active()));
        }
        Err(refused) => return Err(refused.error),
    };
    let left = read().await.map_err(after_write)?;
    // One that is still active is a deletion that takes its time: the closing read looks again.
    if left.is_some_and(|user| user.active() == Some(false)) {
        app.dialects.keeps_deleted.learn();
    }
    Ok(app.done(&reply))
}

/// DELETE finds nothing, and a read still shows the user, inactive and in no list: deleted before, by a process that knew what it
/// saw. One that is listed was never deleted.
async fn recognize_kept(app: &App, user: &User) -> Result<(), CallError> {
    if user.active() == Some(false) && !app.dialects.keeps_deleted.is_known() {
        let listed = is_listed(app, user).await.map_err(not_applied)?;
        if listed == Some(false) {
            app.dialects.keeps_deleted.learn();
        }
    }
    Ok(())
}

async fn send(
    app: &App,
    id: &str,
    version: Option<String>,
    until: Instant,
) -> Result<Reply, Refused> {
    let write = Write {
        doing: DOING,
        method: Method::DELETE,
        id,
        json: None,
        version,
    };
    app.write_user(write, until).await
}

/// DELETE found nothing, or is not there. `left` is the `active` of the user, where there is one. What is not found and shown
/// may have been deleted before, by a call whose answer was lost: only 405 and 501 say that there is no DELETE.
fn not_deleted(
    app: &App,
    id: &str,
    refused: Refused,
    left: Option<Option<bool>>,
) -> Result<Answer, CallError> {
    let is_found = refused.meaning != Meaning::Gone;
    match left {
        None => {
            app.dialects.unfound.settle(id);
            return Ok(refused.already());
        }
        Some(Some(false)) if !is_found && app.dialects.keeps_deleted.is_known() => {
            return Ok(refused.already());
        }
        Some(_) => {}
    }
    if is_found {
        app.dialects.has_no_delete.learn();
        let what =
            "the application has no DELETE for users: somebody must delete the account there";
        return Err(unusable(DOING, what.to_owned()));
    }
    if app.dialects.unfound.may_be_behind(id, Instant::now()) {
        let what = "the application finds nothing to delete and still shows the account: its reads may be behind";
        return Err(not_applied(inconsistent(DOING, what)));
    }
    let what = "the application finds nothing to delete and goes on showing the account: somebody must delete it there";
    Err(unusable(DOING, what.to_owned()))
}
