//! One write for one step of a person, sent once.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;
use sever_domain::{Action, OutcomeClass};
use sever_provider::http::{Method, Priority};
use sever_provider::{Answer, AnswerKind, CallError, Effect, Sent};
use tokio::time::Instant;

use super::find::person_by_id;
use super::users::active_login;
use crate::bulk::{Item, only_item};
use crate::credential::PushedSet;
use crate::errors::{Meaning, Refused, unusable};
use crate::patience::Patience;
use crate::pushed::{self, Goes};
use crate::tenant::{Api, Ask, Tenant};

/// How soon a refusal that passes by itself is looked at again: integrations report about once an hour.
const SYNC_WAIT: Duration = Duration::from_secs(15 * 60);

/// Sends the write of an effect. A bulk call's 200 only says that it was heard: where its item failed, one read tells
/// whether it is so already; all share one deadline.
///
/// # Errors
/// By what the answer means; `sent` tells whether it may have had its effect.
pub async fn apply(tenant: &Tenant, effect: &Effect) -> Result<Answer, CallError> {
    let until = tenant.deadline();
    match effect.action {
        Action::DeactivateAccount => deactivate(tenant, effect, until).await,
        Action::OffboardPerson => offboard(tenant, &effect.account_id, until).await,
        Action::DeleteResource => delete_row(tenant, effect, until).await,
        other => Err(unusable(
            "sending a step",
            format!("Vanta has no call for the action {other} on a person"),
        )),
    }
}

/// `POST /users/deactivate`: refuses a login that an identity provider provisions, and the last administrator's.
async fn deactivate(tenant: &Tenant, effect: &Effect, until: Instant) -> Result<Answer, CallError> {
    const DOING: &str = "deactivating the login";
    let Some(user) = effect.facts["user_id"].as_str() else {
        return Err(unusable(DOING, "the plan names no login".to_owned()));
    };
    let ask = Ask {
        doing: DOING,
        family: "users_deactivate",
        path: &["users", "deactivate"],
        query: &[],
    };
    let body = json!({ "updates": [{ "id": user }] });
    let sent = tenant
        .write(
            Api::Manage,
            Method::POST,
            ask,
            &body,
            Priority::Containing,
            until,
        )
        .await;
    let reply = match sent {
        Ok(reply) => reply,
        Err(Refused {
            meaning: Meaning::Gone | Meaning::NotOffered,
            error,
        }) => {
            // The path is new: a tenant without it needs a person, which the next plan says.
            tenant.no_deactivation.store(true, Ordering::Relaxed);
            return Err(CallError {
                class: OutcomeClass::NeedsPerson,
                ..error
            });
        }
        Err(refused) => return Err(refused.error),
    };
    let status = reply.status.as_u16();
    if only_item(DOING, &reply, user)? == Item::Success {
        tenant.refused_logins.worked(user);
        return Ok(answer(AnswerKind::Done, status));
    }
    let active = match read_back(person_by_id(tenant, &effect.account_id, Some(until)).await)? {
        Some(person) => active_login(tenant, &person)
            .await
            .map_err(|refused| not_applied(refused.error))?,
        None => None,
    };
    if active.as_deref() == Some(user) {
        let what = "Vanta refuses to deactivate this login: an identity provider provisions it (remove it there), or it is the last administrator's (make another one first)";
        Err(refused(&tenant.refused_logins, user, DOING, what))
    } else {
        Ok(answer(AnswerKind::AlreadyGone, status))
    }
}

/// `POST /people/offboard`: completes the offboarding where every precondition holds; a repeat changes nothing.
async fn offboard(tenant: &Tenant, person: &str, until: Instant) -> Result<Answer, CallError> {
    const DOING: &str = "completing the offboarding";
    let ask = Ask {
        doing: DOING,
        family: "people_offboard",
        path: &["people", "offboard"],
        query: &[],
    };
    let body = json!({ "updates": [{ "id": person, "acknowledgerId": tenant.acknowledger }] });
    let reply = tenant
        .write(
            Api::Manage,
            Method::POST,
            ask,
            &body,
            Priority::Ordinary,
            until,
        )
        .await
        .map_err(|refused| refused.error)?;
    let status = reply.status.as_u16();
    if only_item(DOING, &reply, person)? == Item::Success {
        tenant.refused_offboardings.worked(person);
        return Ok(answer(AnswerKind::Done, status));
    }
    let Some(record) = read_back(person_by_id(tenant, person, Some(until)).await)? else {
        return Ok(answer(AnswerKind::AlreadyGone, status));
    };
    if record.is_offboarded() {
        return Ok(answer(AnswerKind::AlreadyGone, status));
    }
    if !record.is_former() {
        let what = "Vanta refuses it: the employment has not ended there";
        return Err(passes(DOING, what));
    }
    if !record.open_tasks().is_empty() {
        let what = "Vanta refuses it: a custom offboarding task is open";
        return Err(passes(DOING, what));
    }
    let what = "Vanta refuses it: an account that it monitors is still active as far as it knows (deactivate it at its source, or say in Vanta with a reason that it is), or the configured acknowledger may not acknowledge";
    Err(refused(&tenant.refused_offboardings, person, DOING, what))
}

/// A refusal that may pass by itself; a person's once it has not for long.
fn refused(patience: &Patience, of: &str, doing: &'static str, what: &str) -> CallError {
    let error = passes(doing, what);
    if !patience.refused(of, Instant::now()) {
        return error;
    }
    CallError {
        class: OutcomeClass::NeedsPerson,
        retry_after: None,
        ..error
    }
}

async fn delete_row(tenant: &Tenant, effect: &Effect, until: Instant) -> Result<Answer, CallError> {
    let text = |name: &str| effect.facts[name].as_str().map(str::to_owned);
    let planned = effect.facts["rows"]
        .as_u64()
        .and_then(|rows| usize::try_from(rows).ok());
    let (Some(kind), Some(resource_id), Some(planned)) =
        (text("type"), text("resource_id"), planned)
    else {
        let what = "the plan names no set of rows".to_owned();
        return Err(unusable("deleting a pushed row", what));
    };
    let set = PushedSet { kind, resource_id };
    let goes = Goes::Row {
        id: &effect.target_key,
        planned,
    };
    pushed::delete(tenant, &set, goes, until).await
}

/// The write's item was refused, so whatever stops the read that follows, the write was not applied.
fn read_back<T>(read: Result<T, CallError>) -> Result<T, CallError> {
    read.map_err(not_applied)
}

fn not_applied(error: CallError) -> CallError {
    CallError {
        sent: Sent::NotApplied,
        ..error
    }
}

/// A refusal that passes when others have done their part.
fn passes(doing: &'static str, what: &str) -> CallError {
    CallError {
        class: OutcomeClass::Wait,
        retry_after: Some(SYNC_WAIT),
        status: Some(200),
        ..unusable(doing, what.to_owned())
    }
}

const fn answer(kind: AnswerKind, status: u16) -> Answer {
    Answer {
        kind,
        status,
        provider_request_id: None,
    }
}
