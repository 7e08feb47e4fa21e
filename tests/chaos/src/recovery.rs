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
    /// Whether it was the kill of a worker, whose jobs another one has to take over.
    pub(crate) worker_killed: bool,
    /// The jobs.
    pub(crate) stopped: Vec<Stopped>,
}

/// A job that was stopped, and how much of its life was on record then. Counts, because an event carries the instant at
/// which its transaction began: a settle that commits after the end of a fault can carry an instant before it.
#[derive(Debug)]
pub(crate) struct Stopped {
    job: String,
    settles: usize,
    claims: usize,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Recoveries {
    /// By fault: how often, and the seconds from the end of the fault to the next settle of each job, ascending.
    pub(crate) by_fault: BTreeMap<String, (u32, Vec<f64>)>,
    /// The seconds from each kill of a worker to the next claim of each job that it had, ascending.
    pub(crate) takeovers: Vec<f64>,
    /// Jobs that never settled again.
    pub(crate) never: Vec<String>,
}

/// Jobs with the number of their settles and claims; a condition follows.
const JOBS: &str = "
SELECT id, settles, claims FROM job, LATERAL (
    SELECT count(*) FILTER (WHERE kind = 'job.settled') AS settles, count(*) FILTER (WHERE kind = 'job.claimed') AS claims
    FROM audit_event WHERE audit_event.opt_out_id = job.opt_out_id AND audit_event.job_id = job.id) AS told";

/// The instants of every settle and claim, in the order of each job's life.
const EVENTS: &str = "
SELECT job_id, kind, extract(epoch FROM at) FROM audit_event
WHERE kind IN ('job.settled', 'job.claimed') ORDER BY at, seq";

/// Jobs that are under way in any process.
const RUNNING: &str = "SELECT id FROM job WHERE state = 'running'";

/// The jobs that are under way now.
pub(crate) async fn running(ground: &Ground) -> anyhow::Result<Vec<String>> {
    ground.column(RUNNING).await
}

/// The jobs that are under way in one process.
pub(crate) async fn leased_by(ground: &Ground, instance: &str) -> anyhow::Result<Vec<Stopped>> {
    let of_instance = format!("state = 'running' AND lease_instance = '{instance}'");
    jobs(ground, &of_instance).await
}

/// What a fault that began at `began` with these jobs under way has stopped, now that it is over: those that did not
/// settle since, those that fell due during it and nobody took, and those that it made fail and wait.
pub(crate) async fn stopped(
    ground: &Ground,
    began: Timestamp,
    running_then: &[String],
) -> anyhow::Result<Vec<Stopped>> {
    let ids: Vec<String> = running_then.iter().map(|id| format!("'{id}'")).collect();
    let then = if ids.is_empty() {
        "NULL".to_owned()
    } else {
        ids.join(",")
    };
    let condition = format!(
        "state IN ('waiting', 'running')
           AND (id IN ({then}) AND coalesce(settled_at, '-infinity') < '{began}'
                OR state = 'waiting' AND due_at BETWEEN '{began}' AND now() - interval '1 second'
                OR state = 'waiting' AND failures > 0 AND settled_at >= '{began}')"
    );
    jobs(ground, &condition).await
}

async fn jobs(ground: &Ground, condition: &str) -> anyhow::Result<Vec<Stopped>> {
    let rows = ground.sql(&format!("{JOBS} WHERE {condition}")).await?;
    let row = |line: &str| -> anyhow::Result<Stopped> {
        let mut columns = line.split('|');
        let mut next = || columns.next().context("reading a job");
        Ok(Stopped {
            job: next()?.to_owned(),
            settles: next()?.parse()?,
            claims: next()?.parse()?,
        })
    };
    rows.lines().map(row).collect()
}

/// When each job was claimed and settled.
#[derive(Debug, Default)]
struct Life {
    settles: Vec<f64>,
    claims: Vec<f64>,
}

async fn lives(ground: &Ground) -> anyhow::Result<HashMap<String, Life>> {
    let mut lives: HashMap<String, Life> = HashMap::new();
    for row in ground.sql(EVENTS).await?.lines() {
        let mut columns = row.split('|');
        let mut next = || columns.next().context("reading a job's events");
        let life = lives.entry(next()?.to_owned()).or_default();
        let list = match next()? {
            "job.settled" => &mut life.settles,
            _ => &mut life.claims,
        };
        list.push(next()?.parse()?);
    }
    Ok(lives)
}

impl Recoveries {
    /// Finds the next settle, and after a kill of a worker the next claim, of each job that was stopped.
    pub(crate) async fn measure(ground: &Ground, wounds: &[Wound]) -> anyhow::Result<Self> {
        let (lives, none) = (lives(ground).await?, Life::default());
        let mut found = Self::default();
        for wound in wounds {
            let end = wound.end.as_microsecond() as f64 / 1e6;
            let (times, seconds) = found.by_fault.entry(wound.fault.clone()).or_default();
            *times += 1;
            for stopped in &wound.stopped {
                let life = lives.get(&stopped.job).unwrap_or(&none);
                match life.settles.get(stopped.settles) {
                    Some(at) => seconds.push((at - end).max(0.0)),
                    None => found
                        .never
                        .push(format!("{} after {}", stopped.job, wound.fault)),
                }
                if let (true, Some(at)) = (wound.worker_killed, life.claims.get(stopped.claims)) {
                    found.takeovers.push((at - end).max(0.0));
                }
            }
        }
        for (_, seconds) in found.by_fault.values_mut() {
            seconds.sort_by(f64::total_cmp);
        }
        found.takeovers.sort_by(f64::total_cmp);
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
