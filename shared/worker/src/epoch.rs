//! One epoch: everything between a claim and its settle.
//!
//! Each transaction records what was learnt since the last one together with the next intent, so an
//! epoch costs one commit for each wave, one for the claim and one for the settle.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use sever_domain::intent::{Allowance, IntentDecision};
use sever_domain::{BindingId, HoldPolicy, HoldReason, JobKind, StepId, SubjectKind};
use sever_provider::{Account, CallError, Connector};
use sever_store::job::{
    self, Advance, ClaimedJob, EffectAnswer, HoldRequest, IntendedStep, NewInspection, NewPlan,
    Record, Settled, Settlement, Verification,
};
use sever_store::{Store, StoreError};
use sever_telemetry::catalogue;
use tokio_util::sync::CancellationToken;

use crate::clock::DatabaseClock;
use crate::heart::Heart;
use crate::registry::Known;
use crate::running::Running;
use crate::settings::Settings;
use crate::steps::Steps;
use crate::trouble;

/// What an epoch uses of its process.
pub(crate) struct Context {
    pub(crate) store: Store,
    pub(crate) settings: Settings,
    pub(crate) heart: Heart,
    pub(crate) soft: CancellationToken,
    pub(crate) running: Running,
}

/// Why an epoch ends before its own conclusion.
#[derive(Debug)]
pub(crate) enum End {
    /// It settles like this.
    Settle(Settlement),
    /// It may write no more: the lease is lost, or the heart is stale. The next epoch reads.
    Abandon(&'static str),
    /// The database did not take a transaction.
    Store(StoreError),
}

impl From<StoreError> for End {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { doing } => Self::Abandon(doing),
            other if other.constraint() == Some(ONE_OWNER) => Self::Settle(owned_by_another()),
            other => Self::Store(other),
        }
    }
}

/// The index that gives an account one owner.
pub(crate) const ONE_OWNER: &str = "binding_one_owner";

/// The account that was about to be confirmed is confirmed as somebody else's.
pub(crate) fn owned_by_another() -> Settlement {
    let detail = serde_json::json!({"conflict": "the account is confirmed as another subject's"});
    Settlement::Held(HoldRequest {
        reason: HoldReason::AmbiguousIdentity,
        policy: HoldPolicy::Nothing,
        on_opt_out: false,
        detail,
    })
}

/// An account of the subject that this epoch may look at.
#[derive(Debug, Clone)]
pub(crate) struct KnownAccount {
    pub(crate) binding: BindingId,
    pub(crate) provider_id: String,
    /// A strongly consistent lookup found nothing, and the canary held.
    pub(crate) absent: bool,
}

/// An epoch at work.
pub(crate) struct Epoch<'a, C> {
    pub(crate) context: &'a Context,
    pub(crate) known: Arc<Known<C>>,
    pub(crate) claimed: ClaimedJob,
    pub(crate) steps: Steps,
    pub(crate) accounts: Vec<KnownAccount>,
    pub(crate) learnt: Record,
    pub(crate) revision: i32,
    pub(crate) attempt: Option<i32>,
    pub(crate) clock: DatabaseClock,
    /// The gravest trouble of a call in this epoch; independent steps go on meanwhile.
    pub(crate) trouble: Option<Settlement>,
    /// What an open hold lets through.
    pub(crate) allowance: Allowance,
    /// Accounts that the resolve has just read.
    pub(crate) found: HashMap<BindingId, Account>,
    /// When an answer was last lost in this epoch.
    pub(crate) lost_at: Option<Timestamp>,
    /// When a call was last answered in this epoch, as far as it is recorded.
    pub(crate) answered_at: Option<Timestamp>,
    /// With how many people the guard is charged.
    charged: i64,
    /// How many people the job affects, with whom the guard is to be charged.
    pub(crate) weight: i64,
    /// Whether it affects more people, whom nobody could count.
    pub(crate) uncounted: bool,
}

