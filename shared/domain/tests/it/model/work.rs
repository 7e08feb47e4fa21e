//! An epoch at work: intent, calls, answers, closing inspection, settle; each a step that a fault can come between.

use std::time::Duration;

use sever_domain::breaker::Heard;
use sever_domain::closing::{Closing, Remaining, Unproven, Verdict, verdict};
use sever_domain::entitlement::FamilyResult;
use sever_domain::intent::{IntentDecision, IntentFacts, decide};
use sever_domain::plan::{Disposition, WaveStep, next_wave};
use sever_domain::{
    EntitlementKind, JobEvent, JobState, OutcomeClass, StepClass, StepEvent, StepState, retry,
};

use super::run::Rule;
use super::world::{CALL_MAX_MS, Call, Effect, Epoch, FRESH_MS, LEASE_MS, Phase, Settle, World};

/// As the product's: 28 hours, and as many tries as make them 28 hours of trying.
const BUDGET_H: u64 = 28;

impl World {
    /// One step of one worker that has an epoch.
    pub fn work(&mut self) -> Result<(), String> {
        let busy: Vec<usize> = (0..self.workers.len())
            .filter(|at| self.workers[*at].epoch.is_some())
            .collect();
        if busy.is_empty() {
            return Ok(());
        }
        let at = busy[self.random.below(busy.len())];
        let mut epoch = self.workers[at].epoch.take().unwrap();
        let phase = std::mem::replace(&mut epoch.phase, Phase::Open);
        let next = match phase {
            Phase::Open => self.intend(&mut epoch)?,
            Phase::Intended(steps) => Some(self.start_calls(at, &mut epoch, steps)),
            Phase::Calling(steps) => Some(self.answers(&mut epoch, &steps)),
            Phase::Inspect => Some(self.inspect(&mut epoch)),
            Phase::Settle(settle) => {
                self.settle(&mut epoch, settle)?;
                None
            }
        };
        if let Some(phase) = next {
            epoch.phase = phase;
            self.workers[at].epoch = Some(epoch);
        }
        Ok(())
    }

    /// Whether a write with this epoch's lease is taken.
    fn holds_lease(&self, epoch: &Epoch) -> bool {
        let job = &self.jobs[epoch.job];
        if self.is_broken(Rule::Fencing) {
            return job.state == JobState::Running;
        }
        job.state == JobState::Running && job.epoch == epoch.epoch && job.token == epoch.token
    }

    fn record(&mut self, epoch: &mut Epoch) -> Result<(), String> {
        let job = &mut self.jobs[epoch.job];
        for (step, event) in epoch.learnt.drain(..) {
            job.step(step, event)?;
            job.blind[step] &= event == StepEvent::Lost;
        }
        for effect in epoch.answered.drain(..) {
            job.effects[effect].answered = true;
        }
        if let Some(proof) = epoch.proof.take() {
            job.proof = Some(proof);
        }
        Ok(())
    }

    /// The intent transaction. `None` where the epoch is abandoned.
    fn intend(&mut self, epoch: &mut Epoch) -> Result<Option<Phase>, String> {
        if !self.holds_lease(epoch) {
            return Ok(None);
        }
        self.record(epoch)?;
        if let Some(settle) = self.find_out(epoch)? {
            return Ok(Some(Phase::Settle(settle)));
        }
        if self.faults && self.random.percent(2) {
            return Ok(Some(Phase::Settle(Settle::Drain)));
        }
        let (id, job) = (epoch.job, &self.jobs[epoch.job]);
        let facts = IntentFacts {
            same_incarnation: true,
            same_subject_version: true,
            same_revision: job.revision == epoch.revision,
            in_force: true,
            connection_open: self.connection_open,
            blocked_until: self.blocked_until,
            holds: Vec::new(),
            now: self.now,
        };
        match decide(&facts) {
            IntentDecision::Go(_) => {}
            IntentDecision::PlanAgain => return Ok(Some(Phase::Settle(Settle::Wait(0)))),
            IntentDecision::NotNow(_) => return Ok(Some(Phase::Settle(Settle::Wait(1_000)))),
            IntentDecision::StaleWorker | IntentDecision::NotInForce => {
                return Err("nobody said so".to_owned());
            }
        }
        let wave: Vec<WaveStep> = (0..job.steps.len())
            .map(|step| WaveStep {
                state: job.steps[step],
                class: StepClass::Revoke,
                needs: if job.chained[step] {
                    vec![step - 1]
                } else {
                    vec![]
                },
            })
            .collect();
        let wave = next_wave(&wave, |_| true);
        if wave.is_empty() {
            return Ok(Some(Phase::Inspect));
        }
        let until = self.later(LEASE_MS);
        let (now, skips) = (self.now, self.is_broken(Rule::Intent));
        let job = &mut self.jobs[id];
        if epoch.attempt.is_none() {
            job.attempt += 1;
            job.attempts.push(job.attempt);
            epoch.attempt = Some(job.attempt);
        }
        job.lease_until = Some(until);
        for step in &wave {
            if std::mem::replace(&mut job.blind[*step], true) {
                return Err("blind: a call was repeated without a read".to_owned());
            }
            job.step(*step, StepEvent::Intend)?;
            if !skips {
                job.effects.push(Effect {
                    step: *step,
                    epoch: epoch.epoch,
                    intent_at: now,
                    answered: false,
                });
            }
        }
        Ok(Some(Phase::Intended(wave)))
    }

