//! The driver: deals the faults one after the other and notes what each of them stopped.

mod links;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};

use crate::clients::HrSystem;
use crate::fault::Fault;
use crate::fleet::{Fleet, REPLICAS};
use crate::ground::Ground;
use crate::plan::Plan;
use crate::process::Kind;
use crate::recovery::{self, Stopped, Wound};

/// How long the driver waits for work to be under way before it kills.
const IN_FLIGHT_MAX: Duration = Duration::from_secs(5);
/// What the HR system sends again after a loss of the broker's data.
const SENT_AGAIN: Duration = Duration::from_secs(180);
/// A frozen process: longer than its heartbeat lives.
const FROZEN_S: std::ops::Range<u64> = 8..15;

/// Kills of one kind of process.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Kills {
    pub(crate) kills: u32,
    /// Jobs under way at those moments: in the process for a worker, in the fleet for everything else.
    pub(crate) jobs_in_flight: usize,
}

/// The driver and its record.
pub(crate) struct Driver<'a> {
    ground: &'a Ground,
    fleet: &'a mut Fleet,
    hr: HrSystem,
    dice: StdRng,
    started: Instant,
    pace: f64,
    /// By kind of process.
    pub(crate) kills: BTreeMap<&'static str, Kills>,
    /// Every fault that is over.
    pub(crate) wounds: Vec<Wound>,
    /// What went wrong with the processes themselves.
    pub(crate) problems: Vec<String>,
}

