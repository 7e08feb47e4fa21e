//! The mass guard over several jobs of one opt-out: the one that affects most people counts, whichever comes first.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::json;
use sever_domain::entitlement::AccountReading;
use sever_domain::guard::MassGuard;
use sever_domain::identity::{BindingBasis, BindingState};
use sever_domain::plan::{Disposition, PlannedStep};
use sever_domain::{
    Action, BindingId, EntitlementKind, Grade, HoldReason, JobId, Reversibility, StepClass, StepId,
    StepState,
};
use sever_store::job::{
    self, Advance, Advanced, BindingJudgement, Claimed, GuardPolicy, InspectionPurpose,
    IntendedStep, NewInspection, NewPlan, NewStep, ReadAccount, Record,
};
use uuid::Uuid;

use crate::world::{INSTANCE, World};

/// The most people of a window.
const LIMIT: i64 = 10;

/// Two more jobs of the opt-out, each at a connection of its own with an account of its own.
const MORE: [&str; 3] = ["a", "b", "c"];

/// An open removal with a job at each of [`MORE`], ready to be claimed.
async fn world() -> (World, Vec<JobId>) {
    let (world, hold) = World::held("mass_guard").await;
    let (subject, opt_out) = (world.subject, world.opt_out);
    world
        .sql(&format!(
            "DELETE FROM hold WHERE id = '{hold}'; DELETE FROM job; UPDATE opt_out SET revision = 1"
        ))
        .await;
    let mut jobs = Vec::new();
    for name in MORE {
        let (job, connection) = (JobId::generate(), Uuid::now_v7());
        world
            .sql(&format!(
                "INSERT INTO connection (id, provider, name, base_url, credential_ref, token_lifetime_s, clock_skew_s, in_flight_max, jobs_max)
                 VALUES ('{connection}', 'okta', 'okta-{name}', 'https://{name}.okta.com', 'env:OKTA', 3600, 30, 8, 64);
                 INSERT INTO binding (id, subject_id, connection_id, kind, provider_id, state, basis, created_at, confirmed_at)
                 VALUES (gen_random_uuid(), '{subject}', '{connection}', 'account', '0oa{name}', 'confirmed', 'source_listed', now(), now());
                 INSERT INTO job (id, kind, opt_out_id, subject_id, connection_id, provider, state, intent, urgency, effective_at, attempt, lease_epoch, plan_revision, opt_out_revision, accepted_at, due_at)
                 VALUES ('{job}', 'opt_out', '{opt_out}', '{subject}', '{connection}', 'okta', 'waiting', 'remove', 'ordinary', now(), 0, 0, -1, 0, now(), now());
                 UPDATE worker_instance SET heartbeat_at = now()"
            ))
            .await;
        jobs.push(job);
    }
    (world, jobs)
}

fn step(binding: BindingId) -> NewStep {
    let planned = PlannedStep {
        binding,
        action: Action::DisableIntegration,
        class: StepClass::Contain,
        target_kind: EntitlementKind::Account,
        target_key: "0oa1".into(),
        privileged: false,
        reversibility: Reversibility::Reversible,
        grade: Grade::Read,
        rule: None,
        disposition: Disposition::MustGo,
        residual_s: None,
        needs: Vec::new(),
        facts: json!({}),
    };
    NewStep {
        id: StepId::generate(),
        state: StepState::Planned,
        fence: None,
        reason: None,
        planned,
    }
}

/// Claims a job and intends the one step of its plan, which affects so many people.
async fn intend(world: &World, job: JobId, weight: i64) -> Advanced {
    intend_among(world, job, weight, false, Vec::new()).await
}

/// The same; more people than those where nobody could count all, after a change of the database and with what the worker judged.
async fn intend_among(
    world: &World,
    job: JobId,
    weight: i64,
    uncounted: bool,
    bindings: Vec<BindingJudgement>,
) -> Advanced {
    let incarnation: Uuid = world
        .sql("SELECT value FROM incarnation")
        .await
        .trim()
        .parse()
        .unwrap();
    let instance = sever_domain::InstanceId(INSTANCE.parse().unwrap());
    let lease = Duration::from_secs(60);
    let claimed = job::claim(&world.store, job, instance, incarnation, lease)
        .await
        .unwrap();
    let Claimed::Taken(claimed) = claimed else {
        panic!("the job is not to be had: {claimed:?}")
    };
    let binding = claimed.bindings[0].id;
    let step = step(binding);
    let intended = IntendedStep {
        step: step.id,
        effect_no: 1,
        class: StepClass::Contain,
        reversibility: Reversibility::Reversible,
    };
    let inspection = NewInspection {
        purpose: InspectionPurpose::Opening,
        started_at: claimed.now,
        ended_at: claimed.now,
        accounts: vec![ReadAccount {
            binding,
            reading: AccountReading::absent(&[]),
        }],
        proofs: Vec::new(),
    };
    let plan = NewPlan {
        revision: 1,
        steps: vec![step],
        affected: None,
    };
    let advance = Advance {
        uncounted,
        claimed: &claimed,
        names: &HashMap::new(),
        record: Record {
            inspection: Some(inspection),
            bindings,
            ..Record::default()
        },
        plan: Some(&plan),
        intend: vec![intended],
        accounts: Vec::new(),
        attempt: None,
        charged: claimed.charged,
        weight,
        guard: GuardPolicy {
            mass: MassGuard {
                count: LIMIT,
                percent: 100.0,
                minimum: LIMIT,
                window: jiff::SignedDuration::from_hours(1),
            },
            cut_sessions_when_held: false,
        },
        lease,
    };
    job::advance(&world.store, advance).await.unwrap()
}

