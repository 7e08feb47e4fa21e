//! Readiness: named checks that their owners set, and a drain that wins over all of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

/// The readiness of one service. Cheap to clone; clones share their checks.
///
/// Ready means: at least one check is registered, none is not ready, and [`Health::begin_drain`] has not been called.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    draining: bool,
    checks: BTreeMap<&'static str, CheckState>,
}

/// The state of one check. The words are shown to whoever asks: no secret, no personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckState {
    /// The service can rely on it.
    Ready,
    /// Part of it does not work, and the service still takes work.
    Degraded(String),
    /// The service must not be sent work.
    NotReady(String),
}

/// What `/readyz` answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// Whether the service should be sent work.
    pub ready: bool,
    /// Whether it is on its way out.
    pub draining: bool,
    /// Each check by name.
    pub checks: BTreeMap<&'static str, CheckState>,
}

impl Health {
    /// A service without checks, which is not ready.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the check `name`, not ready ("starting"); one that exists is set back to that.
    #[must_use = "a check that nobody sets never gets ready"]
    pub fn register(&self, name: &'static str) -> CheckHandle {
        // Starting is no event: only what follows is logged.
        self.lock()
            .checks
            .insert(name, CheckState::NotReady("starting".to_owned()));
        CheckHandle {
            health: self.clone(),
            name,
        }
    }

    /// Turns readiness off for good. Called first of all when the service is asked to stop, so that nobody sends it more work.
    pub fn begin_drain(&self) {
        self.lock().draining = true;
    }

    /// Whether the service should be sent work.
    #[must_use]
    pub fn ready(&self) -> bool {
        self.readiness().ready
    }

    /// Everything that `/readyz` shows.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        let inner = self.lock();
        let usable = inner
            .checks
            .values()
            .all(|state| !matches!(state, CheckState::NotReady(_)));
        Readiness {
            ready: usable && !inner.checks.is_empty() && !inner.draining,
            draining: inner.draining,
            checks: inner.checks.clone(),
        }
    }

    /// A panic elsewhere while the lock was held cannot leave a map half changed, so poisoning is ignored.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to set one check. Cheap to clone; dropping it leaves the check as it was.
#[derive(Debug, Clone)]
pub struct CheckHandle {
    health: Health,
    name: &'static str,
}

impl CheckHandle {
    /// The service can rely on it.
    pub fn set_ready(&self) {
        self.set(CheckState::Ready);
    }

    /// Part of it does not work, and the service still takes work; for instance a broker that blocks publishers while intake accepts.
    pub fn set_degraded(&self, why: impl Into<String>) {
        self.set(CheckState::Degraded(why.into()));
    }

    /// The service must not be sent work.
    pub fn set_not_ready(&self, why: impl Into<String>) {
        self.set(CheckState::NotReady(why.into()));
    }

    /// Sets the state; a change is logged once, with the check and the reason.
    pub fn set(&self, state: CheckState) {
        let before = self.health.lock().checks.insert(self.name, state.clone());
        if before.as_ref() == Some(&state) {
            return;
        }
        let check = self.name;
        match state {
            CheckState::Ready => tracing::info!(check, "the check is ready"),
            CheckState::Degraded(why) => tracing::warn!(check, why, "the check is degraded"),
            CheckState::NotReady(why) => tracing::warn!(check, why, "the check is not ready"),
        }
    }
}

impl Readiness {
    /// `{"ready":…,"draining":…,"checks":{"postgres":{"state":"ready"},"broker":{"state":"not_ready","why":"…"}}}`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let checks: serde_json::Map<String, Value> = self
            .checks
            .iter()
            .map(|(name, state)| ((*name).to_owned(), state.to_json()))
            .collect();
        json!({ "ready": self.ready, "draining": self.draining, "checks": checks })
    }
}

impl CheckState {
    fn to_json(&self) -> Value {
        match self {
            Self::Ready => json!({ "state": "ready" }),
            Self::Degraded(why) => json!({ "state": "degraded", "why": why }),
            Self::NotReady(why) => json!({ "state": "not_ready", "why": why }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_needs_every_check_and_at_least_one() {
        let health = Health::new();
        assert!(
            !health.ready(),
            "a service that registered nothing has not started"
        );
        let (database, broker) = (health.register("postgres"), health.register("broker"));
        database.set_ready();
        assert!(!health.ready());
        broker.set_degraded("blocked by the memory alarm");
        assert!(health.ready(), "degraded still takes work");
        broker.set_not_ready("away");
        assert!(!health.ready());
    }

    #[test]
    fn a_drain_wins_and_cannot_be_taken_back() {
        let health = Health::new();
        let check = health.register("postgres");
        check.set_ready();
        health.begin_drain();
        check.set_ready();
        assert!(!health.ready());
        assert!(health.readiness().draining);
    }

    #[test]
    fn the_json_names_each_check_with_its_reason() {
        let health = Health::new();
        health.register("postgres").set_ready();
        health.register("broker").set_not_ready("away");
        let expected = json!({ "ready": false, "draining": false,
            "checks": { "postgres": { "state": "ready" }, "broker": { "state": "not_ready", "why": "away" } } });
        assert_eq!(health.readiness().to_json(), expected);
    }
}
