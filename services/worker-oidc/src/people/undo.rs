//! The way back for a person: the inverse call of each step that has one, after a fresh look at the target.

use serde_json::json;
use sever_domain::Action;
use sever_domain::entitlement::Entitlement;
use sever_domain::plan::PlannedStep;
use sever_provider::{CallError, Undo};

use super::power::{Power, power_of};
use crate::issuer::Issuer;
use crate::step::{inverse, never};

/// How a verified step comes back. A group that carries administrative roles now stays out of reach.
///
/// # Errors
/// As any read.
pub async fn undo(
    issuer: &Issuer,
    done: &PlannedStep,
    pre_image: Option<&Entitlement>,
) -> Result<Undo, CallError> {
    Ok(match done.action {
        Action::SuspendAccount => inverse(done, Action::ReinstateAccount, json!({})),
        Action::RevokeRole => match pre_image {
            Some(read) => inverse(done, Action::GrantRole, read.facts.clone()),
            None => never("what the role was is not in the pre-image"),
        },
        Action::RemoveFromGroup => group(issuer, done).await?,
        Action::RevokeSessions => never("sessions begin anew when the person signs in"),
        Action::RevokeTokens | Action::RevokeGrants => {
            never("the person consents anew when an application asks")
        }
        Action::RemoveFactor => never("the person sets a password and enrols factors anew"),
        Action::UnlinkIdentity => never("the link comes back when the person signs in through it"),
        _ => Undo::Nothing,
    })
}

async fn group(issuer: &Issuer, done: &PlannedStep) -> Result<Undo, CallError> {
    let power = power_of(issuer, &done.target_key).await;
    Ok(match power.map_err(|refused| refused.error)? {
        Power::Gone => never("the group does not exist any more"),
        Power::Ordinary => inverse(done, Action::AddToGroup, json!({})),
        Power::Administrative if done.privileged => inverse(done, Action::AddToGroup, json!({})),
        Power::Administrative => {
            never("the group, or one above it, carries administrative roles now: ask its owner")
        }
        Power::Unclear => never(
            "what the group and those above it give cannot be read whole: ask its owner, or let our client view clients",
        ),
    })
}
