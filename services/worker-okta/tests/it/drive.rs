//! The way of one opt-out at one connection, as short as it can be: contain, inspect, plan, apply in
//! waves, close; and once more while something is live. The worker's runtime does the same with a
//! database behind it.

use std::time::Duration;

use sever_domain::closing::{Closing, Done, Verdict, judge, verdict};
use sever_domain::entitlement::AccountReading;
use sever_domain::plan::{Disposition, PlannedStep, check};
use sever_domain::{Action, BindingId, EntitlementKind, Intent, OutcomeClass};
use sever_provider::{CallError, Connector, Effect, FoundAccount, Sent};

/// The most plans of one opt-out.
const REVISIONS_MAX: usize = 3;
/// The most tries of one wave or read; each waits a little, as a settle with a due time would.
const TRIES_MAX: usize = 60;
const PAUSE: Duration = Duration::from_millis(50);

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
}

struct Drive<'a, C> {
    connector: &'a C,
    intent: Intent,
    account: &'a str,
    answered: Vec<Action>,
    refused: Vec<CallError>,
}

/// Carries out one opt-out of a confirmed account.
pub async fn opt_out<C: Connector>(connector: &C, intent: Intent, account: &str) -> Outcome {
    let mut drive = Drive {
        connector,
        intent,
        account,
        answered: Vec::new(),
        refused: Vec::new(),
    };
    let binding = BindingId::generate();
    let mut revisions = 0;
    let found = settled(|| connector.find_by_id(account)).await;
    if let FoundAccount::Present(present) = found {
        drive.run(connector.contain(binding, &present)).await;
        let mut reading = drive.read().await;
        loop {
            revisions += 1;
            drive.run(connector.plan(intent, binding, &reading)).await;
            reading = drive.read().await;
            let closing = drive.judged(&reading);
            let judged = verdict(std::slice::from_ref(&closing));
            if judged != Verdict::Live || revisions == REVISIONS_MAX {
                return drive.outcome(closing, revisions);
            }
        }
    }
    let closing = drive.judged(&AccountReading::absent(connector.families()));
    drive.outcome(closing, revisions)
}

/// Repeats a read while the connector asks for patience; any other error ends the test.
async fn settled<T, F: Future<Output = Result<T, CallError>>>(read: impl Fn() -> F) -> T {
    for _ in 0..TRIES_MAX {
        match read().await {
            Ok(read) => return read,
            Err(error) => {
                assert!(passes(&error), "{error}");
                tokio::time::sleep(error.retry_after.unwrap_or(PAUSE)).await;
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
    async fn read(&self) -> AccountReading {
        settled(|| self.connector.inspect(self.account)).await
    }

    fn judged(&self, reading: &AccountReading) -> Closing {
        let done = Done {
            answered: &self.answered,
            manual: &[],
        };
        judge(self.connector, self.intent, reading, done)
    }

    fn outcome(self, closing: Closing, revisions: usize) -> Outcome {
        Outcome {
            verdict: verdict(std::slice::from_ref(&closing)),
            closing,
            revisions,
            refused: self.refused,
        }
    }

    /// Runs a plan wave by wave, until every step is answered or refused for good.
    async fn run(&mut self, steps: Vec<PlannedStep>) {
        assert_eq!(check(&steps), Ok(()));
        let mut open: Vec<bool> = steps.iter().map(is_call).collect();
        for _ in 0..TRIES_MAX {
            let wave: Vec<usize> = (0..steps.len())
                .filter(|at| open[*at] && steps[*at].needs.iter().all(|needs| !open[*needs]))
                .collect();
            if wave.is_empty() {
                return;
            }
            let effects: Vec<Effect> = wave.iter().map(|at| self.effect(&steps[*at])).collect();
            let results =
                futures::future::join_all(effects.iter().map(|it| self.connector.apply(it))).await;
            let mut pause = Duration::ZERO;
            for (at, result) in wave.into_iter().zip(results) {
                match result {
                    Ok(_) => open[at] = false,
                    Err(error) if error.sent == Sent::MayBeApplied => {
                        open[at] = self.is_still_there(&steps[at]).await;
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
                    self.answered.push(steps[at].action);
                }
            }
            tokio::time::sleep(pause).await;
        }
        panic!("the plan did not come to an end");
    }

    /// What a read says of a step whose answer was lost. No read tells of sessions: they are cut again.
    async fn is_still_there(&self, step: &PlannedStep) -> bool {
        let reading = self.read().await;
        match step.action {
            Action::RevokeSessions => true,
            Action::SuspendAccount | Action::DisableIntegration => {
                !reading.account_state.sign_in_blocked()
            }
            Action::DeactivateAccount => reading.provider_state != "DEPROVISIONED",
            _ => reading
                .of(step.target_kind)
                .iter()
                .any(|held| held.provider_key == step.target_key),
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
    closing
        .inert
        .iter()
        .filter(|remaining| remaining.kind == kind)
        .count()
}
