//! Repairs: an ordinary opt-out for each finding whose policy says so, through the one way in, with its guards, plan and proof.

use serde_json::json;
use sever_accept::{AcceptError, Asker, OptOutRequest, accept_opt_out};
use sever_domain::request::Channel;
use sever_store::finding::{self, ToRepair};
use sever_store::{Store, StoreError};

use crate::round::ACTOR;

/// Repairs that one round asks for; the mass guard counts them like anybody's.
const AT_MOST: i64 = 50;

/// Settles repairs that are over, and asks for those that nobody has asked for. Returns how many were asked for.
///
/// A finding has one key, so a repair that was accepted and not noted is the same opt-out the next time.
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
            Err(error) => {
                tracing::error!(finding = %finding.id, %error, "a repair was not accepted; a person must look")
            }
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
    let body = json!({
        "person": {"id": finding.subject},
        "intent": "remove",
        "scope": [finding.connection_name],
        "reason": format!("{} at {}", finding.situation, finding.connection_name),
    });
    let asked = OptOutRequest::parse(body.to_string().as_bytes())?;
    let accepted =
        accept_opt_out(store, &asker, &format!("finding:{}", finding.id), &asked).await?;
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
