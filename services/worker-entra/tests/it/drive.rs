//! The way of one opt-out at one connection, as short as it can be: contain, inspect, plan, apply in waves, close; and once
//! more while something is live. The worker's runtime does the same with a database behind it.

use std::time::Duration;

use sever_domain::closing::{Closing, Done, ManualStep, Verdict, judge, verdict};
use sever_domain::entitlement::AccountReading;
use sever_domain::plan::{Disposition, PlannedStep, check};
use sever_domain::{AccountState, Action, BindingId, EntitlementKind, Intent, OutcomeClass};
use sever_provider::{CallError, Connector, Effect, FoundAccount, Sent};

/// The most plans of one opt-out.
const REVISIONS_MAX: usize = 3;
/// The most tries of one wave or read; each waits a little, as a settle with a due time would.
const TRIES_MAX: usize = 60;
const PAUSE: Duration = Duration::from_millis(20);
/// A provider that asks for seconds gets them; one that asks for more would only make the test long.
const PAUSE_MAX: Duration = Duration::from_millis(1500);

/// What an opt-out came to.
pub struct Outcome {
    /// The last closing judgement.
    pub closing: Closing,
    /// Its verdict.
    pub verdict: Verdict,
    /// How many plans were made.
    pub revisions: usize,
    /// Refusals that a person would see.
    pub refused: Vec<CallError>,
    /// Every call that was answered, with its step.
    pub answered: Vec<PlannedStep>,
}

struct Drive<'a, C> {
    connector: &'a C,
    intent: Intent,
    account: &'a str,
    answered: Vec<PlannedStep>,
    refused: Vec<CallError>,
    manual: Vec<PlannedStep>,
    /// How many more calls before the process "dies".
    calls_left: usize,
}

/// The process "died" after as many calls as were allowed.
struct Died;

/// Carries out one opt-out of a confirmed account.
pub async fn opt_out<C: Connector>(connector: &C, intent: Intent, account: &str) -> Outcome {
    let outcome = opt_out_until(connector, intent, account, usize::MAX).await;
    outcome.unwrap_or_else(|| unreachable!("nothing ends it early"))
}

/// The same, until so many writes were sent; `None` where it ended there.
pub async fn opt_out_until<C: Connector>(
    connector: &C,
    intent: Intent,
    account: &str,
    calls: usize,
) -> Option<Outcome> {
    let mut drive = Drive {
        connector,
        intent,
        account,
        answered: Vec::new(),
        refused: Vec::new(),
        manual: Vec::new(),
        calls_left: calls,
    };
    drive.run_whole().await.ok()
}

/// Runs these steps, and returns what was refused.
pub async fn run<C: Connector>(
    connector: &C,
    account: &str,
    steps: Vec<PlannedStep>,
) -> Vec<CallError> {
    let mut drive = Drive {
        connector,
        intent: Intent::Remove,
        account,
        answered: Vec::new(),
        refused: Vec::new(),
        manual: Vec::new(),
        calls_left: usize::MAX,
    };
    drop(drive.run(steps).await);
    drive.refused
}

/// Repeats a read while the connector asks for patience; any other error ends the test.
pub async fn settled<T, F: Future<Output = Result<T, CallError>>>(read: impl Fn() -> F) -> T {
    for _ in 0..TRIES_MAX {
        match read().await {
            Ok(read) => return read,
            Err(error) => {
                assert!(passes(&error), "{error}");
                tokio::time::sleep(error.retry_after.unwrap_or(PAUSE).min(PAUSE_MAX)).await;
            }
        }
    }
    panic!("the read did not settle");
}

fn passes(error: &CallError) -> bool {
    matches!(
        error.class,
        OutcomeClass::Wait | OutcomeClass::Retry | OutcomeClass::RetryAt
    )
}

