//! The way back: the inverse call of each step that has one, after a fresh look at the target.

use serde_json::{Value, json};
use sever_domain::entitlement::Entitlement;
use sever_domain::plan::{PlannedStep, STAYS_DISABLED};
use sever_domain::{Action, EntitlementKind as Kind, Reversibility, StepClass};
use sever_provider::{CallError, Undo};

use crate::edge::Holder;
use crate::errors::Meaning;
use crate::families::groups::{GroupSource, source_of};
use crate::families::ownerships::owned;
use crate::families::term;
use crate::service::inconsistent;
use crate::steps::step;
use crate::tenant::{Ask, Tenant};

/// How a verified step comes back. A group to which directory roles can be given now, and that the account was not a
/// privileged member of, stays out of reach.
///
/// # Errors
/// As any read.
pub async fn undo(
    tenant: &Tenant,
    taken: &PlannedStep,
    pre_image: Option<&Entitlement>,
) -> Result<Undo, CallError> {
    Ok(match taken.action {
        Action::SuspendAccount => inverse(taken, pre_image, Action::ReinstateAccount),
        Action::DeleteAccount => from_the_deleted(taken, pre_image),
        Action::DisableIntegration => inverse(taken, pre_image, Action::EnableIntegration),
        Action::RemoveFromGroup => {
            let group = taken.target_key.as_str();
            into_group(tenant, taken, pre_image, Action::AddToGroup, group).await?
        }
        Action::RemoveOwnership => match owned(&taken.target_key) {
            Some((Holder::Group, group)) => {
                into_group(tenant, taken, pre_image, Action::AddOwnership, group).await?
            }
            _ => inverse(taken, pre_image, Action::AddOwnership),
        },
        Action::RevokeRole => in_its_term(taken, pre_image, Action::GrantRole),
        Action::RevokeEligibleRole => in_its_term(taken, pre_image, Action::GrantEligibleRole),
        Action::RevokeResourceRole => in_its_term(taken, pre_image, Action::GrantResourceRole),
        Action::UnassignApp => inverse(taken, pre_image, Action::AssignApp),
        Action::RevokePermission => inverse(taken, pre_image, Action::GrantPermission),
        Action::RemoveConsumer => inverse(taken, pre_image, Action::AddConsumer),
        Action::RevokeGrants => inverse(taken, pre_image, Action::RestoreGrants),
        Action::RevokeLicence => inverse(taken, pre_image, Action::AssignLicence),
        Action::DeactivateDevice => inverse(taken, pre_image, Action::ActivateDevice),
        Action::RevokeSessions => never("sessions begin anew when the person signs in"),
        Action::RemoveFactor => never("the person registers the authentication method anew"),
        Action::RemoveSecret => {
            never("a secret or key is shown once: the application's owner makes a new one")
        }
        _ => Undo::Nothing,
    })
}

async fn into_group(
    tenant: &Tenant,
    taken: &PlannedStep,
    pre_image: Option<&Entitlement>,
    action: Action,
    group: &str,
) -> Result<Undo, CallError> {
    let ask = Ask::new("reading what a group is now", "group", &["groups", group]).with(
        "$select",
        "id,groupTypes,onPremisesSyncEnabled,mailEnabled,isAssignableToRole",
    );
    let now = match tenant.get(&ask, None).await {
        Ok(reply) => reply
            .json::<Value>()
            .map_err(|_| inconsistent(ask.doing, "the answer is not a group"))?,
        Err(refused) if refused.meaning == Meaning::Gone => {
            return Ok(never("the group does not exist any more"));
        }
        Err(refused) => return Err(refused.error),
    };
    let was_assignable = facts_of(taken, pre_image)["role_assignable"] == true;
    Ok(if now["isAssignableToRole"] == true && !was_assignable {
        never("directory roles can be given to the group now: ask its owner")
    } else if source_of(&now) != GroupSource::Cloud {
        never("Graph does not decide about the group's members any more")
    } else {
        in_its_term(taken, pre_image, action)
    })
}

/// What was given for a time does not come back for good.
fn in_its_term(taken: &PlannedStep, pre_image: Option<&Entitlement>, action: Action) -> Undo {
    match term::over(
        facts_of(taken, pre_image),
        sever_provider::wall_clock::now(),
    ) {
        Some(reason) => never(reason),
        None => inverse(taken, pre_image, action),
    }
}

/// A deleted account comes back as it was before us: one that was disabled then stays disabled.
fn from_the_deleted(taken: &PlannedStep, pre_image: Option<&Entitlement>) -> Undo {
    let was_disabled = pre_image.is_some_and(|read| read.facts["enabled"] == false);
    let mut back = inverse(taken, pre_image, Action::ReinstateAccount);
    if let Undo::Step(step) = &mut back {
        step.facts = json!({ STAYS_DISABLED: was_disabled });
    }
    back
}

fn never(reason: &str) -> Undo {
    Undo::Impossible {
        reason: reason.to_owned(),
    }
}

/// The facts that the removal carried; the pre-image has them too, and counts where it is there.
fn facts_of<'a>(taken: &'a PlannedStep, pre_image: Option<&'a Entitlement>) -> &'a Value {
    match pre_image {
        Some(read) if taken.target_kind != Kind::Account => &read.facts,
        _ => &taken.facts,
    }
}

/// The inverse step.
fn inverse(taken: &PlannedStep, pre_image: Option<&Entitlement>, action: Action) -> Undo {
    Undo::Step(Box::new(PlannedStep {
        privileged: taken.privileged,
        reversibility: Reversibility::Reversible,
        facts: facts_of(taken, pre_image).clone(),
        ..step(
            taken.binding,
            action,
            StepClass::Revoke,
            taken.target_kind,
            &taken.target_key,
        )
    }))
}
