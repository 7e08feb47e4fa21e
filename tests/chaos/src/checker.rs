//! The one checker: what the clients were promised, what the database says, and what the provider's journal shows.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures::{StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use serde_json::Value;
use sever_private_servers::QueueDepth;
use sever_store::{DatabaseSettings, Store, invariants};
use sever_tests::DOUBLE_EVENTS;

use crate::crowd::{Crowd, external_id};
use crate::ground::Ground;
use crate::journal::Journal;
use crate::promises::Promises;

/// Questions to the simulator under way at once.
const AT_ONCE: usize = 8;
/// What is due for longer is forgotten, in a fleet at rest.
const GRACE: Duration = Duration::from_secs(5);
/// How soon the broker's counts are true; `quorum_tick_interval` is 5 s.
const COUNTED_WITHIN: Duration = Duration::from_secs(20);
/// The simulator writes times in milliseconds.
const ROUNDING: jiff::SignedDuration = jiff::SignedDuration::from_millis(2);

/// What is wrong; each line names a row, a key or a call. All empty in a good run.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Promises that came to nothing.
    pub(crate) lost: Vec<String>,
    /// Calls about somebody whom nobody named.
    pub(crate) unnamed_calls: Vec<String>,
    /// Jobs that are done though access is left, or without a read after the last write.
    pub(crate) unverified_done: Vec<String>,
    /// Audit events that stand twice.
    pub(crate) double_audit: Vec<String>,
    /// Everything else that breaks an invariant.
    pub(crate) violations: Vec<String>,
}

/// What was found right, for the report.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    /// Promised people all of whose access is gone.
    pub(crate) opt_outs: usize,
    /// Calls that the provider saw.
    pub(crate) calls: u64,
    /// Audit events.
    pub(crate) audit_events: u64,
}

