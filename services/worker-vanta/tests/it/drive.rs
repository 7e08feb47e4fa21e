//! The way of one opt-out at one connection, as short as it can be: inspect, plan, apply in waves, close; and once more
//! while something is live. The worker's runtime does the same with a database behind it.

use std::time::Duration;

use sever_domain::closing::{Closing, Done, ManualStep, Verdict, judge, verdict};
use sever_domain::entitlement::AccountReading;
use sever_domain::plan::{Disposition, ManualTask, PlannedStep, check};
use sever_domain::{Action, BindingId, EntitlementKind, Intent, OutcomeClass};
use sever_provider::{CallError, Connector, Effect, FoundAccount, Sent};

/// The most plans of one opt-out.
const REVISIONS_MAX: usize = 3;
/// The most tries of one wave or read; each waits a little, as a settle with a due time would.
const TRIES_MAX: usize = 40;
const PAUSE: Duration = Duration::from_millis(20);

/// What an opt-out came to.
pub struct Outcome {
    /// The last closing judgement.
    pub closing: Closing,
    /// Its verdict.
    pub verdict: Verdict,
    /// What people are asked, by the last plan.
    pub tasks: Vec<(String, ManualTask)>,
    /// Refusals that pass when others have done their part, and refusals for good.
    pub refused: Vec<CallError>,
}

/// What became of a step.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Open,
    Answered,
    /// A person is asked, or it comes after what a person is asked.
    Asked,
    Refused,
}

struct Drive<'a, C> {
    connector: &'a C,
    intent: Intent,
    account: &'a str,
    attested: &'a [&'a str],
    steps: Vec<PlannedStep>,
    answered: Vec<Action>,
    refused: Vec<CallError>,
    /// Stops at the first trouble, as a process that dies does.
    fragile: bool,
}

/// Carries out one opt-out of a confirmed account.
pub async fn opt_out<C: Connector>(connector: &C, intent: Intent, account: &str) -> Outcome {
    opt_out_attested(connector, intent, account, &[]).await
}

/// The same, where a second person has confirmed the tasks with these keys.
pub async fn opt_out_attested<C: Connector>(
    connector: &C,
    intent: Intent,
    account: &str,
    attested: &[&str],
) -> Outcome {
    let mut drive = drive(connector, intent, account, attested, false);
    drive.all().await.unwrap()
}

/// The same, up to the first call that fails; `true` where none did.
pub async fn try_once<C: Connector>(connector: &C, intent: Intent, account: &str) -> bool {
    let mut drive = drive(connector, intent, account, &[], true);
    drive.all().await.is_ok()
}

fn drive<'a, C: Connector>(
    connector: &'a C,
    intent: Intent,
    account: &'a str,
    attested: &'a [&'a str],
    fragile: bool,
) -> Drive<'a, C> {
    Drive {
        connector,
        intent,
        account,
        attested,
        steps: Vec::new(),
        answered: Vec::new(),
        refused: Vec::new(),
        fragile,
    }
}