impl<'a, C: Connector> Epoch<'a, C> {
    /// `asked` is an instant before the claim was sent.
    pub(crate) fn new(
        context: &'a Context,
        known: Arc<Known<C>>,
        claimed: ClaimedJob,
        asked: Instant,
    ) -> Self {
        Self {
            context,
            known,
            steps: Steps::stored(&claimed.steps, claimed.plan_revision),
            accounts: Vec::new(),
            learnt: Record::default(),
            revision: claimed.plan_revision,
            attempt: None,
            clock: DatabaseClock::new(claimed.now, asked),
            trouble: None,
            allowance: Allowance::Everything,
            found: HashMap::new(),
            lost_at: None,
            answered_at: None,
            charged: claimed.charged,
            weight: claimed.affected.map_or(1, |affected| affected.people),
            uncounted: claimed.affected.is_some_and(|affected| !affected.complete),
            claimed,
        }
    }

    pub(crate) fn connector(&self) -> &C {
        &self.known.connector
    }

    /// Works until there is a settlement.
    pub(crate) async fn work(&mut self) -> Result<Settlement, End> {
        match self.claimed.kind {
            JobKind::OptOut if self.claimed.resolving => self.look_only().await,
            JobKind::OptOut => self.remove().await,
            JobKind::Plan => self.foretell().await,
            JobKind::Restore => self.restore().await,
        }
    }

    /// Takes the subject's access. An integration is not contained before it is known whom it serves.
    async fn remove(&mut self) -> Result<Settlement, End> {
        self.resolve().await?;
        if self.revision < 0 && self.claimed.subject_kind == SubjectKind::Person {
            self.contain().await?;
        }
        let attached = self.claimed.planned_for != self.claimed.opt_out_revision;
        if self.revision < 1 || attached || self.has_unplanned_account() {
            self.open().await?;
        } else if self.steps.any_unknown() {
            self.find_out().await?;
        }
        loop {
            self.waves().await?;
            if let Some(settlement) = self.close().await? {
                return Ok(settlement);
            }
        }
    }

    /// Whether an account became known after the plan was made.
    fn has_unplanned_account(&self) -> bool {
        let planned = |account: &KnownAccount| {
            self.steps
                .list
                .iter()
                .any(|working| working.step.planned.binding == account.binding)
        };
        self.accounts
            .iter()
            .any(|account| !account.absent && !planned(account))
    }

    /// Settles with what is still unrecorded.
    pub(crate) async fn settle(&mut self, settlement: &Settlement) -> Result<Settled, StoreError> {
        let learnt = self.take_learnt();
        job::settle(
            &self.context.store,
            &self.claimed,
            &self.steps.names,
            learnt,
            self.attempt,
            settlement,
        )
        .await
    }

    /// Records what was learnt, stores a plan if there is one, and intends a wave. Returns the steps
    /// whose calls may be sent.
    pub(crate) async fn advance(
        &mut self,
        plan: Option<NewPlan>,
        intend: Vec<IntendedStep>,
    ) -> Result<Vec<StepId>, End> {
        if let Some(plan) = &plan {
            self.steps.name(plan);
        }
        let asked = Instant::now();
        let wanted = intend.len();
        let record = self.take_learnt();
        let input = Advance {
            claimed: &self.claimed,
            record,
            names: &self.steps.names,
            plan: plan.as_ref(),
            intend,
            accounts: self
                .accounts
                .iter()
                .map(|account| account.provider_id.clone())
                .collect(),
            attempt: self.attempt,
            charged: self.charged,
            weight: self.weight,
            uncounted: self.uncounted,
            guard: self.context.settings.guard,
            lease: self.context.settings.lease,
        };
        let advanced = job::advance(&self.context.store, input).await?;
        self.clock = self.clock.or_ahead(DatabaseClock::new(advanced.now, asked));
        self.attempt = advanced.attempt;
        self.charged = advanced.charged;
        self.steps.committed(&advanced.intended);
        if let Some(plan) = plan {
            self.revision = plan.revision;
            self.steps.take_up(plan, &advanced.intended, advanced.now);
            self.claimed.planned_for = self.claimed.opt_out_revision;
        }
        if self.claimed.kind == JobKind::Plan {
            return Ok(Vec::new());
        }
        self.obey(advanced.decision)?;
        if let Some(reason) = advanced.tripped {
            metrics::counter!(catalogue::GUARD_TRIPS.name, "guard" => reason.as_str()).increment(1);
            tracing::warn!(job = %self.claimed.lease.job, opt_out = %self.claimed.opt_out, guard = %reason, "a guard tripped: a hold waits for a person");
        }
        if wanted > 0
            && advanced.intended.is_empty()
            && self.allowance == Allowance::Under(HoldPolicy::Nothing)
        {
            return Err(End::Settle(Settlement::StoppedByHold));
        }
        Ok(advanced.intended)
    }

