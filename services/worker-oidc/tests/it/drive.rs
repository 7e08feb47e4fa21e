//! The way of one opt-out at one connection, as short as it can be: contain, inspect, plan, apply in
//! waves, close; and once more while something is live. The worker's runtime does the same with a
//! database behind it.

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
    /// The last plan.
    pub plan: Vec<PlannedStep>,
}

struct Drive<'a, C> {
    connector: &'a C,
    intent: Intent,
    account: &'a str,
    answered: Vec<Action>,
    refused: Vec<CallError>,
    plan: Vec<PlannedStep>,
    /// Calls until the process would die; none: it lives.
    calls_left: usize,
}

/// Carries out one opt-out of a confirmed account.
pub async fn opt_out<C: Connector>(connector: &C, intent: Intent, account: &str) -> Outcome {
    run_until(connector, intent, account, usize::MAX)
        .await
        .expect("it lives to the end")
}

/// As [`opt_out`], dying after this many calls; `None` where it died.
pub async fn run_until<C: Connector>(
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
        plan: Vec::new(),
        calls_left: calls,
    };
    let binding = BindingId::generate();
    let mut revisions = 0;
    let found = settled(|| connector.find_by_id(account)).await;
    let FoundAccount::Present(present) = found else {
        let closing = drive.judged(&AccountReading::absent(connector.families()));
        return Some(drive.outcome(closing, revisions));
    };
    drive.run(connector.contain(binding, &present)).await?;
    let mut reading = drive.read().await;
    loop {
        revisions += 1;
        drive.run(connector.plan(intent, binding, &reading)).await?;
        reading = drive.read().await;
        let mut closing = drive.judged(&reading);
        // A contrary read soon after a write, and one that did not work, are looked at again.
        let judged = verdict(std::slice::from_ref(&closing));
        if matches!(judged, Verdict::Live | Verdict::Unread) {
            tokio::time::sleep(PAUSE).await;
            reading = drive.read().await;
            closing = drive.judged(&reading);
        }
        let judged = verdict(std::slice::from_ref(&closing));
        if judged != Verdict::Live || revisions == REVISIONS_MAX {
            return Some(drive.outcome(closing, revisions));
        }
    }
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
        let asked = |step: &&PlannedStep| matches!(step.disposition, Disposition::Manual { .. });
        let manual: Vec<ManualStep<'_>> = self
            .plan
            .iter()
            .filter(asked)
            .map(|step| ManualStep {
                kind: step.target_kind,
                key: &step.target_key,
                attested: false,
            })
            .collect();
        let done = Done {
            answered: &self.answered,
            manual: &manual,
        };
        judge(self.connector, self.intent, reading, done)
    }

    fn outcome(self, closing: Closing, revisions: usize) -> Outcome {
        Outcome {
            verdict: verdict(std::slice::from_ref(&closing)),
            closing,
            revisions,
            refused: self.refused,
            plan: self.plan,
        }
    }

    /// Runs a plan wave by wave, until every step is answered or refused for good; `None` where the process died.
    async fn run(&mut self, steps: Vec<PlannedStep>) -> Option<()> {
        assert_eq!(check(&steps), Ok(()));
        self.plan.clone_from(&steps);
        let mut open: Vec<bool> = steps.iter().map(is_call).collect();
        for _ in 0..TRIES_MAX {
            let mut wave: Vec<usize> = (0..steps.len())
                .filter(|at| open[*at] && steps[*at].needs.iter().all(|needs| !open[*needs]))
                .collect();
            if wave.is_empty() {
                return Some(());
            }
            let dies = wave.len() > self.calls_left;
            wave.truncate(self.calls_left);
            self.calls_left -= wave.len();
            let effects: Vec<Effect> = wave.iter().map(|at| self.effect(&steps[*at])).collect();
            let results =
                futures::future::join_all(effects.iter().map(|it| self.connector.apply(it))).await;
            if dies {
                return None;
            }
            let mut pause = Duration::ZERO;
            for (at, result) in wave.into_iter().zip(results) {
                match result {
                    Ok(_) => open[at] = false,
                    Err(error) if passes(&error) && error.sent == Sent::MayBeApplied => {
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

    /// What a read says of a step whose answer was lost. Where no read tells, it is sent again.
    async fn is_still_there(&self, step: &PlannedStep) -> bool {
        let reading = self.read().await;
        match step.target_kind {
            EntitlementKind::Account => match step.action {
                Action::SuspendAccount | Action::DisableIntegration => {
                    !reading.account_state.sign_in_blocked()
                }
                _ => !matches!(
                    reading.account_state,
                    AccountState::Deactivated | AccountState::Absent
                ),
            },
            kind => reading
                .of(kind)
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
