//! One test at a time has the servers.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sever_chaos::{Servers, World};
use tokio::sync::{Mutex, MutexGuard, OnceCell};

/// How long a handful of opt-outs may take on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(90);

/// Never dropped: the kernel ends the servers with this program.
static SERVERS: OnceCell<Arc<Servers>> = OnceCell::const_new();
static TURN: Mutex<()> = Mutex::const_new(());

/// Where servers and logs are.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("degraded")
}

/// Waits for the servers; they run, and nobody else has them until the guard is dropped.
pub(crate) async fn servers() -> (MutexGuard<'static, ()>, Arc<Servers>) {
    let turn = TURN.lock().await;
    let servers = SERVERS.get_or_try_init(async || {
        // What an earlier run left behind; where there is nothing, there is nothing to remove.
        let _ = std::fs::remove_dir_all(folder());
        Servers::start(&folder()).await
    });
    let servers = Arc::clone(servers.await.unwrap());
    // A test that failed may have left one of them down.
    if servers.postgres.pid().is_none() {
        servers.postgres.restart().await.unwrap();
    }
    if servers.rabbit.pid().is_none() {
        servers.rabbit.restart().await.unwrap();
    }
    (turn, servers)
}

/// A fleet with so many people who will leave, and the turn.
pub(crate) async fn world(
    leavers: usize,
    further: &[(&'static str, &str)],
) -> (World, MutexGuard<'static, ()>) {
    let (turn, servers) = servers().await;
    let world = World::start(servers, &folder(), leavers, further).await;
    (world.unwrap(), turn)
}

/// At the end of each test: nothing promised was lost, and nothing else is wrong.
pub(crate) async fn all_is_well(world: &World) {
    assert_eq!(world.findings().await.unwrap(), Vec::<String>::new());
}
