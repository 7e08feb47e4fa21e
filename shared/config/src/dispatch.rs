//! Relay, sweeper and dead-letter janitor, run by intake.

use std::time::Duration;

use crate::{FromEnvironment, Kind, Reader, TimeUnit, Variable};

/// Pace of the dispatcher.
#[derive(Debug, Clone, PartialEq)]
pub struct DispatchConfig {
    /// Outbox rows that the relay claims and publishes at once.
    pub relay_batch: usize,
    /// Interval at which the relay looks for rows that nobody woke it for.
    pub relay_poll: Duration,
    /// Lease of claimed outbox rows.
    pub claim_lease: Duration,
    /// Interval of the sweeper.
    pub sweep_interval: Duration,
    /// Age of a bell, rung and not answered by a claim, at which it is rung again.
    pub rung_too_long: Duration,
    /// Interval at which the janitor looks at the dead-letter queues.
    pub janitor_interval: Duration,
    /// Rest of a job that a crash loop buried, before it goes back by itself.
    pub crash_loop_rest: Duration,
}

const RELAY_BATCH: Variable = Variable {
    name: "SEVER_DISPATCH_RELAY_BATCH",
    kind: Kind::Whole {
        unit: "outbox rows",
        min: 1,
        max: 2_000,
        default: 256,
    },
    example: "256",
    help: "Rows claimed and published at once. Too high: a crash rings many bells twice. Too low: throughput is one confirm at a time.",
};

const RELAY_POLL: Variable = Variable {
    name: "SEVER_DISPATCH_RELAY_POLL_MS",
    kind: Kind::Time {
        unit: TimeUnit::Milliseconds,
        min: 10,
        max: 60_000,
        default: 200,
    },
    example: "200",
    help: "Interval at which the relay looks by itself. Too high: rows of other processes wait. Too low: an idle fleet keeps the database busy.",
};

const CLAIM_LEASE: Variable = Variable {
    name: "SEVER_DISPATCH_CLAIM_LEASE_S",
    kind: Kind::Time {
        unit: TimeUnit::Seconds,
        min: 1,
        max: 600,
        default: 15,
    },
    example: "15",
    help: "Lease of claimed outbox rows; above the deadline of a publisher confirm (10 s). Too high: rows of a dead relay wait. Too low: rows are published twice.",
};

const SWEEP: Variable = Variable {
    name: "SEVER_DISPATCH_SWEEP_MS",
    kind: Kind::Time {
        unit: TimeUnit::Milliseconds,
        min: 50,
        max: 60_000,
        default: 500,
    },
    example: "500",
    help: "Interval of the sweeper, which rings what is due. Too high: retries and future leavers start late. Too low: needless reads.",
};

const RUNG_TOO_LONG: Variable = Variable {
    name: "SEVER_DISPATCH_RUNG_TOO_LONG_S",
    kind: Kind::Time {
        unit: TimeUnit::Seconds,
        min: 1,
        max: 3_600,
        default: 60,
    },
    example: "60",
    help: "Age of an unanswered bell at which it is rung again. Too high: a lost message delays its job. Too low: a busy queue fills with duplicates, which are harmless and not free.",
};

const JANITOR: Variable = Variable {
    name: "SEVER_DISPATCH_JANITOR_MS",
    kind: Kind::Time {
        unit: TimeUnit::Milliseconds,
        min: 50,
        max: 600_000,
        default: 5_000,
    },
    example: "5000",
    help: "Interval at which the janitor compares the dead-letter queues with the database. Too high: replayed messages stay in the queue. Too low: needless reads.",
};

const CRASH_LOOP_REST: Variable = Variable {
    name: "SEVER_DISPATCH_CRASH_LOOP_REST_S",
    kind: Kind::Time {
        unit: TimeUnit::Seconds,
        min: 1,
        max: 86_400,
        default: 60,
    },
    example: "60",
    help: "Rest of a job that a crash loop buried before it goes back by itself, once. Too high: innocent jobs wait. Too low: they meet the same crash again.",
};

impl FromEnvironment for DispatchConfig {
    const VARIABLES: &'static [&'static Variable] = &[
        &RELAY_BATCH,
        &RELAY_POLL,
        &CLAIM_LEASE,
        &SWEEP,
        &RUNG_TOO_LONG,
        &JANITOR,
        &CRASH_LOOP_REST,
    ];

    fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            relay_batch: reader.size(&RELAY_BATCH),
            relay_poll: reader.time(&RELAY_POLL),
            claim_lease: reader.time(&CLAIM_LEASE),
            sweep_interval: reader.time(&SWEEP),
            rung_too_long: reader.time(&RUNG_TOO_LONG),
            janitor_interval: reader.time(&JANITOR),
            crash_loop_rest: reader.time(&CRASH_LOOP_REST),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MapEnvironment;

    #[test]
    fn defaults_follow_the_design() {
        let config = DispatchConfig::from_environment(&MapEnvironment::default()).unwrap();
        assert_eq!(config.relay_batch, 256);
        assert_eq!(config.relay_poll, Duration::from_millis(200));
        assert_eq!(config.claim_lease, Duration::from_secs(15));
        assert_eq!(config.sweep_interval, Duration::from_millis(500));
    }

    #[test]
    fn a_number_with_a_unit_is_refused_by_name() {
        let errors = DispatchConfig::from_environment(&MapEnvironment::from([(
            "SEVER_DISPATCH_SWEEP_MS",
            "500ms",
        )]))
        .unwrap_err();
        assert!(
            errors
                .to_string()
                .contains("SEVER_DISPATCH_SWEEP_MS is not a whole number"),
            "{errors}"
        );
    }
}
