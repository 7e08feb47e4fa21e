//! What the database would hold of one job: everything that outlives a crash.

use std::collections::HashSet;
use std::time::Instant;

use serde_json::{Value, json};
use sever_domain::closing::ManualStep;
use sever_domain::plan::{Disposition, PlannedStep, WaveStep, next_wave};
use sever_domain::{Action, BindingId, StepEvent, StepState};

/// The most steps of one wave, as in the runtime.
const WAVE_MAX: usize = 64;

/// One step at work.
#[derive(Debug, Clone)]
pub(super) struct Working {
    pub(super) planned: PlannedStep,
    pub(super) state: StepState,
    /// The plan that it belongs to; 0 is the containment.
    pub(super) revision: usize,
    /// A newer plan took its place: never sent again, still proven at the close.
    pub(super) superseded: bool,
    /// It was sent in this epoch: one call for each step and epoch.
    pub(super) tried: bool,
}

impl Working {
    /// Whether a call of ours can end it.
    pub(super) fn is_call(&self) -> bool {
        !self.superseded && self.planned.action != Action::Leave
    }
}

/// A job as it is stored.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) binding: BindingId,
    /// The confirmed account; `None` until one is found.
    pub(super) account: Option<String>,
    /// A strongly consistent lookup found nothing, and the canary held.
    pub(super) absent: bool,
    pub(super) steps: Vec<Working>,
    /// The newest plan; `None` before containing.
    pub(super) revision: Option<usize>,
    pub(super) last_answer: Option<Instant>,
    /// How often a person has let the job go on although something was still live; each is worth as many plans again.
    pub(super) released: usize,
    /// Every word by which a write may name its object: the account, and the targets and facts of every plan.
    pub(super) words: HashSet<String>,
    /// Transitions that the step's state machine does not know: defects.
    pub(super) impossible: Vec<String>,
}

impl Record {
    /// A job at which nothing has happened; `account` where the id is recorded already.
    pub(super) fn new(account: Option<String>) -> Self {
        Self {
            binding: BindingId::generate(),
            account,
            absent: false,
            steps: Vec::new(),
            revision: None,
            last_answer: None,
            released: 0,
            words: HashSet::new(),
            impossible: Vec::new(),
        }
    }

    /// Moves a step.
    pub(super) fn apply(&mut self, position: usize, event: StepEvent) {
        let step = &mut self.steps[position];
        match step.state.after(event) {
            Ok(next) => step.state = next,
            Err(error) => self.impossible.push(format!(
                "{} of {}: {error}",
                step.planned.action, step.planned.target_key
            )),
        }
    }

    /// An epoch begins: what an earlier one was sending when it ended has an unknown fate.
    pub(super) fn begin(&mut self) {
        for position in 0..self.steps.len() {
            self.steps[position].tried = false;
            if self.steps[position].state == StepState::Applying {
                self.apply(position, StepEvent::Lost);
            }
        }
    }

    /// Takes up a plan. Steps of an older one stay to be proven; the containment stays as it is.
    pub(super) fn take_up(&mut self, revision: usize, planned: Vec<PlannedStep>) {
        self.steps.retain(|step| {
            step.revision == 0 || !step.state.is_closed() || step.state == StepState::Attested
        });
        for step in &mut self.steps {
            step.superseded |= step.revision != 0;
            step.planned.needs.clear();
        }
        let offset = self.steps.len();
        for mut planned in planned {
            self.words.extend(parts(&planned.target_key));
            texts(&planned.facts, &mut self.words);
            planned.needs.iter_mut().for_each(|needs| *needs += offset);
            let state = match planned.disposition {
                Disposition::MustGo | Disposition::Inert { .. } => StepState::Planned,
                Disposition::Blocked { .. } => StepState::Blocked,
                Disposition::Manual { .. } => StepState::Asked,
            };
            self.steps.push(Working {
                planned,
                state,
                revision,
                superseded: false,
                tried: false,
            });
        }
        self.revision = Some(revision);
    }

    /// The calls that can go now: their needs are answered, and they were not tried in this epoch.
    pub(super) fn wave(&self) -> Vec<usize> {
        let steps: Vec<WaveStep> = self
            .steps
            .iter()
            .map(|step| WaveStep {
                state: step.state,
                class: step.planned.class,
                needs: step.planned.needs.clone(),
            })
            .collect();
        next_wave(&steps, |_| true)
            .into_iter()
            .filter(|at| self.steps[*at].is_call() && !self.steps[*at].tried)
            .take(WAVE_MAX)
            .collect()
    }

    /// Whether every call has been answered that does not wait for a person.
    pub(super) fn all_answered(&self) -> bool {
        let mut asked: Vec<bool> = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let behind = step.state == StepState::Planned
                && step.planned.needs.iter().any(|needs| asked[*needs]);
            asked.push(step.state.waits_for_person() || behind);
        }
        let open = |(step, asked): (&Working, &bool)| {
            step.is_call() && !asked && !step.state.lets_others_go()
        };
        !self.steps.iter().zip(&asked).any(open)
    }

    /// Whether a call's fate is unknown.
    pub(super) fn any_unknown(&self) -> bool {
        self.steps
            .iter()
            .any(|step| step.state == StepState::Unknown && !step.superseded)
    }

    /// The manual steps, open and attested.
    pub(super) fn manual(&self) -> Vec<ManualStep<'_>> {
        let of_person =
            |step: &&Working| step.state.waits_for_person() || step.state == StepState::Attested;
        let steps = self.steps.iter().filter(of_person);
        steps
            .map(|step| ManualStep {
                kind: step.planned.target_kind,
                key: &step.planned.target_key,
                attested: step.state == StepState::Attested,
            })
            .collect()
    }

    /// The actions that the provider answered. A session cut counts only where what it waited for was answered too.
    pub(super) fn answered(&self) -> Vec<Action> {
        let done = |step: &Working| matches!(step.state, StepState::Applied | StepState::Verified);
        let in_time = |step: &Working| {
            let needs = step.planned.needs.iter();
            step.planned.action != Action::RevokeSessions
                || (needs.clone().all(|needs| done(&self.steps[*needs]))
                    && step.planned.facts["sign_in_blocked"] != json!(false))
        };
        let counts = |step: &&Working| done(step) && in_time(step);
        self.steps
            .iter()
            .filter(counts)
            .map(|step| step.planned.action)
            .collect()
    }

    /// Two people say that every open task is done.
    pub(super) fn attest(&mut self) {
        for position in 0..self.steps.len() {
            if self.steps[position].state.waits_for_person() {
                self.apply(position, StepEvent::Asserted);
                self.apply(position, StepEvent::Confirmed);
            }
        }
    }
}

/// A key, and its parts where it is made of several ids.
fn parts(key: &str) -> impl Iterator<Item = String> + '_ {
    let of_ids = |at: char| matches!(at, ':' | '/' | '|' | ' ' | ',' | '#');
    key.split(of_ids)
        .chain([key])
        .filter(|part| part.len() > 2)
        .map(str::to_owned)
}

fn texts(value: &Value, into: &mut HashSet<String>) {
    match value {
        Value::String(text) => into.extend(parts(text)),
        Value::Array(items) => items.iter().for_each(|item| texts(item, into)),
        Value::Object(members) => members.values().for_each(|member| texts(member, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
