//! Sever's own way, in processes of its own so that their memory can be seen: one stages as a worker does, one compares as the
//! reconciler does.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sever_bench::processes::peak_rss_mib;
use sever_domain::entitlement::FamilyResult;
use sever_domain::inventory::FamilyRecord;
use sever_domain::{EntitlementKind, InstanceId, RunId, RunKind};
use sever_store::drift::{self, Compared};
use sever_store::inventory::{self, Batch, Claim, ClaimedRun, Finish};
use sever_store::job::instance;
use sever_store::{DatabaseSettings, Store};
use tokio::process::Command;

use crate::world::{CONNECTION, World};

const LEASE: Duration = Duration::from_secs(60);

/// What a part says of itself on its only line of output.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) seconds: f64,
    pub(crate) rss_mib: f64,
    pub(crate) run: RunId,
    pub(crate) opened: u64,
}

/// Starts a part as a process of its own and reads what it says.
pub(crate) async fn part(arguments: &[&str]) -> anyhow::Result<Part> {
    let program = std::env::current_exe().context("finding this program")?;
    let output = Command::new(program)
        .args(arguments)
        .kill_on_drop(true)
        .output()
        .await
        .context("starting a part")?;
    if !output.status.success() {
        bail!(
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    serde_json::from_slice(&output.stdout).context("reading what a part says")
}

/// Stages a run: claim, batches with their cursor, families.
pub(crate) async fn load(url: &str, world: World) -> anyhow::Result<Part> {
    let store = store(url)?;
    let began = Instant::now();
    let run = claim(&store).await?;
    let mut client = store.client("staging").await?;
    let now = Timestamp::now();
    let mut accounts = world.observed_accounts(now);
    let mut entitlements = world.observed_entitlements(now);
    let mut batch = Batch::default();
    let mut done = 0_u64;
    loop {
        batch.accounts.clear();
        batch.entitlements.clear();
        batch
            .accounts
            .extend(accounts.by_ref().take(inventory::BATCH_MAX));
        let room = inventory::BATCH_MAX - batch.accounts.len();
        batch.entitlements.extend(entitlements.by_ref().take(room));
        if batch.rows() == 0 {
            break;
        }
        done += batch.rows() as u64;
        batch.cursor = serde_json::json!({"done": done});
        inventory::append(&mut client, &run.lease, &batch, LEASE).await?;
    }
    let family = |family, rows| FamilyRecord {
        family,
        result: FamilyResult::Complete,
        rows,
        expected: None,
        detail: None,
    };
    let families = [
        family(EntitlementKind::Account, world.accounts),
        family(EntitlementKind::Group, world.accounts * 2),
        family(EntitlementKind::AppAssignment, world.accounts),
    ];
    let finish = Finish {
        families: families.to_vec(),
        ..Finish::default()
    };
    inventory::finish(&store, &run.lease, &finish).await?;
    Ok(report(began, run.lease.run, 0))
}

/// Compares and promotes a loaded run.
pub(crate) async fn compare(url: &str, run: RunId) -> anyhow::Result<Part> {
    let store = store(url)?;
    let began = Instant::now();
    let compared = drift::compare(&store, run, "system:bench").await?;
    let Compared::Promoted { opened, .. } = compared else {
        bail!("the run was not promoted: {compared:?}");
    };
    let opened = opened.iter().map(|opened| opened.findings as u64).sum();
    Ok(report(began, run, opened))
}

fn report(began: Instant, run: RunId, opened: u64) -> Part {
    Part {
        seconds: began.elapsed().as_secs_f64(),
        rss_mib: peak_rss_mib(std::process::id()),
        run,
        opened,
    }
}

async fn claim(store: &Store) -> anyhow::Result<Box<ClaimedRun>> {
    let me = InstanceId::generate();
    instance::register(store, me, "bench", LEASE, 1).await?;
    let mut client = store.client("asking").await?;
    let tx = client.begin().await?;
    let run = inventory::ask(&tx, CONNECTION.parse()?, RunKind::Full, "system:bench").await?;
    tx.commit().await?;
    let run = run.context("a run is open already")?;
    let claimed = inventory::claim(store, run, me, LEASE).await?;
    let Claim::Taken(claimed) = claimed else {
        bail!("the run cannot be claimed: {claimed:?}");
    };
    ensure!(claimed.cursor.is_none(), "the run is not new");
    Ok(claimed)
}

/// Drops what older runs left.
pub(crate) async fn tidy(url: &str) -> anyhow::Result<()> {
    inventory::drop_unused(&store(url)?).await?;
    Ok(())
}

fn store(url: &str) -> anyhow::Result<Store> {
    Ok(Store::new(&DatabaseSettings {
        url: url.to_owned(),
        pool_max: 4,
        statement_timeout: Duration::from_secs(20),
        lock_timeout: Duration::from_secs(10),
        connect_timeout: Duration::from_secs(20),
        application_name: "sever-bench-reconcile".to_owned(),
    })?)
}

/// Whether this program was built for measuring.
pub(crate) fn built_for_release(program: &Path) -> bool {
    program
        .ancestors()
        .any(|folder| folder.ends_with("release"))
}
