//! One transaction of a job's epoch: what was answered and read is recorded, and either the next wave
//! is intended or the job is settled.
//!
//! Locks are taken in one order everywhere: subject, opt-out, job, guard. What does not wait for an
//! answer travels together, because many transactions wait for the guard's lock.

use std::collections::HashMap;
use std::time::Duration;

use futures::try_join;
use jiff::Timestamp;
use serde_json::{Value, json};
use sever_audit::{AuditEvent, AuditKind, Particulars};
use sever_domain::intent::{Allowance, IntentDecision};
use sever_domain::{HoldPolicy, HoldReason, Reversibility, StepClass, StepId};
use uuid::Uuid;

use super::settle::{self, Settled};
use super::settlement::Settlement;
use super::types::{
    BindingJudgement, ClaimedJob, EffectAnswer, EffectOutcome, GuardPolicy, NewInspection, NewPlan,
    StepChange, StepName, Verification,
};
use super::{answers, evidence, guard, intent, plan};
use crate::audit;
use crate::error::StoreError;
use crate::pool::{Store, Tx};

/// What an epoch has learnt since its last transaction.
#[derive(Debug, Default)]
pub struct Record {
    /// What a resolve found out.
    pub bindings: Vec<BindingJudgement>,
    /// The answers to the wave before.
    pub answers: Vec<EffectAnswer>,
    /// Changes of stored steps.
    pub changes: Vec<StepChange>,
    /// What was read.
    pub inspection: Option<NewInspection>,
    /// What the inspection says of each step.
    pub verifications: Vec<Verification>,
    /// When the first effect was answered, if it was now.
    pub first_revocation_at: Option<Timestamp>,
}

/// A step that is to be intended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IntendedStep {
    /// The step.
    pub step: StepId,
    /// The number of the effect that its call will be.
    pub effect_no: i32,
    /// What it is for.
    pub class: StepClass,
    /// Whether it can be taken back.
    pub reversibility: Reversibility,
}

/// The input of [`advance`].
pub struct Advance<'a> {
    /// The claimed job.
    pub claimed: &'a ClaimedJob,
    /// How steps are named in audit events; every step mentioned is in it.
    pub names: &'a HashMap<StepId, StepName>,
    /// What was learnt.
    pub record: Record,
    /// A plan to be stored; it rests on the inspection recorded here.
    pub plan: Option<&'a NewPlan>,
    /// The steps to intend: stored ones in state `planned`, or ones of the new plan.
    pub intend: Vec<IntendedStep>,
    /// The provider's ids of the accounts that the epoch works on.
    pub accounts: Vec<String>,
    /// The number of this epoch's attempt, once its row exists.
    pub attempt: Option<i32>,
    /// With how many people the mass guard has been charged.
    pub charged: i64,
    /// How many people it is charged with: those affected, one at least.
    pub weight: i64,
    /// Whether there are more whom nobody could count.
    pub uncounted: bool,
    /// The guard.
    pub guard: GuardPolicy,
    /// The ceiling to which the lease is extended.
    pub lease: Duration,
}

/// What an advance came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advanced {
    /// Whether the wave may go, and under which allowance.
    pub decision: IntentDecision,
    /// The steps whose intent is committed: their calls may be sent.
    pub intended: Vec<StepId>,
    /// The epoch's attempt, if its row exists now.
    pub attempt: Option<i32>,
    /// With how many people the mass guard is charged now.
    pub charged: i64,
    /// The guard that opened a hold in this transaction.
    pub tripped: Option<HoldReason>,
    /// The transaction's time.
    pub now: Timestamp,
}

/// Records, stores a plan, and intends the next wave, in one transaction.
///
/// Only after this returns may the calls of the intended steps be sent.
///
/// # Errors
/// [`StoreError::Conflict`] when the lease is lost; else as any statement.
pub async fn advance(store: &Store, input: Advance<'_>) -> Result<Advanced, StoreError> {
    if wants_charge(&input)
        && !is_uncounted(&input)
        && let Some(advanced) = try_advance(store, &input, GuardAsked::Last).await?
    {
        return Ok(advanced);
    }
    let advanced = try_advance(store, &input, GuardAsked::First).await?;
    advanced.ok_or(StoreError::Conflict {
        doing: "advancing a job",
    })
}

