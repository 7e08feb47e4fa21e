//! Waves: the calls whose intent is committed, sent together, and what their answers mean.

use std::time::Instant;

use futures::future::join_all;
use sever_domain::{OutcomeClass, StepEvent, StepState};
use sever_provider::{Answer, CallError, Connector, Effect, Sent};

use super::epoch::Epoch;
use super::settled::Settled;

impl<C: Connector> Epoch<'_, C> {
    /// Sends wave after wave, until nothing more can go. Trouble ends it, after the steps that do not depend on what failed.
    pub(super) async fn waves(&mut self) -> Result<(), Settled> {
        loop {
            let wave = self.memory.wave();
            if wave.is_empty() {
                break;
            }
            if self.overtaken(&wave).await? {
                continue;
            }
            self.intend(&wave);
            self.send(&wave).await;
        }
        if let Some(trouble) = self.trouble.take() {
            return Err(trouble);
        }
        if !self.memory.all_answered() {
            return Err(Settled::Held(
                "calls of the plan were never sent".to_owned(),
            ));
        }
        Ok(())
    }

    /// The intent transaction: what was learnt so far, and that these calls may be under way from now on.
    pub(super) fn intend(&mut self, wave: &[usize]) {
        for position in wave {
            self.memory.apply(*position, StepEvent::Intend);
        }
        self.commit();
    }

    /// Sends calls whose intent is committed.
    pub(super) async fn send(&mut self, wave: &[usize]) {
        let effects: Vec<Effect> = wave.iter().map(|position| self.effect(*position)).collect();
        let connector = &self.known.connector;
        let answers = join_all(effects.iter().map(|effect| connector.apply(effect))).await;
        for (position, answer) in wave.iter().zip(answers) {
            self.take_in(*position, answer);
        }
    }

    fn effect(&self, position: usize) -> Effect {
        let planned = &self.memory.steps[position].planned;
        Effect {
            action: planned.action,
            account_id: self.memory.account.clone().unwrap_or_default(),
            target_kind: planned.target_kind,
            target_key: planned.target_key.clone(),
            facts: planned.facts.clone(),
        }
    }

    fn take_in(&mut self, position: usize, answer: Result<Answer, CallError>) {
        self.memory.steps[position].tried = true;
        self.memory.last_answer = Some(Instant::now());
        let error = match answer {
            Ok(_) => return self.memory.apply(position, StepEvent::Answered),
            Err(error) => error,
        };
        if matches!(
            error.class,
            OutcomeClass::NeedsPerson | OutcomeClass::Permanent
        ) {
            self.memory.apply(position, StepEvent::Refused);
            return;
        }
        let event = match error.sent {
            Sent::NotApplied => StepEvent::NotApplied,
            Sent::MayBeApplied => StepEvent::Lost,
        };
        self.memory.apply(position, event);
        self.lost |= self.memory.steps[position].state == StepState::Unknown;
        self.trouble = Some(Settled::graver(self.trouble.take(), Settled::of(&error)));
    }
}