impl<C: Connector> Drive<'_, C> {
    async fn all(&mut self) -> Result<Outcome, CallError> {
        let binding = BindingId::generate();
        let found = self
            .settled(|| self.connector.find_by_id(self.account))
            .await?;
        if matches!(found, FoundAccount::Absent) {
            self.settled(|| self.connector.canary()).await?;
            let absent = AccountReading::absent(self.connector.families());
            return Ok(self.outcome(&absent));
        }
        let mut reading = self.read().await?;
        for revision in 1..=REVISIONS_MAX {
            self.steps = self.connector.plan(self.intent, binding, &reading);
            assert_eq!(check(&self.steps), Ok(()));
            self.run().await?;
            reading = self.read().await?;
            if self.outcome(&reading).verdict != Verdict::Live || revision == REVISIONS_MAX {
                break;
            }
        }
        Ok(self.outcome(&reading))
    }

    /// Repeats a read while the connector asks for patience.
    async fn settled<T, F: Future<Output = Result<T, CallError>>>(
        &self,
        read: impl Fn() -> F,
    ) -> Result<T, CallError> {
        for _ in 0..TRIES_MAX {
            match read().await {
                Err(error) if passes(&error) && !self.fragile => {
                    tokio::time::sleep(error.retry_after.unwrap_or(PAUSE)).await;
                }
                result => return result,
            }
        }
        panic!("the read did not settle");
    }

    async fn read(&self) -> Result<AccountReading, CallError> {
        self.settled(|| self.connector.inspect(self.account)).await
    }

    fn outcome(&self, reading: &AccountReading) -> Outcome {
        let tasks = self
            .steps
            .iter()
            .filter_map(|step| match &step.disposition {
                Disposition::Manual { task } => Some((step, task.clone())),
                _ => None,
            });
        let tasks: Vec<(&PlannedStep, ManualTask)> = tasks.collect();
        let manual: Vec<ManualStep<'_>> = tasks
            .iter()
            .map(|(step, _)| ManualStep {
                kind: step.target_kind,
                key: &step.target_key,
                attested: self.attested.contains(&step.target_key.as_str()),
            })
            .collect();
        let done = Done {
            answered: &self.answered,
            manual: &manual,
        };
        let closing = judge(self.connector, self.intent, reading, done);
        let tasks = tasks.into_iter();
        Outcome {
            verdict: verdict(std::slice::from_ref(&closing)),
            closing,
            tasks: tasks
                .map(|(step, task)| (step.target_key.clone(), task))
                .collect(),
            refused: self.refused.clone(),
        }
    }

    /// Runs the plan wave by wave, until every step that does not wait for a person is answered or refused.
    async fn run(&mut self) -> Result<(), CallError> {
        let mut fates: Vec<Fate> = Vec::new();
        for step in &self.steps {
            let behind = step.needs.iter().any(|at| fates[*at] == Fate::Asked);
            fates.push(match &step.disposition {
                Disposition::Manual { .. } => Fate::Asked,
                _ if behind => Fate::Asked,
                Disposition::MustGo if step.action != Action::Leave => Fate::Open,
                _ => Fate::Answered,
            });
        }
        for _ in 0..TRIES_MAX {
            let open = |at: &usize| fates[*at] == Fate::Open;
            let ready = |at: &usize| self.steps[*at].needs.iter().all(|need| !open(need));
            let wave: Vec<usize> = (0..fates.len())
                .filter(|at| open(at) && ready(at))
                .collect();
            if wave.is_empty() {
                return Ok(());
            }
            let effects: Vec<Effect> = wave.iter().map(|at| self.effect(*at)).collect();
            let calls = effects.iter().map(|effect| self.connector.apply(effect));
            let results = futures::future::join_all(calls).await;
            let mut pause = Duration::ZERO;
            for (at, result) in wave.into_iter().zip(results) {
                match result {
                    Err(error) if self.fragile => return Err(error),
                    Err(error) if error.sent == Sent::MayBeApplied => {
                        let there = self.is_still_there(at).await?;
                        fates[at] = if there { Fate::Open } else { Fate::Answered };
                    }
                    Err(error) if error.class != OutcomeClass::Wait && passes(&error) => {
                        pause = pause.max(error.retry_after.unwrap_or(PAUSE));
                    }
                    Err(error) => {
                        self.refused.push(error);
                        fates[at] = Fate::Refused;
                    }
                    Ok(_) => fates[at] = Fate::Answered,
                }
                if fates[at] == Fate::Answered {
                    self.answered.push(self.steps[at].action);
                }
            }
            tokio::time::sleep(pause).await;
        }
        panic!("the plan did not come to an end");
    }

    /// What a read says of a step whose answer was lost.
    async fn is_still_there(&self, at: usize) -> Result<bool, CallError> {
        let reading = self.read().await?;
        let step = &self.steps[at];
        if step.target_kind == EntitlementKind::Account {
            return Ok(!reading.account_state.sign_in_blocked());
        }
        let family = reading.of(step.target_kind).iter();
        Ok(family
            .clone()
            .any(|held| held.provider_key == step.target_key))
    }

    fn effect(&self, at: usize) -> Effect {
        let step = &self.steps[at];
        Effect {
            action: step.action,
            account_id: self.account.to_owned(),
            target_kind: step.target_kind,
            target_key: step.target_key.clone(),
            facts: step.facts.clone(),
        }
    }
}

fn passes(error: &CallError) -> bool {
    matches!(
        error.class,
        OutcomeClass::Wait | OutcomeClass::Retry | OutcomeClass::RetryAt
    )
}
