//! One step for a person: the write of its action.

use serde::Deserialize;
use serde_json::{Value, json};
use sever_domain::Action;
use sever_provider::http::{Method, Priority};
use sever_provider::{Answer, CallError, Effect, Sent};
use tokio::time::Instant;

use super::OidcPeople;
use super::account::{User, user_by_id};
use super::families::OFFLINE;
use crate::admin::{Ask, USERS};
use crate::errors::Meaning;
use crate::issuer::{Issuer, already, unusable};
use crate::{roles, tokens};

/// Sends what an effect asks for. Every write sets a state and adds to none, so each can be repeated; all calls of one
/// effect share one deadline.
///
/// # Errors
/// By what the answer means; `sent` tells whether it may have had its effect.
pub async fn apply(people: &OidcPeople, effect: &Effect) -> Result<Answer, CallError> {
    let issuer = &*people.issuer;
    let until = issuer.http.deadline();
    let (user, key) = (effect.account_id.as_str(), effect.target_key.as_str());
    match effect.action {
        Action::SuspendAccount => set_enabled(issuer, user, false, until).await,
        Action::ReinstateAccount => set_enabled(issuer, user, true, until).await,
        Action::RevokeSessions if people.is_keycloak() => log_out(issuer, user, until).await,
        Action::RevokeSessions => tokens::revoke_everything(issuer, user, until).await,
        Action::RevokeTokens => match key.strip_prefix(OFFLINE) {
            Some(client) => end_offline(issuer, user, client, &effect.facts, until).await,
            None => people.registered.revoke(issuer, user, key, until).await,
        },
        Action::RevokeGrants => {
            let path = ["users", user, "consents", key];
            delete("revoking a consent", path).send(issuer, until).await
        }
        Action::RevokeRole => roles::change(issuer, &effect.facts, false, until).await,
        Action::GrantRole => roles::change(issuer, &effect.facts, true, until).await,
        Action::RemoveFromGroup => {
            let path = ["users", user, "groups", key];
            delete("ending a group membership", path)
                .send(issuer, until)
                .await
        }
        Action::AddToGroup => join(issuer, user, key, until).await,
        Action::RemoveFactor => {
            let path = ["users", user, "credentials", key];
            delete("removing a credential", path)
                .send(issuer, until)
                .await
        }
        Action::UnlinkIdentity => {
            let path = ["users", user, "federated-identity", key];
            delete("unlinking an identity provider", path)
                .send(issuer, until)
                .await
        }
        other => Err(unusable(
            "sending a step",
            format!("an OpenID provider has no call for the action {other}"),
        )),
    }
}

/// A DELETE below a user; what is not there is gone already.
struct Deletion<'a> {
    doing: &'static str,
    path: [&'a str; 4],
}

const fn delete<'a>(doing: &'static str, path: [&'a str; 4]) -> Deletion<'a> {
    Deletion { doing, path }
}

impl Deletion<'_> {
    async fn send(self, issuer: &Issuer, until: Instant) -> Result<Answer, CallError> {
        let ask = Ask {
            doing: self.doing,
            family: USERS,
            path: &self.path,
            query: &[],
        };
        let sent = issuer
            .write(Method::DELETE, ask, None, Priority::Ordinary, until)
            .await;
        match sent {
            Ok(reply) => Ok(issuer.done(&reply)),
            Err(refused) if refused.meaning == Meaning::Gone => Ok(refused.already()),
            Err(refused) => Err(refused.error),
        }
    }
}

/// Reads the user and sends it back whole, because it is not documented whether members that are left out stay.
async fn set_enabled(
    issuer: &Issuer,
    user: &str,
    enabled: bool,
    until: Instant,
) -> Result<Answer, CallError> {
    let doing = if enabled {
        "enabling the account"
    } else {
        "disabling the account"
    };
    let _one = issuer.one_writer.lock().await;
    let found = user_by_id(issuer, user, Some(until))
        .await
        .map_err(unsent)?;
    let mut representation = match found {
        None if enabled => {
            let what = "the account does not exist any more: a new one would be another account";
            return Err(unusable(doing, what.to_owned()));
        }
        None => return Ok(already()),
        Some(user) if user.enabled() == enabled => return Ok(already()),
        Some(User { representation, .. }) => representation,
    };
    representation["enabled"] = json!(enabled);
    let ask = Ask {
        doing,
        family: USERS,
        path: &["users", user],
        query: &[],
    };
    let sent = issuer
        .write(
            Method::PUT,
            ask,
            Some(&representation),
            Priority::Containing,
            until,
        )
        .await;
    match sent {
        Ok(reply) => Ok(issuer.done(&reply)),
        Err(refused) if refused.meaning == Meaning::Gone && !enabled => Ok(refused.already()),
        Err(refused) => Err(refused.error),
    }
}

async fn log_out(issuer: &Issuer, user: &str, until: Instant) -> Result<Answer, CallError> {
    let ask = Ask {
        doing: "ending the account's sessions",
        family: USERS,
        path: &["users", user, "logout"],
        query: &[],
    };
    let sent = issuer
        .write(Method::POST, ask, None, Priority::Containing, until)
        .await;
    match sent {
        Ok(reply) => Ok(issuer.done(&reply)),
        Err(refused) if refused.meaning == Meaning::Gone => Ok(refused.already()),
        Err(refused) => Err(refused.error),
    }
}

/// Takes back the consent, which takes the offline tokens along; then whatever offline sessions are still listed.
async fn end_offline(
    issuer: &Issuer,
    user: &str,
    client: &str,
    facts: &Value,
    until: Instant,
) -> Result<Answer, CallError> {
    #[derive(Deserialize)]
    struct Session {
        id: String,
    }
    const DOING: &str = "revoking a client's offline tokens";
    let consent = Deletion {
        doing: DOING,
        path: ["users", user, "consents", client],
    };
    let answer = consent.send(issuer, until).await?;
    let Some(uuid) = facts["client_uuid"].as_str() else {
        return Ok(answer);
    };
    let ask = Ask {
        doing: DOING,
        family: USERS,
        path: &["users", user, "offline-sessions", uuid],
        query: &[],
    };
    // What this read cannot say the closing read says.
    let Ok(Some(left)) = issuer.find::<Vec<Session>>(ask, Some(until)).await else {
        return Ok(answer);
    };
    for session in left {
        let ask = Ask {
            doing: DOING,
            family: USERS,
            path: &["sessions", &session.id],
            query: &[("isOffline", "true")],
        };
        let sent = issuer
            .write(Method::DELETE, ask, None, Priority::Ordinary, until)
            .await;
        match sent {
            Ok(_) => {}
            Err(refused) if refused.meaning == Meaning::Gone => {}
            Err(refused) => return Err(refused.error),
        }
    }
    Ok(answer)
}

async fn join(
    issuer: &Issuer,
    user: &str,
    group: &str,
    until: Instant,
) -> Result<Answer, CallError> {
    let ask = Ask {
        doing: "adding to a group",
        family: USERS,
        path: &["users", user, "groups", group],
        query: &[],
    };
    let sent = issuer
        .write(Method::PUT, ask, None, Priority::Ordinary, until)
        .await;
    match sent {
        Ok(reply) => Ok(issuer.done(&reply)),
        Err(refused) => Err(refused.error),
    }
}

/// The error of a read without which nothing is written.
fn unsent(error: CallError) -> CallError {
    CallError {
        sent: Sent::NotApplied,
        ..error
    }
}
