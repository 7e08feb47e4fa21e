//! Dead letters with real binaries: the runbook page brings the queue to empty, a replay loses nothing while workers are
//! killed, and the janitor puts right what a broker lost.

mod fire;
mod on_call;
mod page;
mod queue;

use std::time::Duration;

use serde_json::{Value, json};
use sever_store::replay::{self, Bounds, Selection};
use sever_tests::{Fleet, FleetOptions, until};

/// How long one part of it may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(120);

fn people(prefix: &str, count: usize) -> Value {
    let users: Vec<Value> = (0..count)
        .map(|number| json!({"login": format!("{prefix}{number}@example.com"), "first_name": "D", "last_name": number.to_string(), "sessions": 1}))
        .collect();
    json!({"users": users})
}

/// Quick hearts, a quick janitor, and a guard that lets a crowd leave.
fn options() -> FleetOptions {
    let own = |pairs: &[(&'static str, &str)]| {
        pairs
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect()
    };
    FleetOptions {
        intake: own(&[
            ("SEVER_DISPATCH_JANITOR_MS", "200"),
            ("SEVER_DISPATCH_CRASH_LOOP_REST_S", "1"),
        ]),
        worker: own(&[
            ("SEVER_WORKER_HEARTBEAT_MS", "200"),
            ("SEVER_WORKER_START_CALL_AGE_MS", "1000"),
            ("SEVER_WORKER_HEARTBEAT_DEAD_MS", "2000"),
            ("SEVER_WORKER_CALL_DEADLINE_MS", "1000"),
            // Everybody leaves, so that a share of who is still there says nothing.
            ("SEVER_GUARD_MASS_COUNT", "100000"),
            ("SEVER_GUARD_MASS_MINIMUM", "100000"),
        ]),
    }
}

/// Every read of these people's accounts is refused in a way that can never work.
async fn refuse(fleet: &Fleet, user: Option<&str>, code: &str) {
    let fault = json!({
        "when": {"operation": "get_user", "user": user},
        "then": {"status": 400, "body": {"errorCode": code, "errorSummary": "refused", "errorLink": code, "errorId": "oae", "errorCauses": []}}
    });
    fleet.simulator.fault(&fault).await.unwrap();
}

/// A command line with single quotes, as a shell takes it.
fn words(line: &str) -> Vec<String> {
    line.split('\'')
        .enumerate()
        .flat_map(|(part, text)| match part % 2 {
            1 => vec![text.to_owned()],
            _ => text.split_whitespace().map(ToOwned::to_owned).collect(),
        })
        .collect()
}

/// Waits until the dead-letter queue holds so many messages.
async fn holds(fleet: &Fleet, messages: u32) {
    until(&format!("the queue holds {messages}"), LIMIT, || async {
        let depth = fleet.depth("sever.dlq.okta.v1").await?;
        Ok((depth == messages).then_some(()))
    })
    .await
    .unwrap();
}

/// Orders a replay.
async fn order(fleet: &Fleet, selection: &Selection) {
    let store = fleet.database.store().unwrap();
    let mut client = store.client("ordering a replay").await.unwrap();
    let tx = client.begin().await.unwrap();
    let ordered = replay::order(&tx, selection, Bounds::default(), "token:ops", "fixed");
    ordered.await.unwrap();
    tx.commit().await.unwrap();
}

/// Every write that reached the provider.
async fn writes(fleet: &Fleet) -> Vec<Value> {
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let path = format!("/journal?effect=write&limit=10000&after={after}");
        let page = fleet
            .simulator
            .control("GET", &path, &Value::Null)
            .await
            .unwrap();
        let entries = page["entries"].as_array().unwrap();
        assert_eq!(page["dropped"], 0, "the journal forgot calls");
        let Some(last) = entries.last() else {
            return all;
        };
        after = last["seq"].as_u64().unwrap();
        all.extend(entries.iter().cloned());
    }
}
