//! The way back: the inverse call of each step that has one.

use serde_json::{Value, json};
use sever_domain::entitlement::Entitlement;
use sever_domain::plan::PlannedStep;
use sever_domain::{Action, StepClass};
use sever_provider::{CallError, Undo};

use crate::app::App;
use crate::members::group_by_id;
use crate::step;

/// How a verified step comes back.
///
/// # Errors
/// As any read.
pub async fn undo(
    app: &App,
    done: &PlannedStep,
    pre_image: Option<&Entitlement>,
) -> Result<Undo, CallError> {
    let facts = || pre_image.map_or(json!({}), |read| read.facts.clone());
    Ok(match done.action {
        Action::SuspendAccount => inverse(done, Action::ReinstateAccount, json!({})),
        Action::RevokeRole => inverse(done, Action::GrantRole, facts()),
        Action::RevokeLicence => inverse(done, Action::AssignLicence, facts()),
        Action::RemoveFromGroup => {
            let group = group_by_id(app, &done.target_key, None).await;
            match group.map_err(|refused| refused.error)? {
                Some(group) if !done.privileged && group.sounds_privileged() => {
                    never("the group's name speaks of administration now: ask its owner")
                }
                Some(_) => inverse(done, Action::AddToGroup, json!({})),
                None => never("the group does not exist any more"),
            }
        }
        Action::DeleteAccount => never(
            "a deleted account does not come back: a new one has another id and nothing in it",
        ),
        _ => Undo::Nothing,
    })
}

fn never(reason: &str) -> Undo {
    Undo::Impossible {
        reason: reason.to_owned(),
    }
}

fn inverse(done: &PlannedStep, action: Action, facts: Value) -> Undo {
    Undo::Step(Box::new(PlannedStep {
        privileged: done.privileged,
        facts,
        ..step::step(
            done.binding,
            (action, StepClass::Revoke),
            done.target_kind,
            &done.target_key,
        )
    }))
}
