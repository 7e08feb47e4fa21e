//! What a failed call means for the job.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use sever_domain::{HoldPolicy, HoldReason, OutcomeClass, Provider};
use sever_provider::CallError;
use sever_store::job::{ClaimedJob, DeadLetter, HoldRequest, Settlement};

use crate::settings::Settings;

/// How long to wait when a provider asks for patience and names no time.
const RATE_WAIT: Duration = Duration::from_secs(5);

/// The settlement that a failed call asks for.
pub(crate) fn settlement(
    error: &CallError,
    claimed: &ClaimedJob,
    settings: &Settings,
    now: Timestamp,
) -> Settlement {
    match error.class {
        OutcomeClass::Wait => propagation(error, claimed, settings, now),
        OutcomeClass::RetryAt => Settlement::RetryAt {
            after: error.retry_after.unwrap_or(RATE_WAIT),
        },
        OutcomeClass::Retry | OutcomeClass::Done => retry(
            error.on_record(),
            fingerprint(claimed.provider, error),
            claimed,
            settings,
            now,
        ),
        OutcomeClass::Credentials => Settlement::Credentials {
            what: error.to_string(),
        },
        OutcomeClass::Permanent => Settlement::Dead(DeadLetter {
            fingerprint: fingerprint(claimed.provider, error),
            reason: error.on_record(),
        }),
        OutcomeClass::NeedsPerson => Settlement::Held(HoldRequest {
            reason: HoldReason::Blocked,
            policy: HoldPolicy::Contain,
            on_opt_out: false,
            detail: json!({"doing": error.doing, "what": error.what, "code": error.code}),
        }),
        OutcomeClass::ShuttingDown => Settlement::Drain,
    }
}

/// Something at the provider must come first. The wait grows with the time already waited, and has the
/// same budget as failing: what never comes about needs a person.
fn propagation(
    error: &CallError,
    claimed: &ClaimedJob,
    settings: &Settings,
    now: Timestamp,
) -> Settlement {
    let waited = failing_for(claimed, now);
    if waited > settings.transient_budget {
        return over_budget(
            error.to_string(),
            fingerprint(claimed.provider, error),
            settings,
        );
    }
    let after = error
        .retry_after
        .unwrap_or(settings.consistency_wait)
        .max(waited / 4)
        .min(settings.consistency_deadline);
    Settlement::Wait {
        why: "propagation",
        after,
    }
}

fn failing_for(claimed: &ClaimedJob, now: Timestamp) -> Duration {
    claimed.failing_since.map_or(Duration::ZERO, |since| {
        Duration::try_from(now.duration_since(since)).unwrap_or_default()
    })
}

fn over_budget(what: String, fingerprint: String, settings: &Settings) -> Settlement {
    let hours = settings.transient_budget.as_secs() / 3600;
    Settlement::Dead(DeadLetter {
        fingerprint,
        reason: format!("still failing after {hours} h: {what}"),
    })
}

/// Backs off with jitter, until the job has been failing for longer than its budget.
pub(crate) fn retry(
    what: String,
    fingerprint: String,
    claimed: &ClaimedJob,
    settings: &Settings,
    now: Timestamp,
) -> Settlement {
    if failing_for(claimed, now) > settings.transient_budget {
        return over_budget(what, fingerprint, settings);
    }
    let failures = u32::try_from(claimed.failures)
        .unwrap_or(0)
        .saturating_add(1);
    Settlement::Retry {
        after: settings.retry.delay(failures, rand::random()),
        what,
    }
}

/// `provider:action:class:code`, by which equal failures are counted together.
pub(crate) fn fingerprint(provider: Provider, error: &CallError) -> String {
    let code = error
        .code
        .clone()
        .or_else(|| error.status.map(|status| status.to_string()))
        .unwrap_or_else(|| "none".to_owned());
    format!(
        "{provider}:{}:{}:{code}",
        error.doing.replace(' ', "_"),
        error.class
    )
}

/// The graver of two settlements: what a person must do, then what the provider asks, then what we would.
pub(crate) fn graver(one: Option<Settlement>, other: Settlement) -> Settlement {
    const fn rank(settlement: &Settlement) -> u8 {
        match settlement {
            Settlement::Credentials { .. } => 6,
            Settlement::Dead(_) => 5,
            Settlement::Held(_) | Settlement::StoppedByHold | Settlement::CalledOff => 4,
            Settlement::RetryAt { .. } => 3,
            Settlement::Retry { .. } => 2,
            Settlement::Wait { .. } => 1,
            Settlement::Drain | Settlement::Done | Settlement::Foretold { .. } => 0,
        }
    }
    match one {
        Some(one) if rank(&one) >= rank(&other) => one,
        Some(_) | None => other,
    }
}