/// Whether more people are affected than the mass guard is charged with.
fn wants_charge(input: &Advance<'_>) -> bool {
    !input.intend.is_empty() && (input.charged < input.weight.max(1) || is_uncounted(input))
}

/// Whether nobody knows how many people are affected, and no person has said that it may be done all the same.
fn is_uncounted(input: &Advance<'_>) -> bool {
    input.uncounted && !input.claimed.released.contains(&HoldReason::MassGuard)
}

/// When a transaction asks the mass guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GuardAsked {
    /// Before it writes, so that it can open the hold if it must.
    First,
    /// After it has written everything, so that others wait for a moment only; given up where the guard says no.
    Last,
}

/// One transaction. `None` where the guard was asked last and did not admit it: nothing is written.
async fn try_advance(
    store: &Store,
    input: &Advance<'_>,
    asked: GuardAsked,
) -> Result<Option<Advanced>, StoreError> {
    let mut client = store.client("advancing a job").await?;
    let tx = client.begin().await?;
    let claimed = input.claimed;
    let weight = input.weight.max(1);
    let wants_charge = wants_charge(input);
    let locked = intent::lock(&tx, claimed, &input.accounts).await?;
    let (facts, protected) = (locked.facts, locked.protected);
    evidence::judge_bindings(&tx, claimed, &input.record.bindings).await?;
    let mut events = Events {
        claimed,
        now: facts.now,
        list: Vec::new(),
    };
    let mut decision = sever_domain::intent::decide(&facts);
    let mut charged = input.charged;
    let mut charge = false;
    let mut tripped = None;
    if let (IntentDecision::Go(allowance), false) = (decision, input.intend.is_empty()) {
        let checked = guard::check(
            &tx,
            claimed,
            allowance,
            protected,
            (wants_charge && asked == GuardAsked::First).then_some(guard::Charge {
                weight,
                uncounted: is_uncounted(input),
            }),
            &input.guard,
            &mut events,
        )
        .await?;
        decision = IntentDecision::Go(checked.allowance);
        if checked.charged {
            charged = charged.max(weight);
        }
        charge = checked.charge;
        tripped = checked.tripped;
    }
    let everything = decision == IntentDecision::Go(Allowance::Everything);
    let charge_last = wants_charge && asked == GuardAsked::Last && everything;
    if charge_last {
        charged = weight;
        let data = guard::describe_charge(weight, &input.guard, locked.active_people);
        events.add(AuditKind::GuardCharged, data);
    }
    let intended = allowed(&input.intend, decision);
    let attempt = if intended.is_empty() {
        input.attempt
    } else {
        Some(input.attempt.unwrap_or(claimed.attempts + 1))
    };
    // So many statements side by side are a large future; one allocation keeps it off the job's own.
    Box::pin(write(&tx, input, &intended, attempt, charge, events)).await?;
    if charge_last
        && !guard::charge_last(&tx, claimed, weight, &input.guard, locked.active_people).await?
    {
        return Ok(None);
    }
    sever_crash_point::hit("intent.before_commit");
    tx.commit().await?;
    sever_crash_point::hit("intent.after_commit");
    Ok(Some(Advanced {
        decision,
        intended: intended.iter().map(|step| step.step).collect(),
        attempt,
        charged,
        tripped,
        now: facts.now,
    }))
}

