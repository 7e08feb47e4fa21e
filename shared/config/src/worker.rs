//! The loop that every worker runs.

use std::time::Duration;

use crate::{FromEnvironment, Kind, Reader, TimeUnit, Variable};

/// Slots, heartbeat, deadlines and patience of a worker.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkerConfig {
    /// Jobs that run at once from the work queue; also the prefetch of its consumer.
    pub slots: usize,
    /// Further jobs that run at once from the urgent queue, reserved for it.
    pub urgent_slots: usize,
    /// Interval at which the instance writes its heartbeat row.
    pub heartbeat: Duration,
    /// Age of the heartbeat row, by the database's clock, at which the instance counts as dead.
    pub heartbeat_dead: Duration,
    /// Largest age of its own last heartbeat, by the monotonic clock, at which a worker still starts a provider call.
    pub start_call_age_max: Duration,
    /// Hard deadline D of one provider call.
    pub call_deadline: Duration,
    /// Ceiling of a job's lease, extended for each wave.
    pub lease: Duration,
    /// First wait before a contrary read of an eventually consistent system is repeated; it doubles from there.
    pub consistency_wait: Duration,
    /// Time after which a contrary read counts and the step is planned again.
    pub consistency_deadline: Duration,
    /// First delay of a retry.
    pub retry_min: Duration,
    /// Largest delay of a retry.
    pub retry_max: Duration,
    /// Plan revisions that a closing inspection may open before the job is held.
    pub closing_revisions_max: u32,
    /// Time of transient failing, with the connection's breaker closed, after which a job is dead-lettered.
    pub transient_budget: Duration,
}

const SLOTS: Variable = Variable {
    name: "SEVER_WORKER_SLOTS",
    kind: Kind::Whole {
        unit: "jobs",
        min: 1,
        max: 512,
        default: 16,
    },
    example: "16",
    help: "Jobs at once from the work queue. Too high: more waiting on the provider's rate limit and more to give back at a stop. Too low: jobs queue.",
};

const URGENT_SLOTS: Variable = Variable {
    name: "SEVER_WORKER_URGENT_SLOTS",
    kind: Kind::Whole {
        unit: "jobs",
        min: 1,
        max: 128,
        default: 4,
    },
    example: "4",
    help: "Further jobs at once, reserved for the urgent queue. Too high: rate budget is taken from ordinary jobs. Too low: urgent jobs queue behind each other.",
};

const HEARTBEAT: Variable = Variable {
    name: "SEVER_WORKER_HEARTBEAT_MS",
    kind: Kind::Time {
        unit: TimeUnit::Milliseconds,
        min: 50,
        max: 10_000,
        default: 2_000,
    },
    example: "2000",
    help: "Interval of the instance's heartbeat. Too high: a dead worker's jobs stay taken. Too low: needless writes.",
};

const HEARTBEAT_DEAD: Variable = Variable {
    name: "SEVER_WORKER_HEARTBEAT_DEAD_MS",
    kind: Kind::Time {
        unit: TimeUnit::Milliseconds,
        min: 150,
        max: 120_000,
        default: 6_000,
    },
    example: "6000",
    help: "Age of a heartbeat at which others may take the jobs. Too high: jobs of a dead worker wait. Too low: a slow commit costs a healthy worker its jobs.",
};

const START_CALL_AGE: Variable = Variable {
    name: "SEVER_WORKER_START_CALL_AGE_MS",
    kind: Kind::Time {
        unit: TimeUnit::Milliseconds,
        min: 100,
        max: 60_000,
        default: 4_000,
    },
    example: "4000",
    help: "Age of its own heartbeat up to which a worker starts a provider call; between the heartbeat and its death. Too high: two workers may call at once. Too low: calls are held back.",
};

