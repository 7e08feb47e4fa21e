//! One step for a client: the write of its action.

use serde_json::{Value, json};
use sever_domain::Action;
use sever_provider::http::{Method, Priority};
use sever_provider::{Answer, CallError, Effect, Sent};
use tokio::time::Instant;

use super::client::{Client, client_by_id};
use super::inspect::ISSUED_AFTER;
use crate::admin::{Ask, CLIENTS};
use crate::errors::Meaning;
use crate::issuer::{Issuer, already, unusable};
use crate::roles;

/// Sends what an effect asks for; all calls of one effect share one deadline.
///
/// # Errors
/// By what the answer means; `sent` tells whether it may have had its effect.
pub async fn apply(issuer: &Issuer, effect: &Effect) -> Result<Answer, CallError> {
    let until = issuer.http.deadline();
    let client = effect.account_id.as_str();
    match effect.action {
        Action::DisableIntegration => {
            let change = Change {
                doing: "disabling the client",
                member: "enabled",
                value: json!(false),
            };
            change.send(issuer, client, until).await
        }
        Action::EnableIntegration => {
            let change = Change {
                doing: "enabling the client",
                member: "enabled",
                value: json!(true),
            };
            change.send(issuer, client, until).await
        }
        Action::RevokeTokens => end_issued(issuer, client, &effect.target_key, until).await,
        Action::RemoveSecret => replace_secret(issuer, client, &effect.target_key, until).await,
        Action::RevokeRole => roles::change(issuer, &effect.facts, false, until).await,
        Action::GrantRole => roles::change(issuer, &effect.facts, true, until).await,
        other => Err(unusable(
            "sending a step",
            format!("Keycloak has no call for the action {other} of a client"),
        )),
    }
}

/// One member of a client that is to have another value.
struct Change {
    doing: &'static str,
    member: &'static str,
    value: Value,
}

impl Change {
    /// Reads the client and sends it back whole but for its secret, which is kept where it is not sent: another step may
    /// replace it at the same time.
    async fn send(self, issuer: &Issuer, id: &str, until: Instant) -> Result<Answer, CallError> {
        let _one = issuer.one_writer.lock().await;
        let found = client_by_id(issuer, id, Some(until))
            .await
            .map_err(unsent)?;
        let Some(Client {
            mut representation, ..
        }) = found
        else {
            return gone(&self);
        };
        if representation[self.member] == self.value {
            return Ok(already());
        }
        representation[self.member] = self.value.clone();
        if let Some(members) = representation.as_object_mut() {
            members.remove("secret");
        }
        let ask = Ask {
            doing: self.doing,
            family: CLIENTS,
            path: &["clients", id],
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
            Err(refused) if refused.meaning == Meaning::Gone => gone(&self),
            Err(refused) => Err(refused.error),
        }
    }
}

/// A client that is not there cannot be enabled, and is otherwise as it should be.
fn gone(change: &Change) -> Result<Answer, CallError> {
    if change.value == json!(true) {
        let what = "the client does not exist any more: it must be registered anew";
        return Err(unusable(change.doing, what.to_owned()));
    }
    Ok(already())
}

/// Moves `notBefore` ahead: what was issued before is refused. Then the client's own address is told, where it has one.
async fn end_issued(
    issuer: &Issuer,
    id: &str,
    key: &str,
    until: Instant,
) -> Result<Answer, CallError> {
    const DOING: &str = "ending what was issued to the client";
    let found = client_by_id(issuer, id, Some(until))
        .await
        .map_err(unsent)?;
    let as_read = found.map(|client| format!("{ISSUED_AFTER}{}", client.not_before_s()));
    if as_read.as_deref() != Some(key) {
        return Ok(already());
    }
    // The second that runs counts as before, too.
    let change = Change {
        doing: DOING,
        member: "notBefore",
        value: json!(sever_provider::wall_clock::now().as_second() + 1),
    };
    let answer = change.send(issuer, id, until).await?;
    let ask = Ask {
        doing: DOING,
        family: CLIENTS,
        path: &["clients", id, "push-revocation"],
        query: &[],
    };
    let told = issuer
        .write(Method::POST, ask, None, Priority::Ordinary, until)
        .await;
    // A courtesy to the client: Keycloak refuses the tokens whether it hears of it or not.
    drop(told);
    Ok(answer)
}

/// Makes Keycloak put a new secret in the old one's place; the answer, which holds it, is thrown away.
async fn replace_secret(
    issuer: &Issuer,
    id: &str,
    key: &str,
    until: Instant,
) -> Result<Answer, CallError> {
    const DOING: &str = "replacing the client's secret";
    let _one = issuer.one_writer.lock().await;
    let found = client_by_id(issuer, id, Some(until))
        .await
        .map_err(unsent)?;
    let as_read = found.and_then(|client| client.secret_key());
    if as_read.as_deref() != Some(key) {
        return Ok(already());
    }
    let ask = Ask {
        doing: DOING,
        family: CLIENTS,
        path: &["clients", id, "client-secret"],
        query: &[],
    };
    let sent = issuer
        .write(Method::POST, ask, None, Priority::Ordinary, until)
        .await;
    match sent {
        Ok(reply) => Ok(issuer.done(&reply)),
        Err(refused) if refused.meaning == Meaning::Gone => Ok(refused.already()),
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
