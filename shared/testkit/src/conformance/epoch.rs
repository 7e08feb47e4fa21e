//! One epoch of a job, as the worker's runtime runs it: resolve, contain, inspect, plan, waves, close.
//!
//! Memory is copied to the record where the runtime commits, and nowhere else: dropping the future at any call is a crash.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use sever_domain::closing::{Closing, Done, Verdict, judge, verdict};
use sever_domain::entitlement::{AccountReading, FamilyReading, FamilyResult};
use sever_domain::latecomer::{Late, late};
use sever_domain::plan::{Disposition, PlannedStep, check};
use sever_domain::seen::{Seen, seen};
use sever_domain::{
    AccountState, Action, EntitlementKind, Intent, StepEvent, StepState, SubjectKind,
};
use sever_provider::Connector;
use tokio::sync::Mutex;

use super::adaptor::Subject;
use super::judge::truths;
use super::record::Record;
use super::resolve::Known;
use super::settled::Settled;
use super::simulator::Instance;

/// How long a contrary read is not believed after the last answer.
const CONSISTENCY_MAX: Duration = Duration::from_millis(120);
const CONSISTENCY_WAIT: Duration = Duration::from_millis(15);
/// The most plans after the first, as in the runtime.
const REVISIONS_MAX: usize = 3;

/// What an epoch is about.
pub(super) struct Job<'a> {
    pub(super) kind: SubjectKind,
    pub(super) subject: &'a Subject,
    pub(super) instance: &'a Instance<'a>,
    /// Changes that happen once the first plan is stored, before its calls.
    pub(super) between: Mutex<Vec<Value>>,
    /// What that left behind: the truths right after it.
    pub(super) changed: Mutex<Option<Vec<Value>>>,
}

impl Job<'_> {
    /// The world changes between plan and apply.
    async fn change(&self) -> anyhow::Result<()> {
        for change in std::mem::take(&mut *self.between.lock().await) {
            self.instance.order("POST", "/mutate", &change).await?;
            *self.changed.lock().await = Some(truths(self.instance, self.subject).await?);
        }
        Ok(())
    }
}

/// An epoch at work.
pub(super) struct Epoch<'a, C> {
    pub(super) known: Arc<Known<C>>,
    pub(super) job: &'a Job<'a>,
    record: &'a mut Record,
    pub(super) memory: Record,
    pub(super) trouble: Option<Settled>,
    /// An answer was lost in this epoch.
    pub(super) lost: bool,
    pub(super) found: Option<sever_provider::Account>,
}

/// Runs one epoch to its settlement. Dropping the future leaves the record as it was last committed.
pub(super) async fn run<C: Connector>(
    known: Arc<Known<C>>,
    job: &Job<'_>,
    record: &mut Record,
) -> Settled {
    record.begin();
    let memory = record.clone();
    let mut epoch = Epoch {
        known,
        job,
        record,
        memory,
        trouble: None,
        lost: false,
        found: None,
    };
    let settled = epoch.work().await.unwrap_or_else(|settled| settled);
    epoch.commit();
    settled
}

