//! One step: the write of its action, and the read that proves it.

use sever_domain::{Action, EntitlementKind};
use sever_provider::{Answer, CallError, Effect};

use crate::app::{App, unusable};
use crate::{activate, delete, members, values};

/// Sends what an effect asks for. Every form of every write sets a state and adds to none, so each can be repeated; all
/// calls of one effect share one deadline.
///
/// # Errors
/// By what the answer means; `sent` tells whether it may have had its effect.
pub async fn apply(app: &App, effect: &Effect) -> Result<Answer, CallError> {
    let until = app.http.deadline();
    let (user, key) = (effect.account_id.as_str(), effect.target_key.as_str());
    match effect.action {
        Action::SuspendAccount => activate::set_active(app, user, false, until).await,
        Action::ReinstateAccount => activate::set_active(app, user, true, until).await,
        Action::DeleteAccount => delete::delete(app, user, until).await,
        Action::RemoveFromGroup => members::remove(app, user, key, until).await,
        Action::AddToGroup => members::add(app, user, key, until).await,
        Action::RevokeRole => values::remove(app, user, EntitlementKind::Role, key, until).await,
        Action::RevokeLicence => {
            values::remove(app, user, EntitlementKind::Licence, key, until).await
        }
        Action::GrantRole | Action::AssignLicence => {
            values::add(app, user, effect.action, key, &effect.facts, until).await
        }
        other => Err(unusable(
            "sending a step",
            format!("SCIM has no call for the action {other}"),
        )),
    }
}