/// The state of a job by provider and person.
type Jobs = HashMap<(&'static str, usize), String>;

/// Compares everything. The fleet must be at rest.
pub(crate) async fn check(
    ground: &Ground,
    crowd: &Crowd,
    promises: &Promises,
) -> anyhow::Result<(Findings, Figures)> {
    let journal = Journal::read(&ground.simulator, crowd).await?;
    let jobs = jobs(ground).await?;
    let mut findings = Findings::default();
    let (people, named) = {
        let record = promises.record();
        (record.people(), record.named.clone())
    };
    requests(ground, promises, &mut findings).await?;
    let finished = finished(&people, &jobs, &mut findings);
    calls(&journal, &named, crowd, &mut findings);
    reads(&journal, &jobs, &mut findings);
    intents(ground, &journal, &mut findings).await?;
    truth(ground, crowd, &jobs, &named, &mut findings).await?;
    rules(ground, &mut findings).await?;
    queues(ground, &mut findings).await?;
    let figures = Figures {
        opt_outs: finished,
        calls: journal.calls,
        audit_events: ground.count("SELECT count(*) FROM audit_event").await?,
    };
    Ok((findings, figures))
}

/// Every promise is a recorded request that belongs to an opt-out.
async fn requests(
    ground: &Ground,
    promises: &Promises,
    findings: &mut Findings,
) -> anyhow::Result<()> {
    let rows = ground.sql("SELECT idem_key, state FROM request").await?;
    let states: BTreeMap<&str, &str> = rows
        .lines()
        .filter_map(|row| row.rsplit_once('|'))
        .map(|(key, state)| (key.rsplit(' ').next().unwrap_or(key), state))
        .collect();
    for (key, promise) in &promises.record().accepted {
        match states.get(key.as_str()) {
            Some(&("attached" | "closed")) => {}
            found => findings.lost.push(format!(
                "{key}, accepted by {:?}: its request is {}",
                promise.way,
                found.unwrap_or(&"not there")
            )),
        }
    }
    Ok(())
}

/// The newest job of each person at each provider.
async fn jobs(ground: &Ground) -> anyhow::Result<Jobs> {
    let rows = ground
        .sql(
            "SELECT provider, substr(external_id, 3), job.state || coalesce(' (' || state_reason || ')', '')
             FROM job JOIN person_key ON person_id = subject_id ORDER BY job.created_at",
        )
        .await?;
    let mut jobs = Jobs::new();
    for row in rows.lines() {
        let mut columns = row.splitn(3, '|');
        let (provider, number, state) = (columns.next(), columns.next(), columns.next());
        let provider = if provider == Some("okta") {
            "okta"
        } else {
            "scim"
        };
        let number = number.context("a job has no person")?.parse()?;
        jobs.insert((provider, number), state.unwrap_or_default().to_owned());
    }
    Ok(jobs)
}

/// Every promised person's jobs are done. Returns for how many it is so.
fn finished(people: &BTreeSet<usize>, jobs: &Jobs, findings: &mut Findings) -> usize {
    let mut finished = 0;
    for person in people {
        let mut done = true;
        for provider in ["okta", "scim"] {
            let state = jobs
                .get(&(provider, *person))
                .map_or("not there", String::as_str);
            if state != "done" {
                done = false;
                let who = external_id(*person);
                findings
                    .lost
                    .push(format!("{who}: the job at {provider} is {state}"));
            }
        }
        finished += usize::from(done);
    }
    finished
}

/// Nobody was called about but those whom a client named.
fn calls(journal: &Journal, named: &BTreeSet<usize>, crowd: &Crowd, findings: &mut Findings) {
    findings
        .unnamed_calls
        .extend(journal.strangers.iter().cloned());
    for person in journal.people().difference(named) {
        let kind = if *person < crowd.leavers {
            "who has not left yet"
        } else {
            "who stays"
        };
        findings
            .unnamed_calls
            .push(format!("{} {kind}", external_id(*person)));
    }
}

/// Whoever is done was read again after the last write.
fn reads(journal: &Journal, jobs: &Jobs, findings: &mut Findings) {
    for ((provider, person), state) in jobs {
        let calls = journal
            .about
            .get(&(*provider, *person))
            .copied()
            .unwrap_or_default();
        if state == "done" && calls.last_read <= calls.last_write {
            let who = external_id(*person);
            findings
                .unverified_done
                .push(format!("{who} at {provider}: no read after {calls:?}"));
        }
    }
}

/// No write came before the first intent about that person at that provider was committed.
async fn intents(
    ground: &Ground,
    journal: &Journal,
    findings: &mut Findings,
) -> anyhow::Result<()> {
    let rows = ground
        .sql(
            "SELECT provider, substr(external_id, 3), to_char(min(intent_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')
             FROM effect JOIN step ON step.id = step_id JOIN job ON job.id = job_id JOIN person_key ON person_id = job.subject_id
             GROUP BY 1, 2",
        )
        .await?;
    let mut intents: HashMap<(&str, usize), Timestamp> = HashMap::new();
    for row in rows.lines() {
        let columns: Vec<&str> = row.split('|').collect();
        let [provider, number, at] = columns[..] else {
            continue;
        };
        intents.insert((provider, number.parse()?), at.parse()?);
    }
    for ((provider, person), calls) in &journal.about {
        let Some(write) = calls.first_write else {
            continue;
        };
        let intent = intents.get(&(*provider, *person));
        if intent.is_none_or(|intent| *intent > write + ROUNDING) {
            let who = external_id(*person);
            let intent = intent.map_or("never".to_owned(), ToString::to_string);
            findings.violations.push(format!(
                "I5 {who} at {provider}: written at {write}, first intended {intent}"
            ));
        }
    }
    Ok(())
}

/// What is really so: whoever is done has nothing left, and whoever was not named has kept everything.
async fn truth(
    ground: &Ground,
    crowd: &Crowd,
    jobs: &Jobs,
    named: &BTreeSet<usize>,
    findings: &mut Findings,
) -> anyhow::Result<()> {
    let accounts = [("okta", &crowd.okta), ("scim", &crowd.scim)];
    let all = accounts.into_iter().flat_map(|(provider, ids)| {
        let ids = ids.iter().enumerate();
        ids.map(move |(person, id)| (provider, person, id))
    });
    let states = futures::stream::iter(all).map(|(provider, person, id)| async move {
        let path = format!("/{provider}/main/state/users/{id}");
        let state = ground.simulator.control("GET", &path, &Value::Null).await;
        state.map(|state| (provider, person, state))
    });
    let states: Vec<_> = states.buffer_unordered(AT_ONCE).try_collect().await?;
    for (provider, person, state) in states {
        let live = state["live"].as_array().map_or(0, Vec::len);
        let who = external_id(person);
        let done = jobs
            .get(&(provider, person))
            .is_some_and(|state| state == "done");
        if done && live > 0 {
            findings
                .unverified_done
                .push(format!("{who} at {provider} still has {}", state["live"]));
        } else if !named.contains(&person) && live == 0 {
            findings
                .unnamed_calls
                .push(format!("{who} at {provider} lost access"));
        }
    }
    Ok(())
}

/// The invariants that the database alone shows, and events that stand twice.
async fn rules(ground: &Ground, findings: &mut Findings) -> anyhow::Result<()> {
    let store = Store::new(&DatabaseSettings {
        url: ground.service_url(),
        pool_max: 1,
        statement_timeout: Duration::from_secs(120),
        lock_timeout: Duration::from_secs(10),
        connect_timeout: Duration::from_secs(20),
        application_name: "sever-chaos".to_owned(),
    })?;
    let client = store.client("checking the invariants").await?;
    for found in invariants::check(&client, GRACE).await? {
        let line = format!(
            "{} {}: {} {:?}",
            found.invariant, found.what, found.id, found.detail
        );
        findings.violations.push(line);
    }
    findings.double_audit = ground.column(DOUBLE_EVENTS).await?;
    Ok(())
}

/// Nothing is left in a queue that somebody would have to look at. The broker counts a quorum queue every few seconds, so
/// what seems to be left is looked at again.
async fn queues(ground: &Ground, findings: &mut Findings) -> anyhow::Result<()> {
    let start = Instant::now();
    loop {
        let mut left = ground.servers.rabbit.list_queues().await?;
        let looked_at = |name: &str| name.starts_with("sever.in") || name.starts_with("sever.dlq");
        left.retain(|queue| looked_at(&queue.name) && queue.messages > 0);
        if left.is_empty() || start.elapsed() > COUNTED_WITHIN {
            let line = |queue: &QueueDepth| {
                format!("{} messages are left in {}", queue.messages, queue.name)
            };
            findings.violations.extend(left.iter().map(line));
            return Ok(());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
