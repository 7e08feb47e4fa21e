//! One write for one step, sent once.

use serde_json::{Value, json};
use sever_domain::plan::STAYS_DISABLED;
use sever_domain::{AccountState, Action, EntitlementKind as Kind, OutcomeClass};
use sever_provider::http::{Method, Reply};
use sever_provider::{Answer, AnswerKind, CallError, Effect, Sent};
use tokio::time::Instant;

use crate::account::{is_administrator, state};
use crate::edge::{Edge, Holder};
use crate::errors::{Meaning, Refused};
use crate::families::azure::assignment_url;
use crate::families::ownerships::owned;
use crate::families::{azure_eligible, methods, roles, text};
use crate::paging::list;
use crate::place::Place;
use crate::plan::AFTER_ROLES;
use crate::service::{Service, inconsistent, unusable};
use crate::tenant::Tenant;
use crate::writes;

/// Sends the write of an effect. Where the answer leaves open whether it is already so, a read tells; all share one deadline.
///
/// # Errors
/// By what the answer means; `sent` tells whether it may have had its effect.
pub async fn apply(tenant: &Tenant, effect: &Effect) -> Result<Answer, CallError> {
    let until = tenant.graph.http.deadline();
    if effect.target_kind == Kind::ResourceRole {
        return on_azure(tenant, effect, until).await;
    }
    if effect.action == Action::ReinstateAccount {
        let restored = restore_if_deleted(tenant, effect, until).await?;
        if effect.facts[STAYS_DISABLED] == true {
            return Ok(restored.unwrap_or(NOTHING_TO_RESTORE));
        }
    }
    let Some(write) = writes::of(effect) else {
        let what = format!(
            "Graph has no call for the action {} with these facts",
            effect.action
        );
        return Err(unusable("sending a step", what));
    };
    match tenant.write(write, until).await {
        Ok(reply) if effect.action == Action::RevokeSessions && says_no(&reply) => {
            let what = "the answer is a success that says false";
            Err(inconsistent("ending the account's sessions", what))
        }
        Ok(reply) => Ok(done(tenant, &reply)),
        Err(refused) => after_refusal(tenant, effect, refused, until).await,
    }
}

/// `revokeSignInSessions` answers `{"value": true}`, or another 2xx without a body.
fn says_no(reply: &Reply) -> bool {
    reply
        .json::<Value>()
        .is_ok_and(|body| body["value"] == false)
}

/// What a refusal of this action means for its step.
async fn after_refusal(
    tenant: &Tenant,
    effect: &Effect,
    refused: Refused,
    until: Instant,
) -> Result<Answer, CallError> {
    match (effect.action, refused.meaning) {
        // Graph protects administrators; and for a while it goes on protecting who is one no more. Of anybody else it means
        // that a permission is missing, which no patience mends.
        (Action::SuspendAccount | Action::DeleteAccount, Meaning::Denied)
            if effect.facts[AFTER_ROLES] == true =>
        {
            let protected = is_administrator(tenant, &effect.account_id).await;
            Err(once_roles_are_gone(refused.error, protected))
        }
        (
            Action::SuspendAccount | Action::RevokeSessions | Action::DeleteAccount,
            Meaning::Gone,
        ) => {
            let now = state(tenant, &effect.account_id, until)
                .await
                .map_err(not_applied)?;
            match now {
                AccountState::Deactivated | AccountState::Absent => Ok(already(refused.error)),
                // Replicas quarrel: the account is there and was not found.
                AccountState::Live | AccountState::Contained => Err(retry(refused.error)),
            }
        }
        (Action::RemoveOwnership, Meaning::LastOwner) => {
            with_custodian(tenant, effect, refused, until).await
        }
        // The default method goes last, and the list does not tell which one it is.
        (Action::RemoveFactor, Meaning::Failed(OutcomeClass::Permanent, _)) => {
            once_others_are_gone(tenant, effect, refused.error, until).await
        }
        (
            Action::RevokeRole
            | Action::RevokeEligibleRole
            | Action::RemoveFromGroup
            | Action::RemoveOwnership,
            Meaning::NoSchedule,
        ) => after_no_schedule(tenant, effect, refused).await,
        (action, Meaning::There) if action.gives_back() => Ok(already(refused.error)),
        (action, Meaning::Gone | Meaning::ReferenceGone | Meaning::NoLicence)
            if !action.gives_back() =>
        {
            Ok(already(refused.error))
        }
        // What is to come back hangs on something that is not there (yet).
        (_, Meaning::Gone) => Err(retry(refused.error)),
        (_, _) => Err(refused.error),
    }
}

