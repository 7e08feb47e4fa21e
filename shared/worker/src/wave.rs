//! Waves: the calls whose intent is committed, sent together, and what their answers mean.

use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::json;
use sever_domain::intent::Allowance;
use sever_domain::plan::{WaveStep, next_wave};
use sever_domain::{HoldPolicy, HoldReason, JobKind, OutcomeClass, StepEvent, StepId, StepState};
use sever_provider::{Answer, AnswerKind, CallError, Connector, Effect, Sent};
use sever_store::job::{
    EffectAnswer, EffectOutcome, HoldRequest, IntendedStep, NewPlan, Settlement,
};
use sever_telemetry::catalogue;

use crate::epoch::{End, Epoch};
use crate::steps::Fence;
use crate::trouble::{self, graver};

/// The most steps of one wave: a bound on what may be unknown after a crash, and on the time between an
/// intent and its call.
const WAVE_MAX: usize = 64;

/// What a job waits for whose last steps come after other jobs: the word by which the next claim knows it.
const NEEDS: &str = "needs";
/// How soon such a job looks again by itself; the settle that closes the last of the others rings it.
const NEEDS_RECHECK: Duration = Duration::from_secs(15);

/// One call and its answer.
struct Sending {
    position: usize,
    began: Instant,
    ended: Instant,
    answer: Result<Answer, CallError>,
}

