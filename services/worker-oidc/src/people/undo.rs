//! The way back for a person: the inverse call of each step that has one, after a fresh look at the target.

use serde_json::{Value, json};
use sever_domain::Action;
use sever_domain::entitlement::Entitlement;
use sever_domain::plan::PlannedStep;
use sever_provider::{CallError, Undo};

use crate::admin::{Ask, USERS};
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
    let ask = Ask {
        doing: "reading whether a group carries administrative roles",
        family: USERS,
        path: &["groups", &done.target_key, "role-mappings"],
        query: &[],
    };
    let found = issuer.find::<Value>(ask, None).await;
    let Some(mappings) = found.map_err(|refused| refused.error)? else {
        return Ok(never("the group does not exist any more"));
    };
    let names = |list: &Value| -> Vec<String> {
        let roles = list.as_array().into_iter().flatten();
        let names = roles.filter_map(|role| role["name"].as_str());
        names.map(str::to_lowercase).collect()
    };
    let of_realm = names(&mappings["realmMappings"]);
    let of_clients = mappings["clientMappings"].as_object();
    let administers = of_realm.iter().any(|name| name.contains("admin"))
        || of_clients.is_some_and(|clients| {
            clients
                .keys()
                .any(|client| client == "realm-management" || client.ends_with("-realm"))
        });
    Ok(match administers && !done.privileged {
        true => never("the group carries administrative roles now: ask its owner"),
        false => inverse(done, Action::AddToGroup, json!({})),
    })
}