/// An account that is still an administrator is a person's business; one that is none any more is waited for.
fn once_roles_are_gone(error: CallError, protected: Result<bool, CallError>) -> CallError {
    match protected {
        Ok(true) => error,
        Ok(false) => retry(error),
        Err(read) => not_applied(read),
    }
}

async fn once_others_are_gone(
    tenant: &Tenant,
    effect: &Effect,
    error: CallError,
    until: Instant,
) -> Result<Answer, CallError> {
    let items = list(tenant, &methods::ask(&effect.account_id)).await;
    let items = items.map_err(|refused| not_applied(refused.error))?;
    let held = methods::entitlements(&items);
    let others = held
        .iter()
        .filter(|held| methods::is_deletable(held) && held.provider_key != effect.target_key);
    if others.count() > 0 {
        return Err(retry(error));
    }
    let needs_person = CallError {
        class: OutcomeClass::NeedsPerson,
        ..error
    };
    // The others went while this one was under way: it is the last one now.
    let write = writes::of(effect).ok_or_else(|| needs_person.clone())?;
    match tenant.write(write, until).await {
        Ok(reply) => Ok(done(tenant, &reply)),
        Err(again) if again.meaning == Meaning::Gone => Ok(already(again.error)),
        Err(again) => Err(CallError {
            class: match again.error.class {
                OutcomeClass::Permanent => OutcomeClass::NeedsPerson,
                class => class,
            },
            ..again.error
        }),
    }
}

/// Privileged Identity Management says that there is nothing to remove of its own success too. A plain assignment without a
/// schedule is then taken by itself.
async fn after_no_schedule(
    tenant: &Tenant,
    effect: &Effect,
    refused: Refused,
) -> Result<Answer, CallError> {
    let id = &effect.account_id;
    let ask = match (effect.action, effect.facts["group"].is_string()) {
        (Action::RevokeRole, _) => roles::ask_schedules(id),
        (Action::RevokeEligibleRole, true) => roles::ask_eligible_groups(id),
        (Action::RevokeEligibleRole, false) => roles::ask_eligible(id),
        // A membership or ownership without its schedule: the relation itself is read at the close.
        (_, _) => return Ok(already(refused.error)),
    };
    let items = list(tenant, &ask).await;
    let items = items.map_err(|refused| not_applied(refused.error))?;
    let still = items.iter().any(|item| {
        let same = |member: &str, fact: &str| {
            text(item, member) == effect.facts[fact].as_str().unwrap_or_default()
        };
        text(item, "principalId") == id
            && same("roleDefinitionId", "role")
            && same("groupId", "group")
            && same("accessId", "access")
    });
    if still {
        return Err(retry(refused.error));
    }
    Ok(already(refused.error))
}

/// Makes the configured custodian an owner, so that the last one can go.
async fn with_custodian(
    tenant: &Tenant,
    effect: &Effect,
    refused: Refused,
    until: Instant,
) -> Result<Answer, CallError> {
    let custodian = tenant.custodian.as_deref();
    let custodian = custodian.filter(|custodian| *custodian != effect.account_id);
    let (Some(custodian), Some((Holder::Group, group))) = (custodian, owned(&effect.target_key))
    else {
        return Err(refused.error);
    };
    let edge = Edge::owner(Holder::Group, group, custodian);
    let added = tenant
        .write(
            writes::addition("making the custodian an owner", edge),
            until,
        )
        .await;
    match added {
        Ok(_) => {}
        Err(added) if added.meaning == Meaning::There => {}
        Err(added) => return Err(not_applied(added.error)),
    }
    let write = writes::of(effect).ok_or_else(|| refused.error.clone())?;
    match tenant.write(write, until).await {
        Ok(reply) => Ok(done(tenant, &reply)),
        // The new owner is not seen everywhere yet.
        Err(again) if again.meaning == Meaning::LastOwner => Err(retry(again.error)),
        Err(again) => Err(again.error),
    }
}

/// An account that is not among the deleted items.
const NOTHING_TO_RESTORE: Answer = Answer {
    kind: AnswerKind::AlreadyGone,
    status: 200,
    provider_request_id: None,
};

