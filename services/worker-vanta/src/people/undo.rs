//! The way back: Vanta has no call for any of it, so it is said in plain words.

use sever_domain::Action;
use sever_domain::plan::PlannedStep;
use sever_provider::Undo;

/// How a verified step comes back.
#[must_use]
pub fn undo(step: &PlannedStep) -> Undo {
    let reason = match step.action {
        Action::DeactivateAccount => {
            "Vanta has no call that lets a login sign in again: an administrator does it under Settings > Users"
        }
        Action::OffboardPerson => {
            "Vanta has no call that resets an offboarding: an administrator does it on the person's page"
        }
        Action::DeleteResource => "our connector's next push brings the row back",
        _ => return Undo::Nothing,
    };
    Undo::Impossible {
        reason: reason.to_owned(),
    }
}