    /// What an earlier epoch left unknown is read before anything is sent.
    fn find_out(&mut self, epoch: &Epoch) -> Result<Option<Settle>, String> {
        let id = epoch.job;
        let unknown: Vec<usize> = (0..self.jobs[id].steps.len())
            .filter(|step| self.jobs[id].steps[*step] == StepState::Unknown)
            .collect();
        if unknown.is_empty() {
            return Ok(None);
        }
        if let Some(settle) = self.fault_of_call(id) {
            return Ok(Some(settle));
        }
        for step in unknown {
            let there = self.provider.live.contains(&(id, step));
            let event = if there {
                StepEvent::ReadThere
            } else {
                StepEvent::ReadGone
            };
            self.jobs[id].step(step, event)?;
            self.jobs[id].blind[step] = false;
        }
        Ok(None)
    }

    fn start_calls(&mut self, worker: usize, epoch: &mut Epoch, steps: Vec<usize>) -> Phase {
        if self.mono - self.workers[worker].beat_mono >= FRESH_MS {
            let unsent = steps.iter().map(|step| (*step, StepEvent::NotApplied));
            epoch.learnt.extend(unsent);
            epoch.answered.extend(self.effects_of(epoch, &steps));
            return Phase::Settle(Settle::Wait(2_000));
        }
        let until_mono = self.mono + CALL_MAX_MS;
        for step in &steps {
            self.provider.under_way.push(Call {
                job: epoch.job,
                step: *step,
                epoch: epoch.epoch,
                until_mono,
            });
        }
        Phase::Calling(steps)
    }

    fn effects_of(&self, epoch: &Epoch, steps: &[usize]) -> Vec<usize> {
        let effects = self.jobs[epoch.job].effects.iter().enumerate();
        effects
            .filter(|(_, effect)| effect.epoch == epoch.epoch && steps.contains(&effect.step))
            .map(|(at, _)| at)
            .collect()
    }

    /// How a call or read of this job fails now, if it does; the breaker hears of it.
    fn fault_of_call(&mut self, id: usize) -> Option<Settle> {
        let fault = if !self.provider.credential && self.provider.up {
            Some(Settle::Credentials)
        } else if !self.provider.up || (self.faults && self.jobs[id].poisoned) {
            Some(Settle::Retry)
        } else if self.faults && self.random.percent(8) {
            Some(Settle::RetryAt(5_000))
        } else if self.faults && self.random.percent(8) {
            Some(Settle::Retry)
        } else {
            None
        };
        let failed = matches!(fault, Some(Settle::Retry));
        let heard = Heard {
            answered: i64::from(!failed),
            failed: i64::from(failed),
        };
        let wait = |nth: u32| Duration::from_secs(10 << nth.min(5));
        self.breaker = self.breaker.heard(heard, self.now, wait);
        fault
    }

    fn answers(&mut self, epoch: &mut Epoch, steps: &[usize]) -> Phase {
        let mut trouble = None;
        for step in steps {
            let fault = self.fault_of_call(epoch.job);
            let at = self.provider.under_way.iter().position(|call| {
                call.job == epoch.job && call.step == *step && call.epoch == epoch.epoch
            });
            // A call that arrived late before its worker looked, or whose deadline is over: no answer came.
            let Some(at) = at else {
                epoch.learnt.push((*step, StepEvent::Lost));
                trouble = Some(Settle::Retry);
                continue;
            };
            let lost = self.random.percent(15) && self.faults;
            let event = match &fault {
                None | Some(Settle::Retry) if lost => StepEvent::Lost,
                None => StepEvent::Answered,
                Some(_) => StepEvent::NotApplied,
            };
            if event != StepEvent::Lost {
                self.provider.under_way.swap_remove(at);
                let effects = self.effects_of(epoch, &[*step]);
                epoch.answered.extend(effects);
            }
            if event == StepEvent::Answered {
                self.write_at_provider(epoch.job, *step, epoch.epoch);
                epoch.progressed = true;
            }
            epoch.learnt.push((*step, event));
            let lost = (event == StepEvent::Lost).then_some(Settle::Retry);
            trouble = trouble.or(fault).or(lost);
        }
        trouble.map_or(Phase::Open, Phase::Settle)
    }