/// Writes everything of an intent transaction. It is sent at once, so that its locks are held for one round
/// trip and the commit.
async fn write(
    tx: &Tx<'_>,
    input: &Advance<'_>,
    intended: &[IntendedStep],
    attempt: Option<i32>,
    charge: bool,
    mut events: Events<'_>,
) -> Result<(), StoreError> {
    let (claimed, learnt) = (input.claimed, &input.record);
    let inspection = Recorded::of(learnt);
    inspection.describe(learnt, input.names, &mut events);
    if let Some(plan) = input.plan {
        events.add(AuditKind::PlanStored, plan::describe_plan(plan));
    }
    if !intended.is_empty() {
        let steps = intended.iter().map(|step| name(input.names, step.step));
        let steps: Vec<Value> = steps.collect();
        events.add(
            AuditKind::StepsIntended,
            json!({"attempt": attempt, "steps": steps}),
        );
    }
    let is_new = |step: StepId| {
        let mut new = input.plan.iter().flat_map(|plan| &plan.steps);
        new.any(|new| new.id == step)
    };
    let stored: Vec<IntendedStep> = intended
        .iter()
        .copied()
        .filter(|step| !is_new(step.step))
        .collect();
    let charging = async {
        match charge {
            true => guard::charge(tx, claimed, input.weight.max(1)).await,
            false => Ok(()),
        }
    };
    let planning = async {
        match input.plan {
            Some(plan) => plan::insert_plan(tx, claimed, plan, inspection.id, intended).await,
            None => Ok(()),
        }
    };
    let plan_revision = input.plan.map(|plan| plan.revision);
    let first_revocation_at = learnt.first_revocation_at;
    tx.prepare(&evidence::STATEMENTS, "preparing an intent")
        .await?;
    tx.prepare(&plan::STATEMENTS, "preparing an intent").await?;
    tx.prepare(&[intent::INSERT_EFFECTS], "preparing an intent")
        .await?;
    try_join!(
        charging,
        record(tx, claimed, learnt, &inspection, &stored),
        intent::make_attempt(tx, claimed, attempt, input.attempt),
        planning,
        intent::insert_effects(tx, claimed, attempt, intended),
        intent::touch_job(
            tx,
            claimed,
            plan_revision,
            first_revocation_at,
            attempt,
            input.lease
        ),
        audit::insert(tx, &events.list)
    )
    .map(drop)
}

/// Records and settles: the job leaves this worker, in one transaction. Only after this returns may
/// the bell be acked.
///
/// # Errors
/// [`StoreError::Conflict`] when the lease is lost; else as any statement.
pub async fn settle(
    store: &Store,
    claimed: &ClaimedJob,
    names: &HashMap<StepId, StepName>,
    learnt: Record,
    attempt: Option<i32>,
    settlement: &Settlement,
) -> Result<Settled, StoreError> {
    let mut client = store.client("settling a job").await?;
    let tx = client.begin().await?;
    let locked = settle::lock(&tx, claimed, settlement).await?;
    let mut events = Events {
        claimed,
        now: locked.now,
        list: Vec::new(),
    };
    evidence::judge_bindings(&tx, claimed, &learnt.bindings).await?;
    let inspection = Recorded::of(&learnt);
    inspection.describe(&learnt, names, &mut events);
    let taken = |answer: &EffectAnswer| {
        matches!(
            answer.outcome,
            EffectOutcome::Done | EffectOutcome::AlreadyGone
        )
    };
    let progress = settle::Progress {
        first_revocation_at: learnt.first_revocation_at,
        answered: learnt.answers.iter().any(taken) || is_healthy_wait(&learnt, settlement),
    };
    tx.prepare(&evidence::STATEMENTS, "preparing a settle")
        .await?;
    // So many statements side by side are a large future; one allocation keeps it off the job's own.
    let ((), settled) = Box::pin(async {
        try_join!(
            record(&tx, claimed, &learnt, &inspection, &[]),
            settle::finish(
                &tx,
                claimed,
                attempt,
                &progress,
                settlement,
                &locked,
                &mut events
            )
        )
    })
    .await?;
    audit::insert(&tx, &events.list).await?;
    sever_crash_point::hit("settle.before_commit");
    tx.commit().await?;
    sever_crash_point::hit("settle.after_commit");
    Ok(settled)
}

/// Whether the job was read as it should be and waits for somebody else: what failed before is over. `propagation`
/// is the provider's own lateness.
fn is_healthy_wait(learnt: &Record, settlement: &Settlement) -> bool {
    learnt.inspection.is_some()
        && matches!(settlement, Settlement::Wait { why, .. } if *why != "propagation")
}

/// The audit events of one transaction.
pub(super) struct Events<'a> {
    claimed: &'a ClaimedJob,
    now: Timestamp,
    list: Vec<AuditEvent>,
}

