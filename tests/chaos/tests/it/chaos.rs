//! The short form of `make chaos`.

use sever_chaos::Plan;

use crate::turn::{folder, servers};

/// The faults are the same at every run; which instruction they meet is not.
const SEED: u64 = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_promise_is_kept_while_everything_is_killed_and_cut() {
    let (_turn, servers) = servers().await;
    let plan = Plan::short(SEED);
    let report = sever_chaos::run_on(&plan, servers, &folder())
        .await
        .unwrap();
    assert!(
        report.is_good(),
        "seed {SEED}: {}\n{}",
        report.table(),
        report.json()
    );
}