impl<C: Connector> Epoch<'_, C> {
    /// Sends wave after wave, until nothing more can go. Trouble ends it, after the steps that do not
    /// depend on what failed.
    pub(crate) async fn waves(&mut self) -> Result<(), End> {
        loop {
            self.may_go_on()?;
            let positions = self.next_positions();
            if positions.is_empty() {
                break;
            }
            if self.overtaken(&positions).await? {
                continue;
            }
            let intended = self.advance(None, self.intents(&positions)).await?;
            self.send(&intended).await?;
        }
        if let Some(settlement) = self.trouble.take() {
            return Err(End::Settle(settlement));
        }
        if let Some(fenced) = self.behind_fence() {
            return Err(End::Settle(fenced));
        }
        if !self.steps.all_answered() {
            // Only a hold leaves planned calls behind without trouble.
            return Err(End::Settle(Settlement::StoppedByHold));
        }
        Ok(())
    }

    fn next_positions(&self) -> Vec<usize> {
        let mut wave = self.steps.wave(self.allowance, self.fence());
        wave.truncate(WAVE_MAX);
        wave
    }

    fn fence(&self) -> Fence {
        Fence {
            now: self.clock.now(),
            unapproved: self.claimed.fence_approval
                && self.claimed.kind == JobKind::OptOut
                && !self.claimed.released.contains(&HoldReason::Fence),
            needs_open: self.claimed.needs_open,
        }
    }

    /// One-way steps wait for their time, or for a person.
    fn behind_fence(&self) -> Option<Settlement> {
        let fence = self.fence();
        let fenced: Vec<_> = self
            .steps
            .fenced(fence)
            .map(|working| &working.step)
            .collect();
        if fenced.is_empty() || self.allowance != Allowance::Everything {
            return None;
        }
        let waiting: Vec<_> = fenced
            .into_iter()
            .filter(|step| fence.stands_by_policy(step))
            .collect();
        if waiting.is_empty() {
            return Some(Settlement::Wait {
                why: NEEDS,
                after: NEEDS_RECHECK,
            });
        }
        let until = waiting.iter().filter_map(|step| step.fence_until).min();
        if let Some(until) = until.filter(|until| *until > fence.now) {
            return Some(Settlement::Wait {
                why: "fence",
                after: Duration::try_from(until.duration_since(fence.now)).unwrap_or_default(),
            });
        }
        Some(Settlement::Held(HoldRequest {
            reason: HoldReason::Fence,
            policy: HoldPolicy::Reversible,
            on_opt_out: false,
            detail: json!({"one_way_steps": waiting.len()}),
        }))
    }

    /// The first wave of a plan that is not stored yet.
    pub(crate) fn first_wave(&self, plan: &NewPlan) -> Vec<IntendedStep> {
        let steps: Vec<WaveStep> = plan
            .steps
            .iter()
            .map(|step| WaveStep {
                state: step.state,
                class: step.planned.class,
                needs: step.planned.needs.clone(),
            })
            .collect();
        let fence = self.fence();
        next_wave(&steps, |class| self.allowance.allows_class(class))
            .into_iter()
            .map(|position| &plan.steps[position])
            .filter(|step| step.planned.action != sever_domain::Action::Leave)
            .filter(|step| step.fence.is_none() && !(fence.unapproved && step.planned.is_fenced()))
            .filter(|step| !fence.waits_for_jobs(step.planned.class))
            .filter(|step| {
                self.allowance
                    .allows(step.planned.class, step.planned.reversibility)
            })
            .take(WAVE_MAX)
            .map(|step| IntendedStep {
                step: step.id,
                effect_no: 1,
                class: step.planned.class,
                reversibility: step.planned.reversibility,
            })
            .collect()
    }

    /// Sends the calls of intended steps, in parallel under the connector's own cap.
    pub(crate) async fn send(&mut self, intended: &[StepId]) -> Result<(), End> {
        if intended.is_empty() {
            return Ok(());
        }
        if let Err(stale) = self.may_call() {
            self.not_sent(intended);
            return Err(stale);
        }
        let positions: Vec<usize> = (0..self.steps.list.len())
            .filter(|position| intended.contains(&self.steps.list[*position].step.id))
            .collect();
        let mut calls = Vec::with_capacity(positions.len());
        for position in positions {
            calls.push(self.call(position));
        }
        let sendings = join_all(calls).await;
        for sending in sendings {
            self.take_in(sending);
        }
        Ok(())
    }

    /// Their intent is committed and no call was made: they may be intended again.
    fn not_sent(&mut self, intended: &[StepId]) {
        let answered_at = self.clock.now();
        for working in self
            .steps
            .list
            .iter_mut()
            .filter(|working| intended.contains(&working.step.id))
        {
            working.apply(StepEvent::NotApplied);
            working.step.effects += 1;
            let (step, no) = (working.step.id, working.step.effects);
            self.learnt.answers.push(EffectAnswer {
                step,
                no,
                answered_at,
                outcome: EffectOutcome::NotApplied,
                status: None,
                code: None,
                provider_request_id: None,
            });
        }
    }

    async fn call(&self, position: usize) -> Sending {
        let planned = &self.steps.list[position].step.planned;
        let account = self
            .accounts
            .iter()
            .find(|account| account.binding == planned.binding);
        let effect = Effect {
            action: planned.action,
            account_id: account
                .map(|account| account.provider_id.clone())
                .unwrap_or_default(),
            target_kind: planned.target_kind,
            target_key: planned.target_key.clone(),
            facts: planned.facts.clone(),
        };
        let began = Instant::now();
        if effect.account_id.is_empty() {
            return Sending {
                position,
                began,
                ended: began,
                answer: Err(without_account()),
            };
        }
        sever_crash_point::hit("call.before");
        let answer = self.connector().apply(&effect).await;
        sever_crash_point::hit("call.after");
        Sending {
            position,
            began,
            ended: Instant::now(),
            answer,
        }
    }

    fn take_in(&mut self, sending: Sending) {
        let answered_at = self.clock.at(sending.ended);
        let working = &mut self.steps.list[sending.position];
        working.tried = true;
        working.step.effects += 1;
        let (step, no, action) = (
            working.step.id,
            working.step.effects,
            working.step.planned.action,
        );
        let provider = self.claimed.provider.as_str();
        metrics::histogram!(catalogue::STEP_DURATION_SECONDS.name, "provider" => provider, "action" => action.as_str())
            .record(sending.ended.duration_since(sending.began).as_secs_f64());
        let answer = match &sending.answer {
            Ok(answer) => {
                working.apply(StepEvent::Answered);
                if self.claimed.first_revocation_at.is_none() {
                    self.claimed.first_revocation_at = Some(answered_at);
                    self.learnt.first_revocation_at = Some(answered_at);
                }
                let outcome = match answer.kind {
                    AnswerKind::Done => EffectOutcome::Done,
                    AnswerKind::AlreadyGone => EffectOutcome::AlreadyGone,
                };
                EffectAnswer {
                    step,
                    no,
                    answered_at,
                    outcome,
                    status: Some(i32::from(answer.status)),
                    code: None,
                    provider_request_id: answer.provider_request_id.clone(),
                }
            }
            Err(error) => {
                let outcome = self.take_in_error(sending.position, error);
                EffectAnswer {
                    step,
                    no,
                    answered_at,
                    outcome,
                    status: error.status.map(i32::from),
                    code: error.code.clone(),
                    provider_request_id: error.provider_request_id.clone(),
                }
            }
        };
        self.note(answer);
    }

    /// What a failed call does to its step, and to the epoch's trouble.
    fn take_in_error(&mut self, position: usize, error: &CallError) -> EffectOutcome {
        let refused = matches!(
            error.class,
            OutcomeClass::NeedsPerson | OutcomeClass::Permanent
        );
        let working = &mut self.steps.list[position];
        let outcome = match (refused, error.sent) {
            (true, _) => {
                working.apply(StepEvent::Refused);
                working.reason = Some(error.to_string());
                EffectOutcome::Refused
            }
            (false, Sent::NotApplied) => {
                working.apply(StepEvent::NotApplied);
                EffectOutcome::NotApplied
            }
            (false, Sent::MayBeApplied) => {
                working.apply(StepEvent::Lost);
                self.lost_at = Some(self.clock.now());
                EffectOutcome::Lost
            }
        };
        tracing::info!(job = %self.claimed.lease.job, opt_out = %self.claimed.opt_out, step = %working.step.id, action = %working.step.planned.action, class = %error.class, outcome = outcome.as_str(), %error, "a call did not do what was asked");
        debug_assert_ne!(working.state, StepState::Applied, "an error is no answer");
        if !refused {
            let settlement = trouble::settlement(
                error,
                &self.claimed,
                &self.context.settings,
                self.clock.now(),
            );
            self.trouble = Some(graver(self.trouble.take(), settlement));
        }
        outcome
    }
}

/// A step whose account is not among the confirmed ones of this epoch is never sent.
fn without_account() -> CallError {
    CallError {
        doing: "finding the step's account",
        what: "it is not among the subject's confirmed accounts".to_owned(),
        class: OutcomeClass::Retry,
        sent: Sent::NotApplied,
        status: None,
        code: None,
        provider_request_id: None,
        retry_after: None,
    }
}