/// A deleted account comes back from the deleted items first, as it was: disabled. `None` where it is not among them.
async fn restore_if_deleted(
    tenant: &Tenant,
    effect: &Effect,
    until: Instant,
) -> Result<Option<Answer>, CallError> {
    let now = state(tenant, &effect.account_id, until)
        .await
        .map_err(not_applied)?;
    if now != AccountState::Deactivated {
        return Ok(None);
    }
    let place = Place::Restore(&effect.account_id);
    let write = writes::post(
        "restoring the account",
        "deleted_items",
        place,
        Some(json!({})),
    );
    match tenant.write(write, until).await {
        Ok(reply) => Ok(Some(done(tenant, &reply))),
        Err(refused) if refused.meaning == Meaning::Gone => Err(retry(refused.error)),
        Err(refused) => Err(refused.error),
    }
}

/// Azure's own idempotency: 204 says that there was nothing to delete, 200 to a PUT that there was nothing to make.
async fn on_azure(tenant: &Tenant, effect: &Effect, until: Instant) -> Result<Answer, CallError> {
    const DOING: &str = "changing an Azure role assignment";
    let Some(service) = &tenant.azure else {
        let what = "the connection says that there are no Azure subscriptions".to_owned();
        return Err(unusable(DOING, what));
    };
    if azure_eligible::is_eligible(&effect.target_key) {
        return eligible_on_azure(tenant, service, effect, until).await;
    }
    let url = assignment_url(service, DOING, &effect.target_key)?;
    let facts = &effect.facts;
    let body = json!({ "properties": {
        "roleDefinitionId": facts["role_definition"], "principalId": effect.account_id,
        "principalType": facts["principal_type"], "condition": facts["condition"],
        "conditionVersion": facts["condition_version"],
    } });
    let (call, no_change) = match effect.action {
        Action::RevokeResourceRole => ((Method::DELETE, None), 204),
        Action::GrantResourceRole => ((Method::PUT, Some(&body)), 200),
        _ => {
            let what = format!("Azure has no call for the action {}", effect.action);
            return Err(unusable(DOING, what));
        }
    };
    match tenant.azure(service, DOING, call, url, Some(until)).await {
        Ok(reply) => Ok(Answer {
            kind: if reply.status.as_u16() == no_change {
                AnswerKind::AlreadyGone
            } else {
                AnswerKind::Done
            },
            status: reply.status.as_u16(),
            provider_request_id: service.http.request_id_of(&reply),
        }),
        Err(refused) => match (effect.action, refused.meaning) {
            (Action::RevokeResourceRole, Meaning::Gone)
            | (Action::GrantResourceRole, Meaning::There) => Ok(already(refused.error)),
            (_, _) => Err(refused.error),
        },
    }
}

/// A request of Azure's Privileged Identity Management, which says that there is nothing to remove of its own success too.
async fn eligible_on_azure(
    tenant: &Tenant,
    service: &Service,
    effect: &Effect,
    until: Instant,
) -> Result<Answer, CallError> {
    const DOING: &str = "changing an eligible Azure role";
    let (kind, why) = match effect.action.gives_back() {
        true => ("AdminAssign", writes::JUSTIFICATION_BACK),
        false => ("AdminRemove", writes::JUSTIFICATION),
    };
    let (url, body) = azure_eligible::request(service, DOING, effect, kind, why)?;
    let call = (Method::PUT, Some(&body));
    let refused = match tenant.azure(service, DOING, call, url, Some(until)).await {
        Ok(reply) => {
            return Ok(Answer {
                kind: AnswerKind::Done,
                status: reply.status.as_u16(),
                provider_request_id: service.http.request_id_of(&reply),
            });
        }
        Err(refused) => refused,
    };
    match (effect.action.gives_back(), refused.meaning) {
        (true, Meaning::There) => Ok(already(refused.error)),
        (false, Meaning::Gone | Meaning::NoSchedule) => {
            let there = azure_eligible::is_there(tenant, service, effect).await;
            match there.map_err(|read| not_applied(read.error))? {
                true => Err(retry(refused.error)),
                false => Ok(already(refused.error)),
            }
        }
        (_, _) => Err(refused.error),
    }
}

/// The write itself was refused, so whatever stops a read that follows, the write was not applied.
fn not_applied(error: CallError) -> CallError {
    CallError {
        sent: Sent::NotApplied,
        ..error
    }
}

fn retry(error: CallError) -> CallError {
    CallError {
        class: OutcomeClass::Retry,
        ..error
    }
}

fn already(error: CallError) -> Answer {
    Answer {
        kind: AnswerKind::AlreadyGone,
        status: error.status.unwrap_or_default(),
        provider_request_id: error.provider_request_id,
    }
}

fn done(tenant: &Tenant, reply: &Reply) -> Answer {
    Answer {
        kind: AnswerKind::Done,
        status: reply.status.as_u16(),
        provider_request_id: tenant.graph.http.request_id_of(reply),
    }
}
