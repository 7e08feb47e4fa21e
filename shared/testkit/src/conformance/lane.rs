//! Lanes: simulators side by side, each with one cell at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::adaptor::Adaptor;
use super::cell::{self, Baseline};
use super::matrix::{CellName, Ran};
use super::simulator::Simulator;

/// The longest time of one cell; one that takes longer hangs.
const CELL_MAX: Duration = Duration::from_secs(120);

/// Runs cells over all lanes. A result for each, in the order of their ends.
pub(super) async fn run_all<A: Adaptor>(
    adaptor: &Arc<A>,
    lanes: &[Arc<Simulator>],
    cells: Vec<CellName>,
    baseline: Baseline,
) -> anyhow::Result<Vec<Ran>> {
    let (cells, baseline) = (Arc::new(cells), Arc::new(baseline));
    let next = Arc::new(AtomicUsize::new(0));
    let mut tasks = Vec::new();
    for simulator in lanes {
        let (adaptor, simulator) = (Arc::clone(adaptor), Arc::clone(simulator));
        let (cells, baseline, next) =
            (Arc::clone(&cells), Arc::clone(&baseline), Arc::clone(&next));
        tasks.push(tokio::spawn(async move {
            let mut ran = Vec::new();
            while let Some(name) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
                ran.push(
                    run_one(&*adaptor, &simulator, name, Some(&baseline))
                        .await
                        .0,
                );
            }
            ran
        }));
    }
    let mut ran = Vec::new();
    for task in tasks {
        ran.extend(task.await.context("a lane panicked")?);
    }
    Ok(ran)
}

/// Runs one cell within its time.
pub(super) async fn run_one<A: Adaptor>(
    adaptor: &A,
    simulator: &Simulator,
    name: &CellName,
    baseline: Option<&Baseline>,
) -> (Ran, Option<Baseline>) {
    let began = Instant::now();
    let cell = Box::pin(cell::run(adaptor, simulator, name, baseline));
    let ended = tokio::time::timeout(CELL_MAX, cell).await;
    let (problem, found) = match ended {
        Ok(Ok(found)) => (None, Some(found)),
        Ok(Err(error)) => (Some(format!("{error:#}")), None),
        Err(_) => (
            Some(format!("it did not end within {} s", CELL_MAX.as_secs())),
            None,
        ),
    };
    (
        Ran {
            name: name.clone(),
            problem,
            took: began.elapsed(),
        },
        found,
    )
}
