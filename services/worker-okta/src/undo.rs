//! The way back: the inverse call of each step that has one, after a fresh look at the target.

use serde::Deserialize;
use serde_json::{Value, json};
use sever_domain::entitlement::Entitlement;
use sever_domain::plan::{Disposition, PlannedStep};
use sever_domain::{Action, Grade, Reversibility, StepClass};
use sever_provider::{CallError, Undo};

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
        Action::DeactivateDevice => inverse(step, Action::ActivateDevice, Value::Null),
        Action::RevokeSessions => never("sessions begin anew when the person signs in"),
        Action::RevokeTokens | Action::RevokeGrants => {
            never("the person consents anew when an application asks")
        }
        Action::RevokeApiToken => never("Okta shows an API token once: its owner makes a new one"),
        Action::RemoveFactor => never("the person enrols the factor anew"),
        Action::DeleteDevice => never("the device registers anew at its next sign-in"),
        Action::UnlinkIdentity => never("the link comes back when the person signs in through it"),
        _ => Undo::Nothing,
    })
}

async fn group(org: &Org, step: &PlannedStep) -> Result<Undo, CallError> {
    let ask = Ask {
        doing: "reading whether a group carries administrative roles",
        endpoint: endpoint::GROUP_ROLES,
        path: &["groups", &step.target_key, "roles"],
        query: &[],
    };
    let reply = org.get(ask, None).await.map_err(|refused| refused.error)?;
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
        return never("what the role was is not in the pre-image");
    };
    if role_is_inherited(read) {
        return Undo::Nothing;
    }
    let facts = match (&read.facts["type"], &read.facts["role"]) {
        (Value::String(kind), _) if kind != "CUSTOM" => json!({"type": kind}),
        (_, Value::String(role)) => {
            json!({"type": "CUSTOM", "role": role, "resource-set": read.facts["resource_set"]})
        }
        (_, _) => return never("what the role was is not in the pre-image"),
    };
    inverse(step, Action::GrantRole, facts)
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