const CALL_DEADLINE: Variable = Variable {
    name: "SEVER_WORKER_CALL_DEADLINE_MS",
    kind: Kind::Time {
        unit: TimeUnit::Milliseconds,
        min: 100,
        max: 120_000,
        default: 10_000,
    },
    example: "10000",
    help: "Hard deadline of one provider call. Too high: unanswered effects delay the closing inspection. Too low: slow answers become unknown effects that are read again.",
};

const LEASE: Variable = Variable {
    name: "SEVER_WORKER_LEASE_MS",
    kind: Kind::Time {
        unit: TimeUnit::Milliseconds,
        min: 500,
        max: 600_000,
        default: 60_000,
    },
    example: "60000",
    help: "Ceiling of a job's lease, extended for each wave; above call deadline plus start-call age. Too high: a hung job stays taken. Too low: long waves lose their lease.",
};

const CONSISTENCY_WAIT: Variable = Variable {
    name: "SEVER_WORKER_CONSISTENCY_WAIT_MS",
    kind: Kind::Time {
        unit: TimeUnit::Milliseconds,
        min: 10,
        max: 600_000,
        default: 1_000,
    },
    example: "1000",
    help: "First wait before a contrary read is repeated. Too high: removals are proven late. Too low: calls are spent on reads that cannot agree yet.",
};

const CONSISTENCY_DEADLINE: Variable = Variable {
    name: "SEVER_WORKER_CONSISTENCY_DEADLINE_MS",
    kind: Kind::Time {
        unit: TimeUnit::Milliseconds,
        min: 10,
        max: 3_600_000,
        default: 60_000,
    },
    example: "60000",
    help: "Time after which a contrary read counts and the step is planned again. Too high: a step that had no effect is noticed late. Too low: slow replication costs repeated writes.",
};

const RETRY_MIN: Variable = Variable {
    name: "SEVER_WORKER_RETRY_MIN_MS",
    kind: Kind::Time {
        unit: TimeUnit::Milliseconds,
        min: 10,
        max: 600_000,
        default: 1_000,
    },
    example: "1000",
    help: "First delay of a retry. Too high: a short fault costs minutes. Too low: a struggling provider is struck again at once.",
};

const RETRY_MAX: Variable = Variable {
    name: "SEVER_WORKER_RETRY_MAX_MS",
    kind: Kind::Time {
        unit: TimeUnit::Milliseconds,
        min: 10,
        max: 86_400_000,
        default: 600_000,
    },
    example: "600000",
    help: "Largest delay of a retry. Too high: work resumes late after an outage. Too low: many jobs try in vain.",
};

const CLOSING_REVISIONS: Variable = Variable {
    name: "SEVER_WORKER_CLOSING_REVISIONS_MAX",
    kind: Kind::Whole {
        unit: "plan revisions",
        min: 1,
        max: 10,
        default: 3,
    },
    example: "3",
    help: "Plan revisions before a job whose access keeps coming back is held. Too high: a fight with another system goes on. Too low: late entitlements need a person.",
};

const TRANSIENT_BUDGET: Variable = Variable {
    name: "SEVER_WORKER_TRANSIENT_BUDGET_H",
    kind: Kind::Time {
        unit: TimeUnit::Hours,
        min: 1,
        max: 720,
        default: 28,
    },
    example: "28",
    help: "Time of failing before a job is dead-lettered. Too high: nobody is told. Too low: a long maintenance fills the dead-letter queue.",
};

