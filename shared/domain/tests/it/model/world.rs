//! The rows, the broker, the provider and the workers.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use sever_domain::breaker::Breaker;
use sever_domain::{JobEvent, JobState, OutcomeClass, StepEvent, StepState};

use super::random::Random;
use super::run::Rule;

/// The hard deadline of a call, and the age of its heartbeat at which a worker starts none.
pub const CALL_MAX_MS: i64 = 10_000;
pub const FRESH_MS: i64 = 4_000;
pub const DEAD_MS: i64 = 6_000;
pub const LEASE_MS: i64 = 60_000;
pub const SUBJECTS: usize = 3;
pub const JOBS_MAX: i64 = 2;

pub struct Effect {
    pub step: usize,
    pub epoch: i64,
    pub intent_at: Timestamp,
    pub answered: bool,
}

pub struct Job {
    pub subject: usize,
    pub state: JobState,
    pub due_at: Option<Timestamp>,
    pub rung_at: Option<Timestamp>,
    pub rung_again: bool,
    pub epoch: i64,
    pub token: u64,
    pub holder: Option<usize>,
    pub lease_until: Option<Timestamp>,
    pub unsettled: i32,
    pub attempt: i32,
    /// The numbers of the attempt rows, in the order in which they were made.
    pub attempts: Vec<i32>,
    pub failures: i32,
    pub failing_since: Option<Timestamp>,
    pub failing_open: SignedDuration,
    pub revision: i32,
    pub replans: i32,
    pub steps: Vec<StepState>,
    /// Steps of `steps` that need the one before.
    pub chained: Vec<bool>,
    pub effects: Vec<Effect>,
    /// Every event, for I6.
    pub events: Vec<JobEvent>,
    /// Every epoch that was ever claimed, for I3.
    pub claimed: Vec<i64>,
    /// The last closing inspection: when it began, and whether it was complete and saw nothing live.
    pub proof: Option<(u64, bool)>,
    pub letter: bool,
    pub held_by: bool,
    /// The provider answers every call for it with a 5xx.
    pub poisoned: bool,
    pub over_budget: bool,
    /// By step: a call is intended, and neither its answer nor a read has told what became of it.
    pub blind: Vec<bool>,
}

impl Job {
    pub fn is_open(&self) -> bool {
        self.state.is_open()
    }

    /// Moves by an event that the state machine must know.
    pub fn go(&mut self, event: JobEvent) -> Result<(), String> {
        self.state = self
            .state
            .after(event)
            .map_err(|error| format!("I6: {error}"))?;
        self.events.push(event);
        if self.state != JobState::Running {
            (self.holder, self.lease_until, self.token) = (None, None, 0);
        }
        Ok(())
    }

    pub fn step(&mut self, step: usize, event: StepEvent) -> Result<(), String> {
        self.steps[step] = self.steps[step]
            .after(event)
            .map_err(|error| format!("step: {error}"))?;
        Ok(())
    }
}

/// A call that left its worker: the provider may do it until `until_mono`.
pub struct Call {
    pub job: usize,
    pub step: usize,
    pub epoch: i64,
    pub until_mono: i64,
}

pub struct Provider {
    pub up: bool,
    pub credential: bool,
    /// What is still there, by job and step.
    pub live: BTreeSet<(usize, usize)>,
    pub under_way: Vec<Call>,
    /// Writes done: their order among all steps of the model, job, step and epoch.
    pub journal: Vec<(u64, usize, usize, i64)>,
}

#[derive(Debug, Clone)]
pub enum Settle {
    Done,
    Wait(i64),
    RetryAt(i64),
    Retry,
    Credentials,
    Hold,
    Drain,
}

impl Settle {
    pub const fn class(&self) -> OutcomeClass {
        match self {
            Self::Done => OutcomeClass::Done,
            Self::Wait(_) => OutcomeClass::Wait,
            Self::RetryAt(_) => OutcomeClass::RetryAt,
            Self::Retry => OutcomeClass::Retry,
            Self::Credentials => OutcomeClass::Credentials,
            Self::Hold => OutcomeClass::NeedsPerson,
            Self::Drain => OutcomeClass::ShuttingDown,
        }
    }
}

pub enum Phase {
    Open,
    Intended(Vec<usize>),
    Calling(Vec<usize>),
    Inspect,
    Settle(Settle),
}