impl Events<'_> {
    pub(super) fn add(&mut self, kind: AuditKind, data: impl Into<Particulars>) {
        let event = AuditEvent::new(
            kind,
            self.now,
            format!("worker:{}", self.claimed.lease.instance),
            data,
        )
        .subject(self.claimed.subject)
        .opt_out(self.claimed.opt_out)
        .job(self.claimed.lease.job);
        self.list.push(event);
    }
}

fn allowed(wanted: &[IntendedStep], decision: IntentDecision) -> Vec<IntendedStep> {
    let IntentDecision::Go(allowance) = decision else {
        return Vec::new();
    };
    if allowance == Allowance::Under(HoldPolicy::Nothing) {
        return Vec::new();
    }
    wanted
        .iter()
        .copied()
        .filter(|step| allowance.allows(step.class, step.reversibility))
        .collect()
}

/// What of a record is known before it is written.
struct Recorded {
    /// The inspection's id, where there is one.
    id: Option<Uuid>,
    /// Its digest; empty where there is none.
    digest: Vec<u8>,
}

impl Recorded {
    fn of(learnt: &Record) -> Self {
        let inspection = learnt.inspection.as_ref();
        Self {
            id: inspection.map(|_| Uuid::now_v7()),
            digest: inspection.map_or_else(Vec::new, evidence::inspection_digest),
        }
    }

    /// Tells the audit events of a record.
    fn describe(
        &self,
        learnt: &Record,
        names: &HashMap<StepId, StepName>,
        events: &mut Events<'_>,
    ) {
        if !learnt.bindings.is_empty() {
            let judged = |binding: &BindingJudgement| json!({"binding": binding.id, "account": binding.provider_id, "state": binding.state, "basis": binding.basis});
            let judged = learnt.bindings.iter().map(judged).collect();
            events.add(AuditKind::BindingJudged, Value::Array(judged));
        }
        if !learnt.answers.is_empty() {
            let answers = learnt.answers.iter();
            let answers = answers.map(|answer| answers::describe(answer, names));
            events.add(AuditKind::EffectsAnswered, answers.collect::<Value>());
        }
        let Some(inspection) = &learnt.inspection else {
            return;
        };
        events.add(
            AuditKind::InspectionStored,
            evidence::describe_inspection(inspection, &self.digest),
        );
        let judged = learnt
            .changes
            .iter()
            .filter(|change| change.next.is_closed());
        let judged: Vec<Value> = judged.map(|change| judged_step(change, names)).collect();
        if !judged.is_empty() {
            events.add(AuditKind::StepsJudged, Value::Array(judged));
        }
    }
}

/// Writes what was learnt. Everything is sent when it is first polled.
async fn record(
    tx: &Tx<'_>,
    claimed: &ClaimedJob,
    learnt: &Record,
    recorded: &Recorded,
    intended: &[IntendedStep],
) -> Result<(), StoreError> {
    let digest = recorded.digest.as_slice();
    let inspecting = async {
        let (Some(inspection), Some(id)) = (&learnt.inspection, recorded.id) else {
            return Ok(());
        };
        let verifications = &learnt.verifications;
        try_join!(
            evidence::insert_inspection(tx, claimed, id, inspection, digest),
            evidence::insert_verifications(tx, id, inspection, verifications, digest)
        )
        .map(drop)
    };
    try_join!(
        answers::insert(tx, claimed, &learnt.answers),
        answers::change_steps(tx, &learnt.changes, intended),
        inspecting
    )
    .map(drop)
}

fn judged_step(change: &StepChange, names: &HashMap<StepId, StepName>) -> Value {
    let mut described = name(names, change.step);
    described["state"] = json!(change.next);
    described["grade"] = json!(change.grade);
    described
}

pub(super) fn name(names: &HashMap<StepId, StepName>, step: StepId) -> Value {
    match names.get(&step) {
        Some(name) => {
            json!({"step": step, "action": name.action, "target_kind": name.target_kind, "target": name.target_key})
        }
        None => json!({"step": step}),
    }
}