    fn inspect(&mut self, epoch: &mut Epoch) -> Phase {
        let (id, now) = (epoch.job, self.now);
        let quiet_ms = FRESH_MS + CALL_MAX_MS;
        let under_way = |effect: &&Effect| !effect.answered && effect.epoch < epoch.epoch;
        let mut unanswered = self.jobs[id].effects.iter().filter(under_way);
        let early = unanswered
            .any(|effect| now.duration_since(effect.intent_at).as_millis() < i128::from(quiet_ms));
        if early {
            return Phase::Settle(Settle::Wait(quiet_ms));
        }
        if let Some(settle) = self.fault_of_call(id) {
            return Phase::Settle(settle);
        }
        let closing = self.closing(id);
        let proven = verdict(std::slice::from_ref(&closing));
        if self.is_broken(Rule::Proof) {
            return Phase::Settle(Settle::Done);
        }
        epoch.proof = Some((self.seq, proven == Verdict::NothingLive));
        match proven {
            Verdict::NothingLive => {
                let steps = self.jobs[id].steps.iter().enumerate();
                let verified = |(step, _)| (step, StepEvent::Proven);
                epoch.learnt.extend(steps.map(verified));
                Phase::Settle(Settle::Done)
            }
            Verdict::Live => {
                let live = (0..self.jobs[id].steps.len())
                    .filter(|step| self.provider.live.contains(&(id, *step)));
                epoch
                    .learnt
                    .extend(live.map(|step| (step, StepEvent::ReadThere)));
                self.jobs[id].replans += 1;
                if self.jobs[id].replans > 3 {
                    Phase::Settle(Settle::Hold)
                } else {
                    Phase::Open
                }
            }
            Verdict::Unread => Phase::Settle(Settle::Wait(1_000)),
            Verdict::NeedsPerson | Verdict::Asked => Phase::Settle(Settle::Hold),
        }
    }

    /// What the closing inspection sees. A reading is whole, or says that it is not.
    fn closing(&mut self, id: usize) -> Closing {
        let mut closing = Closing::default();
        for step in 0..self.jobs[id].steps.len() {
            if self.provider.live.contains(&(id, step)) {
                closing.live.push(Remaining {
                    kind: EntitlementKind::Group,
                    provider_key: step.to_string(),
                    disposition: Disposition::MustGo,
                });
            }
        }
        if self.faults && self.random.percent(10) {
            closing.live.clear();
            closing.unproven.push(Unproven {
                family: EntitlementKind::Group,
                result: FamilyResult::Failed,
                detail: None,
            });
        }
        closing
    }

    fn settle(&mut self, epoch: &mut Epoch, settle: Settle) -> Result<(), String> {
        if !self.holds_lease(epoch) {
            return Ok(());
        }
        self.record(epoch)?;
        let (now, random) = (self.now, self.random.below(1_000));
        let changed = self.jobs[epoch.job].revision != epoch.revision;
        let settle = match settle {
            Settle::Done | Settle::Wait(_) | Settle::Retry if changed => Settle::Wait(0),
            other => other,
        };
        let over = matches!(settle, Settle::Retry) && self.is_over_budget(epoch.job);
        let open = self.breaker.open_for(now);
        let spends = settle.class().spends_attempt() || self.is_broken(Rule::WaitIsFree);
        let job = &mut self.jobs[epoch.job];
        if epoch.attempt.is_none() && spends {
            job.attempt += 1;
            job.attempts.push(job.attempt);
            if !settle.class().spends_attempt() {
                return Err("waiting: it cost an attempt".to_owned());
            }
        }
        job.unsettled = 0;
        job.rung_at = None;
        let failing = settle.class() == OutcomeClass::Retry;
        if failing && (epoch.progressed || job.failing_since.is_none()) {
            (job.failing_since, job.failures, job.failing_open) = (Some(now), 1, open);
        } else if failing {
            job.failures += 1;
        } else if epoch.progressed || settle.class() == OutcomeClass::Done {
            (job.failing_since, job.failures) = (None, 0);
        }
        let due = |ms: i64| Some(now + jiff::SignedDuration::from_millis(ms));
        match settle {
            Settle::Done => job.go(JobEvent::Prove)?,
            Settle::Hold => {
                job.held_by = true;
                job.go(JobEvent::Hold)?;
            }
            Settle::Wait(ms) | Settle::RetryAt(ms) => {
                job.go(JobEvent::Wait)?;
                job.due_at = due(ms);
            }
            Settle::Retry if over => {
                job.go(JobEvent::DeadLetter)?;
                (job.letter, job.over_budget) = (true, true);
            }
            Settle::Retry => {
                job.go(JobEvent::Retry)?;
                let step = 1_000_i64 << job.failures.min(10);
                job.due_at = due(step.min(600_000) - i64::try_from(random).unwrap());
            }
            Settle::Drain => {
                job.go(JobEvent::Drain)?;
                job.due_at = due(0);
            }
            Settle::Credentials => {
                job.go(JobEvent::Credentials)?;
                self.connection_open = false;
            }
        }
        if let Settle::RetryAt(ms) = settle {
            self.blocked_until = self.blocked_until.max(due(ms));
        }
        Ok(())
    }

    /// Whether a job has failed for so long that a person must look.
    fn is_over_budget(&self, id: usize) -> bool {
        let open_now = if self.is_broken(Rule::Outage) {
            jiff::SignedDuration::ZERO
        } else {
            self.breaker.open_for(self.now)
        };
        let job = &self.jobs[id];
        let failing = retry::failing_for(job.failing_since, self.now, job.failing_open, open_now);
        let budget = Duration::from_secs(3600 * BUDGET_H);
        retry::is_too_much(failing.unsigned_abs(), job.failures, budget)
    }
}