    fn obey(&mut self, decision: IntentDecision) -> Result<(), End> {
        match decision {
            IntentDecision::Go(allowance) => {
                self.allowance = allowance;
                Ok(())
            }
            IntentDecision::StaleWorker => {
                self.context.heart.disowned.cancel();
                Err(End::Abandon(
                    "the database was brought back to an earlier point",
                ))
            }
            IntentDecision::PlanAgain => Err(End::Settle(Settlement::Wait {
                why: "revision",
                after: std::time::Duration::ZERO,
            })),
            IntentDecision::NotInForce => Err(End::Settle(Settlement::CalledOff)),
            IntentDecision::NotNow(until) => {
                let wait = until.map_or(self.context.settings.retry.delay(1, 0.5), |until| {
                    std::time::Duration::try_from(until.duration_since(self.clock.now()))
                        .unwrap_or_default()
                });
                Err(End::Settle(Settlement::Wait {
                    why: "rate",
                    after: wait,
                }))
            }
        }
    }

    fn take_learnt(&mut self) -> Record {
        let mut learnt = std::mem::take(&mut self.learnt);
        self.answered_at = learnt
            .answers
            .iter()
            .map(|answer| answer.answered_at)
            .max()
            .max(self.answered_at);
        learnt.changes = self.steps.changes();
        learnt
    }

    /// The intents of these positions.
    pub(crate) fn intents(&self, positions: &[usize]) -> Vec<IntendedStep> {
        positions
            .iter()
            .map(|position| {
                let step = &self.steps.list[*position].step;
                IntendedStep {
                    step: step.id,
                    effect_no: step.effects + 1,
                    class: step.planned.class,
                    reversibility: step.planned.reversibility,
                }
            })
            .collect()
    }

    /// A read failed: the epoch settles by the error's class.
    pub(crate) fn read_failed(&self, error: &CallError) -> End {
        End::Settle(trouble::settlement(
            error,
            &self.claimed,
            &self.context.settings,
            self.clock.now(),
        ))
    }

    /// A call may be started only while nobody can have taken this process for dead. The settle is
    /// fenced: if somebody has, it is refused.
    pub(crate) fn may_call(&self) -> Result<(), End> {
        if self.context.heart.is_fresh() {
            return Ok(());
        }
        Err(End::Settle(Settlement::Wait {
            why: "heartbeat",
            after: self.context.settings.heartbeat,
        }))
    }

    /// Between waves, a process that is stopping gives the job back.
    pub(crate) fn may_go_on(&self) -> Result<(), End> {
        if self.context.soft.is_cancelled() {
            Err(End::Settle(Settlement::Drain))
        } else {
            Ok(())
        }
    }

    pub(crate) fn note(&mut self, answer: EffectAnswer) {
        self.learnt.answers.push(answer);
    }

    pub(crate) fn note_inspection(
        &mut self,
        inspection: NewInspection,
        verifications: Vec<Verification>,
    ) {
        self.learnt.inspection = Some(inspection);
        self.learnt.verifications = verifications;
    }
}