impl FromEnvironment for WorkerConfig {
    const VARIABLES: &'static [&'static Variable] = &[
        &SLOTS,
        &URGENT_SLOTS,
        &HEARTBEAT,
        &HEARTBEAT_DEAD,
        &START_CALL_AGE,
        &CALL_DEADLINE,
        &LEASE,
        &CONSISTENCY_WAIT,
        &CONSISTENCY_DEADLINE,
        &RETRY_MIN,
        &RETRY_MAX,
        &CLOSING_REVISIONS,
        &TRANSIENT_BUDGET,
    ];

    fn read(reader: &mut Reader<'_>) -> Self {
        let config = Self {
            slots: reader.size(&SLOTS),
            urgent_slots: reader.size(&URGENT_SLOTS),
            heartbeat: reader.time(&HEARTBEAT),
            heartbeat_dead: reader.time(&HEARTBEAT_DEAD),
            start_call_age_max: reader.time(&START_CALL_AGE),
            call_deadline: reader.time(&CALL_DEADLINE),
            lease: reader.time(&LEASE),
            consistency_wait: reader.time(&CONSISTENCY_WAIT),
            consistency_deadline: reader.time(&CONSISTENCY_DEADLINE),
            retry_min: reader.time(&RETRY_MIN),
            retry_max: reader.time(&RETRY_MAX),
            closing_revisions_max: u32::try_from(reader.whole(&CLOSING_REVISIONS))
                .expect("its declared range fits u32"),
            transient_budget: reader.time(&TRANSIENT_BUDGET),
        };
        config.demand_order(reader);
        config
    }
}

impl WorkerConfig {
    /// The orders between durations on which fencing and retries rest.
    fn demand_order(&self, reader: &mut Reader<'_>) {
        let fenced = self.heartbeat < self.start_call_age_max
            && self.start_call_age_max < self.heartbeat_dead;
        reader.demand(
            fenced,
            &START_CALL_AGE,
            "is not between SEVER_WORKER_HEARTBEAT_MS and SEVER_WORKER_HEARTBEAT_DEAD_MS, so a worker could call for a job that another one took",
        );
        let covers_a_call = self.lease > self.call_deadline + self.start_call_age_max;
        reader.demand(
            covers_a_call,
            &LEASE,
            "is not above SEVER_WORKER_CALL_DEADLINE_MS plus SEVER_WORKER_START_CALL_AGE_MS, so a lease could end during a call",
        );
        reader.demand(
            self.retry_min <= self.retry_max,
            &RETRY_MIN,
            "is above SEVER_WORKER_RETRY_MAX_MS",
        );
        reader.demand(
            self.consistency_wait <= self.consistency_deadline,
            &CONSISTENCY_WAIT,
            "is above SEVER_WORKER_CONSISTENCY_DEADLINE_MS",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MapEnvironment;

    #[test]
    fn defaults_follow_the_design() {
        let config = WorkerConfig::from_environment(&MapEnvironment::default()).unwrap();
        assert_eq!(
            (
                config.slots,
                config.urgent_slots,
                config.closing_revisions_max
            ),
            (16, 4, 3)
        );
        assert_eq!(config.heartbeat, Duration::from_secs(2));
        assert_eq!(config.heartbeat_dead, Duration::from_secs(6));
        assert_eq!(config.start_call_age_max, Duration::from_secs(4));
        assert_eq!(config.transient_budget, Duration::from_secs(28 * 3600));
    }

    #[test]
    fn durations_in_an_order_that_breaks_fencing_are_refused_together() {
        let environment = MapEnvironment::from([
            ("SEVER_WORKER_START_CALL_AGE_MS", "6000"),
            ("SEVER_WORKER_LEASE_MS", "15000"),
            ("SEVER_WORKER_RETRY_MAX_MS", "10"),
            ("SEVER_WORKER_CONSISTENCY_DEADLINE_MS", "10"),
        ]);
        let errors = WorkerConfig::from_environment(&environment).unwrap_err();
        let names: Vec<_> = errors
            .problems()
            .iter()
            .map(|problem| problem.name.as_str())
            .collect();
        let expected = [
            "SEVER_WORKER_START_CALL_AGE_MS",
            "SEVER_WORKER_LEASE_MS",
            "SEVER_WORKER_RETRY_MIN_MS",
            "SEVER_WORKER_CONSISTENCY_WAIT_MS",
        ];
        assert_eq!(names, expected, "{errors}");
    }
}
