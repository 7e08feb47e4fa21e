//! The steps of a job in memory: what the database holds, and what this epoch has found out since.

use std::collections::HashMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sever_domain::intent::Allowance;
use sever_domain::plan::{Disposition, WaveStep, next_wave};
use sever_domain::{Action, Grade, StepClass, StepEvent, StepId, StepState};
use sever_store::job::{Affected, NewPlan, NewStep, StepChange, StepName, StoredStep};

/// One step at work.
#[derive(Debug, Clone)]
pub(crate) struct Working {
    pub(crate) step: StoredStep,
    /// The state in memory; `step.state` is the one in the database.
    pub(crate) state: StepState,
    /// Whether a newer plan took its place: it is never sent again, and still proven at the close.
    pub(crate) superseded: bool,
    /// Whether it was sent in this epoch: one call for each step and epoch.
    pub(crate) tried: bool,
    pub(crate) reason: Option<String>,
    pub(crate) grade: Option<Grade>,
    pub(crate) verified_at: Option<Timestamp>,
    pub(crate) residual_until: Option<Timestamp>,
}

impl Working {
    fn new(step: StoredStep) -> Self {
        Self {
            state: step.state,
            step,
            superseded: false,
            tried: false,
            reason: None,
            grade: None,
            verified_at: None,
            residual_until: None,
        }
    }

    /// Moves the step; an event that its state does not know is a defect and leaves it where it is.
    pub(crate) fn apply(&mut self, event: StepEvent) {
        match self.state.after(event) {
            Ok(next) => self.state = next,
            Err(error) => {
                tracing::error!(step = %self.step.id, %error, "an impossible step transition was asked for; the step stays")
            }
        }
    }

    /// Whether a call of ours can end it.
    pub(crate) fn is_call(&self) -> bool {
        !self.superseded && self.step.planned.action != Action::Leave
    }

    fn change(&self) -> Option<StepChange> {
        let changed = self.state != self.step.state || self.residual_until.is_some();
        changed.then(|| StepChange {
            step: self.step.id,
            expected: self.step.state,
            next: self.state,
            reason: self.reason.clone(),
            grade: self.grade,
            verified_at: self.verified_at,
            residual_until: self.residual_until,
        })
    }
}

/// What stands before one-way steps: a delay from the plan on, and by policy a person's release. The last steps of a job
/// that needs others wait for those.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fence {
    pub(crate) now: Timestamp,
    /// Whether a release is wanted and has not been given.
    pub(crate) unapproved: bool,
    /// Whether other jobs must be closed before the last steps of this one.
    pub(crate) needs_open: bool,
}

impl Fence {
    /// Whether these steps wait for other jobs.
    pub(crate) fn waits_for_jobs(self, class: StepClass) -> bool {
        self.needs_open && class == StepClass::Final
    }

    fn stands_before(self, step: &StoredStep) -> bool {
        self.waits_for_jobs(step.planned.class) || self.stands_by_policy(step)
    }

    /// Whether a delay or a missing release keeps the step back.
    pub(crate) fn stands_by_policy(self, step: &StoredStep) -> bool {
        (self.unapproved && step.planned.is_fenced())
            || step.fence_until.is_some_and(|until| until > self.now)
    }
}

/// All steps that this epoch works on.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    pub(crate) list: Vec<Working>,
    pub(crate) names: HashMap<StepId, StepName>,
}

impl Steps {
    pub(crate) fn stored(steps: &[StoredStep], plan_revision: i32) -> Self {
        let mut all = Self::default();
        for step in steps {
            all.push(step.clone());
        }
        for working in &mut all.list {
            working.superseded =
                working.step.revision != 0 && working.step.revision < plan_revision;
        }
        all
    }

    fn push(&mut self, step: StoredStep) {
        let name = StepName {
            action: step.planned.action,
            target_kind: step.planned.target_kind,
            target_key: step.planned.target_key.clone(),
        };
        self.names.insert(step.id, name);
        self.list.push(Working::new(step));
    }

