//! The counts that PostgreSQL knows, as metrics. The counters of an instance that stopped would stay, so
//! everything that was ever set is set again, to zero where there is none.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use sever_bus::{Bus, BusError, topology};
use sever_domain::replay::MemberState;
use sever_domain::{HoldReason, JobState, Provider, StepState};
use sever_store::gauges::TaskCount;
use sever_store::invariants::{self, PRODUCTION_GRACE};
use sever_store::{Store, StoreError, dead_letter, gauges, outbox, request_unmatched};
use sever_telemetry::catalogue;

use crate::settings::PROVIDERS;

/// Reads the counts and sets the gauges.
///
/// # Errors
/// As any statement; the gauges keep their last values then.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(crate) async fn refresh(store: &Store) -> Result<(), StoreError> {
    let client = store.client("counting what is open").await?;
    let connections = gauges::connections(&client).await?;
    let jobs: BTreeMap<(JobState, Provider), i64> = gauges::open_jobs(&client)
        .await?
        .into_iter()
        .map(|(state, provider, count)| ((state, provider), count))
        .collect();
    for connection in &connections {
        let provider = connection.provider.as_str();
        metrics::gauge!(catalogue::CONNECTIONS_PARKED.name, "provider" => provider)
            .set(connection.parked as f64);
        metrics::gauge!(catalogue::CONNECTION_BLOCKED_SECONDS.name, "provider" => provider)
            .set(connection.blocked_s);
        for state in JobState::ALL.iter().filter(|state| state.is_open()) {
            let count = jobs
                .get(&(*state, connection.provider))
                .copied()
                .unwrap_or(0);
            metrics::gauge!(catalogue::JOBS.name, "state" => state.as_str(), "provider" => provider).set(count as f64);
        }
    }
    let tasks = gauges::open_tasks(&client).await?;
    for connection in &connections {
        set_tasks(connection.provider, &tasks);
    }
    let holds: BTreeMap<HoldReason, i64> = gauges::open_holds(&client).await?.into_iter().collect();
    for reason in HoldReason::ALL {
        let count = holds.get(reason).copied().unwrap_or(0);
        metrics::gauge!(catalogue::HOLDS_OPEN.name, "reason" => reason.as_str()).set(count as f64);
    }
    let backlog = outbox::backlog(&client).await?;
    metrics::gauge!(catalogue::OUTBOX_ROWS.name).set(backlog.rows as f64);
    metrics::gauge!(catalogue::OUTBOX_OLDEST_SECONDS.name).set(backlog.oldest_s);
    let unmatched = request_unmatched::count_unmatched(&client).await?;
    metrics::gauge!(catalogue::UNMATCHED_REQUESTS.name).set(unmatched as f64);
    set_dead(&dead_letter::counts(&client).await?);
    Ok(())
}

/// What was ever set and is there no more is set to zero by name; fingerprints are kept in mind for that.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn set_dead(counts: &dead_letter::DeadCounts) {
    static KNOWN: Mutex<BTreeSet<(String, String)>> = Mutex::new(BTreeSet::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let open: BTreeMap<(String, String), i64> = counts
        .open
        .iter()
        .map(|(provider, fingerprint, letters)| ((provider.clone(), fingerprint.clone()), *letters))
        .collect();
    known.extend(open.keys().cloned());
    for (provider, fingerprint) in &*known {
        let letters = open
            .get(&(provider.clone(), fingerprint.clone()))
            .copied()
            .unwrap_or(0);
        metrics::gauge!(catalogue::DEAD_LETTERS_OPEN.name, "provider" => provider.clone(), "fingerprint" => fingerprint.clone()).set(letters as f64);
    }
    // Zero again and known no more: a process that runs for months must not remember every fingerprint.
    known.retain(|key| open.contains_key(key));
    for queue in PROVIDERS.map(Provider::as_str).into_iter().chain(["in"]) {
        let raws = found(&counts.raws, queue);
        metrics::gauge!(catalogue::DEAD_RAW_OPEN.name, "provider" => queue).set(raws as f64);
        let apart = counts.out_of_step.iter().find(|(word, _)| word == queue);
        metrics::gauge!(catalogue::DLQ_OUT_OF_STEP_SECONDS.name, "provider" => queue)
            .set(apart.map_or(0.0, |(_, seconds)| *seconds));
    }
    metrics::gauge!(catalogue::JANITOR_LOOK_AGE_SECONDS.name).set(counts.look_age_s);
    for state in ["running", "stopped"] {
        metrics::gauge!(catalogue::REPLAYS.name, "state" => state)
            .set(found(&counts.replays, state) as f64);
    }
    for state in MemberState::ALL {
        metrics::gauge!(catalogue::REPLAY_MEMBERS.name, "state" => state.as_str()).set(found(
            &counts.members,
            state.as_str(),
        )
            as f64);
    }
}

fn found(counts: &[(String, i64)], word: &str) -> i64 {
    counts
        .iter()
        .find(|(known, _)| known == word)
        .map_or(0, |(_, count)| *count)
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn set_tasks(provider: Provider, tasks: &[TaskCount]) {
    let of_provider = || tasks.iter().filter(move |count| count.provider == provider);
    for state in StepState::ALL
        .iter()
        .filter(|state| state.waits_for_person())
    {
        let counts = of_provider().filter(|count| count.state == *state);
        let open: i64 = counts.map(|count| count.tasks).sum();
        metrics::gauge!(catalogue::TASKS_OPEN.name, "provider" => provider.as_str(), "state" => state.as_str()).set(open as f64);
    }
    let overdue: i64 = of_provider().map(|count| count.overdue).sum();
    metrics::gauge!(catalogue::TASKS_OVERDUE.name, "provider" => provider.as_str())
        .set(overdue as f64);
}

/// Asks the broker how many dead letters there are, for each provider.
///
/// # Errors
/// [`BusError`] while the broker cannot be asked; the gauges keep their last values then.
pub(crate) async fn refresh_dead_letters(bus: &Bus) -> Result<(), BusError> {
    for provider in PROVIDERS.map(Provider::as_str) {
        let queue = topology::dead_letter_queue(provider);
        let depth = bus.queue_depth(&queue).await?;
        let messages = depth.map_or(0, |depth| depth.messages);
        metrics::gauge!(catalogue::DLQ_DEPTH.name, "provider" => provider).set(f64::from(messages));
    }
    Ok(())
}

/// Checks the invariants, sets a gauge for each and logs each violation.
///
/// # Errors
/// As any statement; the gauges keep their last values then.
pub(crate) async fn refresh_invariants(store: &Store) -> Result<(), StoreError> {
    let client = store.client("checking the invariants").await?;
    let violations = invariants::check(&client, PRODUCTION_GRACE).await?;
    let mut counts: BTreeMap<&str, u32> = invariants::all()
        .iter()
        .map(|invariant| (invariant.number, 0))
        .collect();
    for violation in &violations {
        *counts.entry(violation.invariant).or_default() += 1;
        tracing::error!(
            invariant = violation.invariant,
            name = violation.name,
            row = violation.id,
            "an invariant is broken; see 'sever doctor'"
        );
    }
    for (invariant, count) in counts {
        metrics::gauge!(catalogue::INVARIANT_VIOLATIONS.name, "invariant" => invariant)
            .set(f64::from(count));
    }
    Ok(())
}
