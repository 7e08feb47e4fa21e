//! Repairs: an ordinary opt-out for each finding whose policy says so, through the one way in, with its guards, plan and proof.

use serde_json::{Value, json};
use sever_accept::{AcceptError, Asker, OptOutRequest, Repair, accept_repair};
use sever_domain::request::Channel;
use sever_domain::standing::Hindrance;
use sever_domain::{AccountState, Intent, Situation};
use sever_store::finding::{self, ToRepair};
use sever_store::{Store, StoreError, drift};

use crate::round::ACTOR;

/// Repairs that one round asks for; the mass guard counts them like anybody's.
const AT_MOST: i64 = 50;

/// Settles repairs that are over, and asks for those that nobody has asked for. Returns how many were asked for.
pub(crate) async fn repair(store: &Store) -> Result<usize, AcceptError> {
    let mut client = store.client("settling repairs").await?;
    let tx = client.begin().await?;
    finding::settle_repairs(&tx, ACTOR).await?;
    tx.commit().await?;
    let due = finding::to_repair(&client, AT_MOST).await?;
    drop(client);
    let mut asked = 0;
    for finding in &due {
        match ask(store, finding).await {
            Ok(noted) => asked += usize::from(noted),
            Err(AcceptError::Store(error)) => return Err(error.into()),
            Err(error) => refuse(store, finding, &error).await?,
        }
    }
    Ok(asked)
}

async fn ask(store: &Store, finding: &ToRepair) -> Result<bool, AcceptError> {
    let asker = Asker {
        name: ACTOR.to_owned(),
        source: None,
        channel: Channel::Console,
    };
    let intent = may(store, finding)
        .await?
        .map_err(AcceptError::NotJustified)?;
    let asked = OptOutRequest::parse(body(finding, intent).to_string().as_bytes())?;
    let repair = Repair {
        situation: finding.situation,
        connection: finding.connection,
        by_hand: finding.by_hand,
    };
    let key = key(finding);
    let accepted = accept_repair(store, &asker, &key, &asked, repair).await?;
    let Some(opt_out) = accepted.opt_out else {
        tracing::debug!(finding = %finding.id, state = %accepted.state, "a repair waits for a decision");
        return Ok(false);
    };
    if finding.returns > 0 {
        tracing::error!(finding = %finding.id, returns = finding.returns, "access that was removed has come back again");
    }
    note(store, finding, opt_out)
        .await
        .map_err(AcceptError::from)
}

/// What is asked for. Access that should not be here is removed here; who is gone at the directory of their source has left
/// everywhere, and a mere suspension there disables.
fn body(finding: &ToRepair, intent: Intent) -> Value {
    let whom = match &finding.integration {
        Some(name) => ("integration", json!(name)),
        None => ("person", json!({"id": finding.subject})),
    };
    let left = finding.situation == Situation::GoneAtSource;
    let suspended = finding.account_state.as_deref() == Some(AccountState::Contained.as_str());
    let mut body = json!({
        "intent": if left && suspended { Intent::Disable } else { intent },
        "reason": format!("{} at {}", finding.situation, finding.connection_name),
    });
    body[whom.0] = whom.1;
    if !left {
        body["scope"] = json!([finding.connection_name]);
    }
    body
}

/// One for each finding and try: a repair that was accepted and not noted is the same opt-out the next time.
fn key(finding: &ToRepair) -> String {
    match finding.repairs {
        0 => format!("finding:{}", finding.id),
        ended => format!("finding:{}:{ended}", finding.id),
    }
}

/// How far the repair may go, as things stand now; acceptance asks again.
async fn may(store: &Store, finding: &ToRepair) -> Result<Result<Intent, Hindrance>, StoreError> {
    let mut client = store.client("asking whether a repair may be").await?;
    let tx = client.begin().await?;
    let standing = drift::standing(&tx, finding.subject, finding.connection).await?;
    Ok(standing.repair(finding.situation, finding.by_hand))
}

/// A refused repair leaves the queue, so that it does not stand before others for ever.
async fn refuse(store: &Store, finding: &ToRepair, error: &AcceptError) -> Result<(), StoreError> {
    let reason = match error {
        AcceptError::NotJustified(hindrance) => {
            tracing::warn!(finding = %finding.id, %hindrance, "a repair is not made; a person must look");
            hindrance.as_str()
        }
        _ => {
            tracing::error!(finding = %finding.id, %error, "a repair was not accepted; a person must look");
            "repair_refused"
        }
    };
    let mut client = store.client("refusing a repair").await?;
    let tx = client.begin().await?;
    finding::refuse_repair(&tx, finding.id, reason, ACTOR).await?;
    tx.commit().await
}

async fn note(
    store: &Store,
    finding: &ToRepair,
    opt_out: sever_domain::OptOutId,
) -> Result<bool, StoreError> {
    let mut client = store.client("noting a repair").await?;
    let tx = client.begin().await?;
    let noted = finding::start_repair(&tx, finding.id, opt_out, ACTOR).await?;
    tx.commit().await?;
    Ok(noted)
}

#[cfg(test)]
mod tests {
    use sever_domain::{ConnectionId, FindingId, SubjectId};

    use super::*;

    fn finding(situation: Situation, state: &str, integration: Option<&str>) -> ToRepair {
        ToRepair {
            id: FindingId::generate(),
            situation,
            subject: SubjectId::generate(),
            connection: ConnectionId::generate(),
            connection_name: "okta-main".into(),
            returns: 0,
            by_hand: false,
            integration: integration.map(str::to_owned),
            account_state: Some(state.into()),
            repairs: 0,
        }
    }

    #[test]
    fn each_situation_asks_for_what_mends_it_and_no_more() {
        let back = body(
            &finding(Situation::Resurrected, "live", None),
            Intent::Remove,
        );
        assert_eq!(
            (&back["intent"], &back["scope"]),
            (&json!("remove"), &json!(["okta-main"]))
        );
        let residue = body(
            &finding(Situation::IntegrationResidue, "live", Some("crm")),
            Intent::Remove,
        );
        assert_eq!(
            (&residue["integration"], &residue["person"]),
            (&json!("crm"), &Value::Null)
        );
        let suspended = body(
            &finding(Situation::GoneAtSource, "contained", None),
            Intent::Remove,
        );
        assert_eq!(
            (&suspended["intent"], suspended.get("scope")),
            (&json!("disable"), None)
        );
        let gone = body(
            &finding(Situation::GoneAtSource, "absent", None),
            Intent::Remove,
        );
        assert_eq!(gone["intent"], "remove");
        for asked in [back, residue, suspended, gone] {
            OptOutRequest::parse(asked.to_string().as_bytes()).unwrap();
        }
    }
}