    /// Takes up a plan that was just stored. The containing steps stay beside it, and of an older plan what
    /// is still to be proven.
    pub(crate) fn take_up(&mut self, plan: NewPlan, intended: &[StepId], now: Timestamp) {
        self.list.retain(|working| {
            working.step.revision == 0
                || !working.state.is_closed()
                || working.state == StepState::Attested
        });
        for working in &mut self.list {
            working.superseded |= working.step.revision != 0;
            working.step.planned.needs.clear();
        }
        let offset = self.list.len();
        for new in plan.steps {
            let mut planned = new.planned;
            planned.needs = planned.needs.iter().map(|needs| needs + offset).collect();
            let state = if intended.contains(&new.id) {
                StepState::Applying
            } else {
                new.state
            };
            self.push(StoredStep {
                id: new.id,
                revision: plan.revision,
                state,
                effects: 0,
                fence_until: new.fence.and_then(|fence| {
                    SignedDuration::try_from(fence)
                        .ok()
                        .and_then(|fence| now.checked_add(fence).ok())
                }),
                planned,
            });
        }
    }

    /// Names the steps of a plan that is about to be stored, so that its audit events can.
    pub(crate) fn name(&mut self, plan: &NewPlan) {
        for new in &plan.steps {
            let name = StepName {
                action: new.planned.action,
                target_kind: new.planned.target_kind,
                target_key: new.planned.target_key.clone(),
            };
            self.names.insert(new.id, name);
        }
    }

    /// The positions that can go now: calls not yet tried in this epoch, whose needs are answered.
    pub(crate) fn wave(&self, allowance: Allowance, fence: Fence) -> Vec<usize> {
        let steps: Vec<WaveStep> = self
            .list
            .iter()
            .map(|working| WaveStep {
                state: working.state,
                class: working.step.planned.class,
                needs: working.step.planned.needs.clone(),
            })
            .collect();
        let can = |position: &usize| {
            let working = &self.list[*position];
            let planned = &working.step.planned;
            working.is_call()
                && !working.tried
                && !fence.stands_before(&working.step)
                && allowance.allows(planned.class, planned.reversibility)
        };
        next_wave(&steps, |class| allowance.allows_class(class))
            .into_iter()
            .filter(can)
            .collect()
    }

    /// The steps that only the fence keeps back.
    pub(crate) fn fenced(&self, fence: Fence) -> impl Iterator<Item = &Working> {
        self.list.iter().filter(move |working| {
            working.is_call()
                && working.state == StepState::Planned
                && fence.stands_before(&working.step)
        })
    }

    /// Whether every call has been answered that does not wait for a person.
    pub(crate) fn all_answered(&self) -> bool {
        let asked = self.wait_for_person();
        self.list
            .iter()
            .zip(asked)
            .filter(|(working, asked)| working.is_call() && !asked)
            .all(|(working, _)| working.state.lets_others_go())
    }

    /// By position: whether a step is a task, or cannot be sent before a person has done one.
    fn wait_for_person(&self) -> Vec<bool> {
        let mut asked = Vec::with_capacity(self.list.len());
        for working in &self.list {
            let behind_task = working.state == StepState::Planned
                && working.step.planned.needs.iter().any(|needs| asked[*needs]);
            asked.push(working.state.waits_for_person() || behind_task);
        }
        asked
    }

    /// Whether a call's fate is unknown.
    pub(crate) fn any_unknown(&self) -> bool {
        self.list
            .iter()
            .any(|working| working.state == StepState::Unknown && !working.superseded)
    }

    /// What has changed since the last transaction.
    pub(crate) fn changes(&self) -> Vec<StepChange> {
        self.list.iter().filter_map(Working::change).collect()
    }

    /// The last transaction committed: the database knows what memory knows.
    pub(crate) fn committed(&mut self, intended: &[StepId]) {
        for working in &mut self.list {
            if intended.contains(&working.step.id) {
                working.state = StepState::Applying;
            }
            working.step.state = working.state;
            working.residual_until = None;
        }
    }
}

/// A plan as it is stored: inert and blocked steps are so from the start.
pub(crate) fn new_plan(
    revision: i32,
    planned: Vec<sever_domain::plan::PlannedStep>,
    affected: Option<Affected>,
    fence_delay: Duration,
) -> NewPlan {
    let steps = planned
        .into_iter()
        .map(|planned| {
            let (state, reason) = match &planned.disposition {
                Disposition::MustGo => (StepState::Planned, None),
                // A rule counts only once the closing inspection has verified the account's state.
                Disposition::Inert { .. } => (StepState::Planned, None),
                Disposition::Blocked { reason } => (StepState::Blocked, Some(reason.clone())),
                Disposition::Manual { .. } => (StepState::Asked, None),
            };
            NewStep {
                id: StepId::generate(),
                state,
                reason,
                fence: (planned.is_fenced() && !fence_delay.is_zero()).then_some(fence_delay),
                planned,
            }
        })
        .collect();
    NewPlan {
        revision,
        steps,
        affected,
    }
}