async fn charged(world: &World) -> String {
    let told = "SELECT (SELECT sum(weight) FROM guard_charge) || ' ' || (SELECT sum(count) FROM guard_counter)";
    world.sql(told).await.trim().to_owned()
}

#[tokio::test]
async fn a_later_job_that_affects_more_people_is_charged_with_the_difference() {
    let (world, jobs) = world().await;
    assert_eq!(intend(&world, jobs[0], 2).await.charged, 2);
    assert_eq!(charged(&world).await, "2 2");
    assert_eq!(intend(&world, jobs[1], 7).await.charged, 7);
    assert_eq!(charged(&world).await, "7 7");
    let fewer = intend(&world, jobs[2], 3).await;
    assert_eq!((fewer.tripped, fewer.intended.len()), (None, 1));
    assert_eq!(charged(&world).await, "7 7");
}

#[tokio::test]
async fn a_small_job_does_not_open_the_way_for_a_large_one() {
    let (world, jobs) = world().await;
    intend(&world, jobs[0], 2).await;
    let large = intend(&world, jobs[1], LIMIT + 1).await;
    assert_eq!(
        (large.tripped, large.intended.len()),
        (Some(HoldReason::MassGuard), 0)
    );
    assert_eq!(charged(&world).await, "2 2");
}

#[tokio::test]
async fn whom_nobody_could_count_waits_for_a_person_however_few_are_known() {
    let (world, jobs) = world().await;
    let few = intend_among(&world, jobs[0], 1, true, Vec::new()).await;
    assert_eq!(
        (few.tripped, few.intended.len()),
        (Some(HoldReason::MassGuard), 0)
    );
    world
        .sql("UPDATE hold SET state = 'released', decided_by = 'token:olga', decided_at = now(), decision = 'known'")
        .await;
    let released = intend_among(&world, jobs[1], 1, true, Vec::new()).await;
    assert_eq!((released.tripped, released.intended.len()), (None, 1));
}

#[tokio::test]
async fn what_is_protected_is_not_touched_under_another_hold_nor_by_a_release_from_before() {
    let (world, jobs) = world().await;
    let (opt_out, subject) = (world.opt_out, world.subject);
    let hold = |reason: &str, policy: &str| {
        format!(
            "INSERT INTO hold (id, scope, target_id, reason, policy, requested_by) VALUES (gen_random_uuid(), 'opt_out', '{opt_out}', '{reason}', '{policy}', 'source:hr');"
        )
    };
    let protect = format!(
        "INSERT INTO protected_principal (id, subject_id, kind, owner, reason) VALUES (gen_random_uuid(), '{subject}', 'break_glass', 'security', 'last resort')"
    );
    let released = "UPDATE hold SET state = 'released', decided_by = 'token:olga', decided_at = now(), decision = 'known'";
    world
        .sql(&(hold("mass_guard", "cut_sessions") + &protect))
        .await;
    let cut = intend(&world, jobs[0], 1).await;
    assert_eq!(
        (cut.tripped, cut.intended.len()),
        (Some(HoldReason::Protected), 0)
    );
    let of_all = format!("{released}, scope = 'opt_out', target_id = '{opt_out}'");
    world.sql(&of_all).await;
    assert_eq!(intend(&world, jobs[1], 1).await.tripped, None);
    world
        .sql("UPDATE protected_principal SET created_at = now() + interval '1 second'")
        .await;
    assert_eq!(
        intend(&world, jobs[2], 1).await.tripped,
        Some(HoldReason::Protected),
        "protected after the release"
    );
}

#[tokio::test]
async fn an_id_that_an_operator_took_out_is_not_put_back_by_a_worker_that_had_read_it() {
    let (world, jobs) = world().await;
    let refuted =
        "UPDATE binding SET state = 'refuted', basis = 'operator' WHERE provider_id = '0oab'";
    world.sql(refuted).await;
    let judged = BindingJudgement {
        id: BindingId::generate(),
        provider_id: "0oab".into(),
        state: BindingState::Confirmed,
        basis: BindingBasis::SourceListed,
    };
    intend_among(&world, jobs[1], 1, false, vec![judged]).await;
    let state = "SELECT state, basis FROM binding WHERE provider_id = '0oab'";
    assert_eq!(world.sql(state).await.trim(), "refuted|operator");
}
