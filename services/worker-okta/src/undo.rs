//! The way back: the inverse call of each step that has one, after a fresh look at the target.

use serde::Deserialize;
use serde_json::{Value, json};
use sever_domain::entitlement::Entitlement;
use sever_domain::plan::{Disposition, KNOWN_BY, PlannedStep};
use sever_domain::{Action, Grade, Reversibility, StepClass};
use sever_provider::{CallError, Undo};

use crate::errors::Meaning;
use crate::families::{role_is_inherited, scope_is_group};
use crate::org::{Ask, Org, endpoint, inconsistent};

#[derive(Debug, Deserialize)]
struct GroupRole {}

/// How a verified step comes back. A group that carries an administrative role now and is not the account's
/// by a privileged membership of then stays out of reach.
///
/// # Errors
/// As any read.
pub async fn undo(
    org: &Org,
    step: &PlannedStep,
    pre_image: Option<&Entitlement>,
) -> Result<Undo, CallError> {
    Ok(match step.action {
        Action::SuspendAccount | Action::DeactivateAccount => {
            inverse(step, Action::ReinstateAccount, Value::Null)
        }
        Action::RemoveFromGroup => group(org, step).await?,
        Action::UnassignApp if pre_image.is_some_and(scope_is_group) => Undo::Nothing,
        Action::UnassignApp => inverse(step, Action::AssignApp, Value::Null),
        Action::RevokeRole => role(step, pre_image),
        Action::RemoveOwnership => inverse(step, Action::AddOwnership, Value::Null),
        Action::DeactivateDevice => device(org, step).await?,
        Action::RevokeSessions => never("sessions begin anew when the person signs in"),
        Action::RevokeTokens | Action::RevokeGrants => {
            never("the person consents anew when an application asks")
        }
        Action::RevokeApiToken => never("Okta shows an API token once: its owner makes a new one"),
        Action::RemoveFactor => never("the person enrols the factor anew"),
        Action::DeleteDevice => never(DEVICE_GONE),
        Action::UnlinkIdentity => never("the link comes back when the person signs in through it"),
        _ => Undo::Nothing,
    })
}

/// A device is deactivated to be deleted: only where that has not happened is there one to activate.
async fn device(org: &Org, step: &PlannedStep) -> Result<Undo, CallError> {
    let ask = Ask {
        doing: "reading whether the device is still there",
        endpoint: endpoint::DEVICES,
        path: &["devices", &step.target_key],
        query: &[],
    };
    match org.get(ask, None).await {
        Ok(_) => Ok(inverse(step, Action::ActivateDevice, Value::Null)),
        Err(refused) if refused.meaning == Meaning::Gone => Ok(never(DEVICE_GONE)),
        Err(refused) => Err(refused.error),
    }
}

async fn group(org: &Org, step: &PlannedStep) -> Result<Undo, CallError> {
    let ask = Ask {
        doing: "reading whether a group carries administrative roles",
        endpoint: endpoint::GROUP_ROLES,
        path: &["groups", &step.target_key, "roles"],
        query: &[],
    };
    let reply = match org.get(ask, None).await {
        Ok(reply) => reply,
        Err(refused) if refused.meaning == Meaning::Gone => {
            return Ok(never("the group does not exist any more"));
        }
        Err(refused) => return Err(refused.error),
    };
    let roles: Vec<GroupRole> = reply
        .json()
        .map_err(|_| inconsistent(ask.doing, "the answer is not a list of roles"))?;
    Ok(if roles.is_empty() || step.privileged {
        inverse(step, Action::AddToGroup, Value::Null)
    } else {
        never("the group carries an administrative role now: ask its owner")
    })
}

fn role(step: &PlannedStep, pre_image: Option<&Entitlement>) -> Undo {
    let Some(read) = pre_image else {
        return never(ROLE_UNKNOWN);
    };
    if role_is_inherited(read) {
        return Undo::Nothing;
    }
    if is_limited(&read.facts) {
        return never(ROLE_LIMITED);
    }
    match role_again(
        &read.facts,
        &["type", "role", "resource_set", "assignment_type"],
    ) {
        Some(facts) => inverse(step, Action::GrantRole, facts),
        None => never(ROLE_UNKNOWN),
    }
}

/// Why a deleted device stays away.
const DEVICE_GONE: &str = "the device registers anew at its next sign-in";
/// Why a role without its facts stays away.
pub(crate) const ROLE_UNKNOWN: &str = "what the role was is not in the pre-image";
/// Why a role that was limited stays away: a grant is without limits, however briefly.
pub(crate) const ROLE_LIMITED: &str = "the role was limited to groups or applications, and a grant is without limits at first: an administrator gives it anew";

/// Whether the role was limited to some groups or applications.
pub(crate) fn is_limited(read: &Value) -> bool {
    read["targets"].as_u64().unwrap_or(0) > 0
}

/// What grants the role again, and by which of its facts it is recognised then: every assignment gets an id of its own.
pub(crate) fn role_again(read: &Value, known_by: &[&str]) -> Option<Value> {
    let role = match (&read["type"], &read["role"]) {
        (Value::String(kind), _) if kind != "CUSTOM" => json!({"type": kind}),
        (_, Value::String(role)) => {
            json!({"type": "CUSTOM", "role": role, "resource-set": read["resource_set"]})
        }
        (_, _) => return None,
    };
    Some(json!({"role": role, KNOWN_BY: known_by_facts(read, known_by)}))
}

/// These facts of what was read.
pub(crate) fn known_by_facts(read: &Value, names: &[&str]) -> Value {
    let fact = |name: &&str| ((*name).to_owned(), read[*name].clone());
    names.iter().map(fact).collect()
}

fn never(reason: &str) -> Undo {
    Undo::Impossible {
        reason: reason.to_owned(),
    }
}

fn inverse(step: &PlannedStep, action: Action, facts: Value) -> Undo {
    Undo::Step(Box::new(PlannedStep {
        binding: step.binding,
        action,
        class: StepClass::Revoke,
        target_kind: step.target_kind,
        target_key: step.target_key.clone(),
        privileged: step.privileged,
        reversibility: Reversibility::Reversible,
        grade: Grade::Read,
        rule: None,
        disposition: Disposition::MustGo,
        residual_s: None,
        needs: Vec::new(),
        facts,
    }))
}
