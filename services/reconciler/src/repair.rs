//! Repairs: an ordinary opt-out for each finding whose policy says so, through the one way in, with its guards, plan and proof.

use serde_json::json;
use sever_accept::{AcceptError, Asker, OptOutRequest, Repair, accept_repair};
use sever_domain::Intent;
use sever_domain::request::Channel;
use sever_domain::standing::Hindrance;
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
    let body = json!({
        "person": {"id": finding.subject},
        "intent": intent,
        "scope": [finding.connection_name],
        "reason": format!("{} at {}", finding.situation, finding.connection_name),
    });
    let asked = OptOutRequest::parse(body.to_string().as_bytes())?;
    let repair = Repair {
        situation: finding.situation,
        connection: finding.connection,
        by_hand: finding.by_hand,
    };
    let key = key(finding);
    let accepted = accept_repair(store, &asker, &key, &asked, repair).await?;
    let Some(opt_out) = accepted.opt_out else {
        tracing::warn!(finding = %finding.id, state = %accepted.state, "a repair waits for a decision");
        return Ok(false);
    };
    if finding.returns > 0 {
        tracing::error!(finding = %finding.id, returns = finding.returns, "access that was removed has come back again");
    }
    note(store, finding, opt_out)
        .await
        .map_err(AcceptError::from)
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
