//! How long what a fault stopped took to go on.

use std::collections::{BTreeMap, HashMap};

use anyhow::Context as _;
use jiff::Timestamp;

use crate::ground::Ground;

/// One fault that came to its end, and the jobs that it stopped.
#[derive(Debug)]
pub(crate) struct Wound {
    /// The fault's name.
    pub(crate) fault: String,
    /// The end of the fault: the process is back or the peer reachable; for a killed or frozen worker the kill itself.
    pub(crate) end: Timestamp,
    /// The jobs.
    pub(crate) stopped: Vec<String>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Recoveries {
    /// By fault: how often, and the seconds from the end of the fault to the next settle of each job, ascending.
    pub(crate) by_fault: BTreeMap<String, (u32, Vec<f64>)>,
    /// Jobs that never settled again.
    pub(crate) never: Vec<String>,
}

/// Jobs that are under way in any process.
const RUNNING: &str = "SELECT id FROM job WHERE state = 'running'";

/// The jobs that are under way now.
pub(crate) async fn running(ground: &Ground) -> anyhow::Result<Vec<String>> {
    ground.column(RUNNING).await
}

/// The jobs that are under way in one process.
pub(crate) async fn leased_by(ground: &Ground, instance: &str) -> anyhow::Result<Vec<String>> {
    let query = format!("{RUNNING} AND lease_instance = '{instance}'");
    ground.column(&query).await
}

/// What a fault that began at `began` with these jobs under way has stopped, now that it is over: those that did not
/// settle since, those that fell due during it and nobody took, and those that it made fail and wait.
pub(crate) async fn stopped(
    ground: &Ground,
    began: Timestamp,
    running_then: &[String],
) -> anyhow::Result<Vec<String>> {
    let ids: Vec<String> = running_then.iter().map(|id| format!("'{id}'")).collect();
    let then = if ids.is_empty() {
        "NULL".to_owned()
    } else {
        ids.join(",")
    };
    let query = format!(
        "SELECT id FROM job
         WHERE state IN ('waiting', 'running')
           AND (id IN ({then}) AND coalesce(settled_at, '-infinity') < '{began}'
                OR state = 'waiting' AND due_at BETWEEN '{began}' AND now() - interval '1 second'
                OR state = 'waiting' AND failures > 0 AND settled_at >= '{began}')"
    );
    ground.column(&query).await
}

impl Recoveries {
    /// Reads every settle of the run and finds the next one of each job that was stopped.
    pub(crate) async fn measure(ground: &Ground, wounds: &[Wound]) -> anyhow::Result<Self> {
        let rows = ground
            .sql("SELECT job_id, extract(epoch FROM at) FROM audit_event WHERE kind = 'job.settled' ORDER BY at")
            .await?;
        let mut settles: HashMap<&str, Vec<f64>> = HashMap::new();
        for row in rows.lines() {
            let (job, at) = row.split_once('|').context("reading a settle")?;
            settles.entry(job).or_default().push(at.parse()?);
        }
        let mut found = Self::default();
        for wound in wounds {
            let end = wound.end.as_microsecond() as f64 / 1e6;
            let (times, seconds) = found.by_fault.entry(wound.fault.clone()).or_default();
            *times += 1;
            for job in &wound.stopped {
                let next = settles
                    .get(job.as_str())
                    .and_then(|at| at.iter().find(|at| **at > end));
                match next {
                    Some(at) => seconds.push(at - end),
                    None => found.never.push(format!("{job} after {}", wound.fault)),
                }
            }
        }
        for (_, seconds) in found.by_fault.values_mut() {
            seconds.sort_by(f64::total_cmp);
        }
        Ok(found)
    }

    /// All seconds, ascending.
    pub(crate) fn all(&self) -> Vec<f64> {
        let seconds = self.by_fault.values().flat_map(|(_, seconds)| seconds);
        let mut all: Vec<f64> = seconds.copied().collect();
        all.sort_by(f64::total_cmp);
        all
    }
}