impl<C: Connector> Epoch<'_, C> {
    pub(super) fn commit(&mut self) {
        self.record.clone_from(&self.memory);
    }

    async fn work(&mut self) -> Result<Settled, Settled> {
        self.resolve().await?;
        self.contain().await?;
        if self.memory.revision.is_none_or(|revision| revision == 0) {
            let reading = self.inspect().await?;
            self.learn_from(&reading);
            self.plan_on(&reading).await?;
        } else if self.memory.any_unknown() {
            let reading = self.inspect().await?;
            self.learn_from(&reading);
            self.commit();
        }
        loop {
            self.waves().await?;
            if let Some(settled) = self.close().await? {
                return Ok(settled);
            }
        }
    }

    /// Reads every family.
    async fn inspect(&mut self) -> Result<AccountReading, Settled> {
        let connector = &self.known.connector;
        let id = self
            .memory
            .account
            .as_deref()
            .filter(|_| !self.memory.absent);
        let Some(id) = id else {
            return Ok(AccountReading::absent(connector.families()));
        };
        let reading = connector
            .inspect(id)
            .await
            .map_err(|error| Settled::of(&error))?;
        if reading.account_state == AccountState::Absent {
            self.believe_absence().await?;
            self.memory.absent = true;
        }
        Ok(reading)
    }

    /// What a reading says of steps whose fate is unknown, and of planned ones that are gone already.
    fn learn_from(&mut self, reading: &AccountReading) {
        for position in 0..self.memory.steps.len() {
            let step = &self.memory.steps[position];
            match (step.state, seen(&step.planned, reading)) {
                (StepState::Unknown, Seen::NotDone | Seen::Unread) => {
                    self.memory.apply(position, StepEvent::ReadThere);
                }
                (StepState::Unknown | StepState::Planned, Seen::Done) if step.is_call() => {
                    self.memory.apply(position, StepEvent::ReadGone);
                }
                _ => {}
            }
        }
    }

    /// Plans on a reading and sends the plan's first wave. Whom an integration serves is counted first.
    async fn plan_on(&mut self, reading: &AccountReading) -> Result<(), Settled> {
        let connector = &self.known.connector;
        let steps = connector.plan(Intent::Remove, self.memory.binding, reading);
        let steps = self.without_told_tasks(steps);
        if let (SubjectKind::Integration, Some(id)) = (self.job.kind, &self.memory.account) {
            let counted = connector.blast_radius(id, reading).await;
            let counted = counted.map_err(|error| Settled::of(&error))?;
            if counted.last_sign_in_path {
                return Err(Settled::Held(
                    "the last way to sign in goes through it".to_owned(),
                ));
            }
        }
        self.store_plan(self.memory.revision.unwrap_or(0) + 1, steps)
            .await
    }

    /// A task that a person was asked before is not asked twice, unless a step of this plan waits for it.
    fn without_told_tasks(&self, steps: Vec<PlannedStep>) -> Vec<PlannedStep> {
        let needed: HashSet<usize> = steps.iter().flat_map(|step| step.needs.clone()).collect();
        let told = |position: usize, step: &PlannedStep| {
            self.memory.steps.iter().any(|known| {
                known.planned.target_kind == step.target_kind
                    && known.planned.target_key == step.target_key
                    && (known.state == StepState::Attested
                        || (known.state.waits_for_person() && !needed.contains(&position)))
            })
        };
        let mut moved: HashMap<usize, usize> = HashMap::new();
        let mut kept: Vec<PlannedStep> = Vec::with_capacity(steps.len());
        for (position, mut step) in steps.into_iter().enumerate() {
            if matches!(step.disposition, Disposition::Manual { .. }) && told(position, &step) {
                continue;
            }
            moved.insert(position, kept.len());
            step.needs = step
                .needs
                .iter()
                .filter_map(|needs| moved.get(needs).copied())
                .collect();
            kept.push(step);
        }
        kept
    }

    /// Stores a plan together with the intent of its first wave, and sends that.
    pub(super) async fn store_plan(
        &mut self,
        revision: usize,
        steps: Vec<PlannedStep>,
    ) -> Result<(), Settled> {
        check(&steps).map_err(|error| Settled::Dead(error.to_string()))?;
        self.memory.take_up(revision, steps);
        let wave: Vec<usize> = self.memory.wave();
        self.intend(&wave);
        if revision == 1 {
            let changed = self.job.change().await;
            changed.map_err(|error| Settled::Dead(format!("{error:#}")))?;
        }
        self.send(&wave).await;
        Ok(())
    }

    /// The look before a deletion: what came after the plan is planned first.
    pub(super) async fn overtaken(&mut self, wave: &[usize]) -> Result<bool, Settled> {
        let deletes =
            |position: &usize| self.memory.steps[*position].planned.action == Action::DeleteAccount;
        let (true, Some(id)) = (wave.iter().any(deletes), &self.memory.account) else {
            return Ok(false);
        };
        let connector = &self.known.connector;
        let look = connector.look_before_deletion(id).await;
        let Some(look) = look.map_err(|error| Settled::of(&error))? else {
            return Ok(false);
        };
        let failed = |family: &FamilyReading| family.result == FamilyResult::Failed;
        if look.families.iter().any(failed) {
            return Err(Settled::Wait(CONSISTENCY_WAIT));
        }
        let forbidden = |family: &FamilyReading| family.result == FamilyResult::Forbidden;
        if look.families.iter().any(forbidden) {
            let why = "a deletion would hide what may not be read".to_owned();
            return Err(Settled::Held(why));
        }
        let steps = self.memory.steps.iter();
        let steps = steps.map(|step| (&step.planned, step.state));
        let since = self
            .memory
            .last_answer
            .map_or(Duration::MAX, |last| last.elapsed());
        match late(connector, Intent::Remove, &look, steps) {
            Late::Nothing => return Ok(false),
            Late::Again if since < CONSISTENCY_MAX => {
                return Err(Settled::Wait(CONSISTENCY_WAIT.max(since)));
            }
            Late::Again | Late::New => {}
        }
        let plans = self.memory.revision.unwrap_or(0);
        if plans > REVISIONS_MAX * (1 + self.memory.released) {
            return Err(Settled::Held(format!("given more after {plans} plans")));
        }
        let reading = self.inspect().await?;
        self.learn_from(&reading);
        self.plan_on(&reading).await?;
        Ok(true)
    }

    /// Reads everything once more and judges it. `None`: a further plan was stored and its first wave sent.
    async fn close(&mut self) -> Result<Option<Settled>, Settled> {
        if self.lost {
            return Ok(Some(Settled::Wait(CONSISTENCY_WAIT)));
        }
        let reading = self.inspect().await?;
        let (answered, manual) = (self.memory.answered(), self.memory.manual());
        let done = Done {
            answered: &answered,
            manual: &manual,
        };
        let closing = judge(&self.known.connector, Intent::Remove, &reading, done);
        self.judge_steps(&reading, &closing);
        match verdict(std::slice::from_ref(&closing)) {
            Verdict::NothingLive => Ok(Some(Settled::Done)),
            Verdict::Asked => Ok(Some(Settled::Asked)),
            Verdict::Unread => Ok(Some(Settled::Retry(format!(
                "unread: {:?}",
                closing.unproven
            )))),
            Verdict::NeedsPerson => {
                let why = format!(
                    "blocked {:?}, unproven {:?}",
                    closing.blocked, closing.unproven
                );
                Ok(Some(Settled::Held(why)))
            }
            Verdict::Live => self.still_live(&reading, &closing).await,
        }
    }

    fn judge_steps(&mut self, reading: &AccountReading, closing: &Closing) {
        for position in 0..self.memory.steps.len() {
            let step = &self.memory.steps[position];
            let (kind, key, state) = (
                step.planned.target_kind,
                &step.planned.target_key,
                step.state,
            );
            let by_rule = closing.rules_used.iter().any(|used| used.family == kind);
            let inert = closing
                .inert
                .iter()
                .any(|it| it.kind == kind && it.provider_key == *key);
            let event = match seen(&step.planned, reading) {
                Seen::Done => Some(StepEvent::Proven),
                Seen::Unread if by_rule => Some(StepEvent::Proven),
                Seen::NotDone if inert && state != StepState::Inert => Some(StepEvent::RuledInert),
                Seen::NotDone | Seen::Unread => None,
            };
            let closed = matches!(state, StepState::Inert | StepState::Attested);
            if let Some(event) = event.filter(|event| *event != StepEvent::Proven || !closed) {
                self.memory.apply(position, event);
            }
        }
    }

    /// Something that must go is there: looked at again for a while, then the next plan.
    async fn still_live(
        &mut self,
        reading: &AccountReading,
        closing: &Closing,
    ) -> Result<Option<Settled>, Settled> {
        let since = self
            .memory
            .last_answer
            .map_or(Duration::MAX, |last| last.elapsed());
        if since < CONSISTENCY_MAX {
            return Ok(Some(Settled::Wait(
                CONSISTENCY_WAIT.max(since).min(CONSISTENCY_MAX),
            )));
        }
        let blocked = self.memory.steps.iter().any(|step| {
            step.planned.target_kind == EntitlementKind::Account
                && step.planned.action == sever_domain::Action::Leave
                && step.state == StepState::Blocked
        });
        let plans = self.memory.revision.unwrap_or(0);
        if blocked || plans > REVISIONS_MAX * (1 + self.memory.released) {
            let failed = |family: &&sever_domain::entitlement::FamilyReading| {
                family.result != FamilyResult::Complete
            };
            let unread: Vec<_> = reading
                .families
                .iter()
                .filter(failed)
                .map(|it| it.family)
                .collect();
            let why = format!(
                "still live after {plans} plans: {:?}; not read: {unread:?}",
                closing.live
            );
            return Ok(Some(Settled::Held(why)));
        }
        self.plan_on(reading).await?;
        Ok(None)
    }
}