impl<C: Connector> Drive<'_, C> {
    async fn run_whole(&mut self) -> Result<Outcome, Died> {
        let binding = BindingId::generate();
        let mut revisions = 0;
        let found = settled(|| self.connector.find_by_id(self.account)).await;
        if let FoundAccount::Present(present) = found {
            self.run(self.connector.contain(binding, &present)).await?;
            let mut reading = self.read().await;
            loop {
                revisions += 1;
                let steps = self.connector.plan(self.intent, binding, &reading);
                self.run(steps).await?;
                reading = self.read().await;
                let closing = self.judged(&reading);
                let judged = verdict(std::slice::from_ref(&closing));
                if judged != Verdict::Live || revisions == REVISIONS_MAX {
                    return Ok(self.outcome(closing, revisions));
                }
            }
        }
        let closing = self.judged(&AccountReading::absent(self.connector.families()));
        Ok(self.outcome(closing, revisions))
    }

    /// Reads, and reads again while a family could not be read.
    async fn read(&self) -> AccountReading {
        for _ in 0..TRIES_MAX {
            let reading = settled(|| self.connector.inspect(self.account)).await;
            let failed = |family: &sever_domain::entitlement::FamilyReading| {
                family.result == sever_domain::entitlement::FamilyResult::Failed
            };
            if !reading.families.iter().any(failed) {
                return reading;
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("the families could not be read");
    }

    fn judged(&self, reading: &AccountReading) -> Closing {
        let answered: Vec<Action> = self.answered.iter().map(|step| step.action).collect();
        let manual: Vec<ManualStep<'_>> = self
            .manual
            .iter()
            .map(|step| ManualStep {
                kind: step.target_kind,
                key: &step.target_key,
                attested: false,
            })
            .collect();
        let done = Done {
            answered: &answered,
            manual: &manual,
        };
        judge(self.connector, self.intent, reading, done)
    }

    fn outcome(&mut self, closing: Closing, revisions: usize) -> Outcome {
        Outcome {
            verdict: verdict(std::slice::from_ref(&closing)),
            closing,
            revisions,
            refused: std::mem::take(&mut self.refused),
            answered: std::mem::take(&mut self.answered),
        }
    }

    /// Runs a plan wave by wave, until every step is answered or refused for good.
    async fn run(&mut self, steps: Vec<PlannedStep>) -> Result<(), Died> {
        assert_eq!(check(&steps), Ok(()));
        self.manual = steps
            .iter()
            .filter(|step| matches!(step.disposition, Disposition::Manual { .. }))
            .cloned()
            .collect();
        let mut open: Vec<bool> = steps.iter().map(is_call).collect();
        for _ in 0..TRIES_MAX {
            let mut wave: Vec<usize> = (0..steps.len())
                .filter(|at| open[*at] && steps[*at].needs.iter().all(|needs| !open[*needs]))
                .collect();
            if wave.is_empty() {
                return Ok(());
            }
            let dies = wave.len() > self.calls_left;
            wave.truncate(self.calls_left);
            self.calls_left -= wave.len();
            let pause = self.wave(&steps, &mut open, wave).await;
            if dies {
                return Err(Died);
            }
            tokio::time::sleep(pause.min(PAUSE_MAX)).await;
        }
        panic!("the plan did not come to an end");
    }

    async fn wave(
        &mut self,
        steps: &[PlannedStep],
        open: &mut [bool],
        wave: Vec<usize>,
    ) -> Duration {
        let effects: Vec<Effect> = wave.iter().map(|at| self.effect(&steps[*at])).collect();
        let calls = effects.iter().map(|effect| self.connector.apply(effect));
        let results = futures::future::join_all(calls).await;
        let mut pause = Duration::ZERO;
        for (at, result) in wave.into_iter().zip(results) {
            match result {
                Ok(_) => open[at] = false,
                Err(error) if error.sent == Sent::MayBeApplied => {
                    open[at] = self.is_still_there(&steps[at]).await;
                    pause = pause.max(PAUSE);
                }
                Err(error) if passes(&error) => {
                    pause = pause.max(error.retry_after.unwrap_or(PAUSE));
                    continue;
                }
                Err(error) => {
                    self.refused.push(error);
                    open[at] = false;
                    continue;
                }
            }
            if !open[at] {
                self.answered.push(steps[at].clone());
            }
        }
        pause
    }

    /// What a read says of a step whose answer was lost. No read tells of sessions: they are cut again.
    async fn is_still_there(&self, step: &PlannedStep) -> bool {
        let reading = self.read().await;
        let state = reading.account_state;
        match step.action {
            Action::RevokeSessions => true,
            Action::SuspendAccount | Action::DisableIntegration => !state.sign_in_blocked(),
            Action::DeleteAccount => {
                !matches!(state, AccountState::Deactivated | AccountState::Absent)
            }
            Action::ReinstateAccount | Action::EnableIntegration => state != AccountState::Live,
            _ => {
                let mut held = reading.of(step.target_kind).iter();
                let there = held.any(|held| held.provider_key == step.target_key);
                there != step.action.gives_back()
            }
        }
    }

    fn effect(&self, step: &PlannedStep) -> Effect {
        Effect {
            action: step.action,
            account_id: self.account.to_owned(),
            target_kind: step.target_kind,
            target_key: step.target_key.clone(),
            facts: step.facts.clone(),
        }
    }
}

fn is_call(step: &PlannedStep) -> bool {
    step.disposition == Disposition::MustGo && step.action != Action::Leave
}

/// The keys of a kind that stay, inert.
pub fn inert(closing: &Closing, kind: EntitlementKind) -> usize {
    let remaining = closing.inert.iter();
    remaining.filter(|remaining| remaining.kind == kind).count()
}
