//! A short form of the chaos run, with the binaries of this build.

#![allow(clippy::unwrap_used, missing_docs)] // a failed unwrap is a failed test; tests need no page

use std::path::Path;

use sever_chaos::Plan;

/// The faults are the same at every run; which instruction they meet is not.
const SEED: u64 = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_promise_is_kept_while_everything_is_killed_and_cut() {
    let plan = Plan::short(SEED);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let report = sever_chaos::run(&plan, folder).await.unwrap();
    assert!(
        report.is_good(),
        "seed {SEED}: {}\n{}",
        report.table(),
        report.json()
    );
}