/// An epoch in a worker's memory.
pub struct Epoch {
    pub job: usize,
    pub epoch: i64,
    pub token: u64,
    pub revision: i32,
    pub phase: Phase,
    pub attempt: Option<i32>,
    /// What was learnt since the last transaction.
    pub learnt: Vec<(usize, StepEvent)>,
    pub answered: Vec<usize>,
    pub progressed: bool,
    pub proof: Option<(u64, bool)>,
}

pub struct Worker {
    pub instance: usize,
    pub alive: bool,
    pub stalled: bool,
    pub beat_mono: i64,
    pub epoch: Option<Epoch>,
}

pub struct World {
    pub random: Random,
    pub broken: Option<Rule>,
    pub seq: u64,
    pub now: Timestamp,
    pub mono: i64,
    pub jobs: Vec<Job>,
    pub outbox: Vec<usize>,
    pub queue: Vec<usize>,
    pub lost_at: Option<Timestamp>,
    pub workers: Vec<Worker>,
    /// The heartbeat rows, by instance.
    pub beats: Vec<Timestamp>,
    pub connection_open: bool,
    pub blocked_until: Option<Timestamp>,
    pub breaker: Breaker,
    pub provider: Provider,
    pub faults: bool,
    pub trace: Vec<String>,
}

impl World {
    pub fn new(seed: u64, broken: Option<Rule>) -> Self {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let workers = (0..3)
            .map(|instance| Worker {
                instance,
                alive: true,
                stalled: false,
                beat_mono: 0,
                epoch: None,
            })
            .collect();
        Self {
            random: Random::new(seed),
            broken,
            seq: 0,
            now,
            mono: 0,
            jobs: Vec::new(),
            outbox: Vec::new(),
            queue: Vec::new(),
            lost_at: None,
            workers,
            beats: vec![now; 3],
            connection_open: true,
            blocked_until: None,
            breaker: Breaker::default(),
            provider: Provider {
                up: true,
                credential: true,
                live: BTreeSet::new(),
                under_way: Vec::new(),
                journal: Vec::new(),
            },
            faults: true,
            trace: Vec::new(),
        }
    }

    pub fn is_broken(&self, rule: Rule) -> bool {
        self.broken == Some(rule)
    }

    pub fn later(&self, ms: i64) -> Timestamp {
        self.now + SignedDuration::from_millis(ms)
    }

    /// Somebody asks for a removal: one open job for each subject, to which a further request attaches.
    pub fn ask(&mut self, subject: usize) {
        let open = self
            .jobs
            .iter_mut()
            .find(|job| job.subject == subject && job.is_open());
        if let Some(job) = open {
            job.revision += 1;
            return;
        }
        let job = self.jobs.len();
        let steps = 1 + self.random.below(3);
        let chained = (0..steps)
            .map(|step| step > 0 && self.random.percent(50))
            .collect();
        let poisoned = self.random.percent(3);
        self.provider
            .live
            .extend((0..steps).map(|step| (job, step)));
        self.jobs.push(Job {
            subject,
            state: JobState::Waiting,
            due_at: Some(self.now),
            rung_at: None,
            rung_again: false,
            epoch: 0,
            token: 0,
            holder: None,
            lease_until: None,
            unsettled: 0,
            attempt: 0,
            attempts: Vec::new(),
            failures: 0,
            failing_since: None,
            failing_open: SignedDuration::ZERO,
            revision: 0,
            replans: 0,
            steps: vec![StepState::Planned; steps],
            chained,
            effects: Vec::new(),
            events: Vec::new(),
            claimed: Vec::new(),
            proof: None,
            letter: false,
            held_by: false,
            poisoned,
            over_budget: false,
            blind: vec![false; steps],
        });
        self.ring(job);
    }

    pub fn ring(&mut self, job: usize) {
        if !self.outbox.contains(&job) {
            self.outbox.push(job);
        }
    }

    pub fn lease_alive(&self, job: &Job) -> bool {
        let Some(holder) = job.holder else {
            return false;
        };
        job.lease_until.is_some_and(|until| until > self.now)
            && self.now.duration_since(self.beats[holder]) < SignedDuration::from_millis(DEAD_MS)
    }
}