impl<'a> Driver<'a> {
    pub(crate) fn new(ground: &'a Ground, fleet: &'a mut Fleet, hr: HrSystem, plan: &Plan) -> Self {
        Self {
            ground,
            fleet,
            hr,
            dice: StdRng::seed_from_u64(plan.seed),
            started: Instant::now(),
            pace: plan.pace,
            kills: BTreeMap::new(),
            wounds: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Deals faults for as long as the plan says, and leaves everything running and reachable.
    pub(crate) async fn run(&mut self, plan: &Plan) -> anyhow::Result<()> {
        // Calls take a moment, so that work is under way when something is killed.
        let slow = json!({"when": {}, "then": {"latency_ms": 15, "jitter_ms": 30}});
        self.ground.simulator.fault(&slow).await?;
        let mut deck: Vec<Fault> = Vec::new();
        let mut dealt = 0;
        while self.started.elapsed() < plan.faults_for || dealt < plan.deck.len() {
            if deck.is_empty() {
                deck = plan.deck.clone();
                deck.shuffle(&mut self.dice);
            }
            let Some(fault) = deck.pop() else { break };
            self.pause(plan.pause_max).await;
            say(self.started, &fault.name());
            self.deal(fault).await?;
            dealt += 1;
            self.fleet.revive().await?;
        }
        say(self.started, "no more faults");
        self.ground.simulator.no_faults().await
    }

    async fn pause(&mut self, max: Duration) {
        let part = self.dice.random_range(0.2..1.0);
        tokio::time::sleep(max.mul_f64(part)).await;
    }

    async fn hold(&mut self, seconds: std::ops::Range<u64>) {
        let ms = self
            .dice
            .random_range(seconds.start * 1000..seconds.end * 1000);
        tokio::time::sleep(Duration::from_millis(ms).mul_f64(self.pace)).await;
    }

    async fn deal(&mut self, fault: Fault) -> anyhow::Result<()> {
        match fault {
            Fault::Kill(kind) => {
                let replica = self.dice.random_range(0..REPLICAS);
                self.kill(fault, kind, &[replica]).await
            }
            Fault::KillBoth(kind) => self.kill(fault, kind, &[0, 1]).await,
            Fault::Freeze(kind) => self.freeze(fault, kind).await,
            _ => {
                let (began, running) = (Timestamp::now(), recovery::running(self.ground).await?);
                self.strike(fault, running.len()).await?;
                let end = Timestamp::now();
                let stopped = recovery::stopped(self.ground, began, &running).await?;
                self.note(fault, end, stopped);
                Ok(())
            }
        }
    }

    fn note(&mut self, fault: Fault, end: Timestamp, stopped: Vec<Stopped>) {
        let worker_killed =
            matches!(fault, Fault::Kill(kind) | Fault::KillBoth(kind) if kind.is_worker());
        self.wounds.push(Wound {
            fault: fault.name(),
            end,
            worker_killed,
            stopped,
        });
    }

    fn count(&mut self, kind: &'static str, jobs: usize) {
        let kills = self.kills.entry(kind).or_default();
        kills.kills += 1;
        kills.jobs_in_flight += jobs;
    }

    /// Kills replicas. What a worker leaves behind counts from the kill; for the others, until they are back.
    async fn kill(&mut self, fault: Fault, kind: Kind, replicas: &[usize]) -> anyhow::Result<()> {
        self.work_is_under_way(kind, replicas).await?;
        let (began, running) = (Timestamp::now(), recovery::running(self.ground).await?);
        let (mut left, mut killed) = (Vec::new(), None);
        for replica in replicas {
            let process = self.fleet.member(kind, *replica);
            let instance = process.instance();
            process.kill().await;
            killed = killed.or_else(|| Some(Timestamp::now()));
            let mut jobs = running.len();
            if let (true, Some(instance)) = (kind.is_worker(), instance) {
                let leased = recovery::leased_by(self.ground, &instance).await?;
                jobs = leased.len();
                left.extend(leased);
            }
            self.count(kind.word(), jobs);
        }
        self.hold(0..4).await;
        for replica in replicas {
            self.fleet.member(kind, *replica).restart().await?;
        }
        if kind.is_worker() {
            self.note(fault, killed.unwrap_or(began), left);
            return Ok(());
        }
        self.fleet.ready_of(kind).await?;
        let end = Timestamp::now();
        let stopped = recovery::stopped(self.ground, began, &running).await?;
        self.note(fault, end, stopped);
        Ok(())
    }

    /// Waits until a worker that is to be killed has a job, anybody else until there is one somewhere; not for long.
    async fn work_is_under_way(&mut self, kind: Kind, replicas: &[usize]) -> anyhow::Result<()> {
        let start = Instant::now();
        while start.elapsed() < IN_FLIGHT_MAX {
            let mut jobs = 0;
            if kind.is_worker() {
                for replica in replicas {
                    if let Some(instance) = self.fleet.member(kind, *replica).instance() {
                        jobs += recovery::leased_by(self.ground, &instance).await?.len();
                    }
                }
            } else {
                jobs = recovery::running(self.ground).await?.len();
            }
            if jobs > 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    async fn freeze(&mut self, fault: Fault, kind: Kind) -> anyhow::Result<()> {
        let replica = self.dice.random_range(0..REPLICAS);
        self.work_is_under_way(kind, &[replica]).await?;
        self.fleet.member(kind, replica).signal("STOP").await?;
        let stopped_at = Timestamp::now();
        let left = match self.fleet.member(kind, replica).instance() {
            Some(instance) => recovery::leased_by(self.ground, &instance).await?,
            None => Vec::new(),
        };
        self.hold(FROZEN_S).await;
        self.fleet.member(kind, replica).signal("CONT").await?;
        self.note(fault, stopped_at, left);
        Ok(())
    }

    /// A fault of something that is not one of Sever's processes, or of all of them in turn; returns when it is over.
    async fn strike(&mut self, fault: Fault, running: usize) -> anyhow::Result<()> {
        let ground = self.ground;
        match fault {
            Fault::RollingRestart => return self.rolling_restart().await,
            Fault::BrokerKilled => {
                self.count("broker", running);
                ground.servers.rabbit.kill().await;
                self.hold(0..4).await;
                ground.servers.rabbit.restart().await?;
            }
            Fault::BrokerRestarted => ground.servers.rabbit.restart().await?,
            Fault::BrokerWiped => {
                let since = Instant::now().checked_sub(SENT_AGAIN);
                self.count("broker", running);
                ground.servers.rabbit.wipe().await?;
                ground.make_broker_user().await?;
                self.hr.send_again(since);
            }
            Fault::BrokerAlarm => {
                ground.servers.rabbit.set_alarm(true).await?;
                self.hold(3..8).await;
                ground.servers.rabbit.set_alarm(false).await?;
            }
            Fault::DatabaseKilled => {
                self.count("postgres", running);
                ground.servers.postgres.kill().await;
                self.hold(0..6).await;
                ground.servers.postgres.restart().await?;
            }
            Fault::DatabaseRestarted => ground.servers.postgres.restart().await?,
            Fault::ProviderErrors => self.provider_errors().await?,
            _ => self.break_link(fault).await,
        }
        Ok(())
    }

    async fn rolling_restart(&mut self) -> anyhow::Result<()> {
        for kind in Kind::ALL {
            for replica in 0..REPLICAS {
                let process = self.fleet.member(kind, replica);
                if !process.terminate().await {
                    let problem = format!("a {} did not end within its grace", kind.word());
                    self.problems.push(problem);
                }
                self.fleet.member(kind, replica).restart().await?;
                self.fleet.ready_of(kind).await?;
            }
        }
        Ok(())
    }

    async fn provider_errors(&mut self) -> anyhow::Result<()> {
        let effects = [
            json!({"status": 500}),
            json!({"status": 503}),
            json!({"status": 429, "reset_in_s": 1}),
            json!({"reset": true}),
            json!({"answer_lost": true}),
            json!({"status": 502, "after_effect": true}),
            json!({"hang_ms": 6000}),
        ];
        let rules: Vec<Value> = effects
            .into_iter()
            .map(|then| json!({"when": {}, "then": then, "probability": self.dice.random_range(0.005..0.04)}))
            .collect();
        let simulator = &self.ground.simulator;
        let ordered = simulator
            .control("POST", "/faults", &json!({"rules": rules}))
            .await?;
        self.hold(6..12).await;
        for id in ordered["ids"].as_array().into_iter().flatten() {
            let path = format!("/faults/{id}");
            self.ground
                .simulator
                .control("DELETE", &path, &Value::Null)
                .await?;
        }
        Ok(())
    }
}

#[expect(
    clippy::print_stdout,
    reason = "whoever watches a run sees what happens"
)]
fn say(started: Instant, what: &str) {
    println!("{:>6.1} s  {what}", started.elapsed().as_secs_f64());
}
