//! Tasks: who may say what of them, what that sets going, and that a worker's read and a person's word do not hinder each other.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use sever_domain::{Grade, InstanceId, OptOutId, Status, StepId, StepState};
use sever_store::job::{self, Claimed, ClaimedJob, Record, Settlement, StepChange};
use sever_store::standing::{clock, overall, standings};
use sever_store::task::{self, TaskFilter, TaskRow};
use sever_store::task_decision::{self, Evidence, TaskError};
use sever_store::{gauges, job_view, overview};

use crate::world::{INSTANCE, TASK, World};

const EVIDENCE: Evidence<'_> = Evidence {
    text: Some("revoked in the console"),
    digest: Some([7; 32]),
    reference: Some("TICKET-1"),
};

fn id() -> StepId {
    TASK.parse().unwrap()
}

async fn done(world: &World, actor: &str) -> Result<(), TaskError> {
    let mut client = world.client().await;
    let tx = client.begin().await.unwrap();
    task_decision::done(&tx, id(), actor, EVIDENCE).await?;
    tx.commit().await.unwrap();
    Ok(())
}

async fn confirm(world: &World, actor: &str) -> Result<(), TaskError> {
    let mut client = world.client().await;
    let tx = client.begin().await.unwrap();
    task_decision::confirm(&tx, id(), actor).await?;
    tx.commit().await.unwrap();
    Ok(())
}

async fn refuse(world: &World, actor: &str) -> Result<(), TaskError> {
    let mut client = world.client().await;
    let tx = client.begin().await.unwrap();
    task_decision::refuse(&tx, id(), actor, "it is still there").await?;
    tx.commit().await.unwrap();
    Ok(())
}

async fn found(world: &World) -> TaskRow {
    let found = task::find(&world.client().await, id()).await.unwrap();
    found.unwrap()
}

/// The job's state and reason, whether it is due, and its bells.
async fn job(world: &World) -> String {
    world
        .sql("SELECT state, coalesce(state_reason, '-'), due_at <= now(), (SELECT count(*) FROM outbox) FROM job")
        .await
}

#[tokio::test]
async fn done_is_not_proof_and_makes_the_job_look_at_once() {
    let world = World::asked().await;
    assert_eq!(job(&world).await, "waiting|task|f|0");
    done(&world, "token:ops").await.unwrap();
    let task = found(&world).await;
    assert_eq!((task.state, task.open), (StepState::Asserted, true));
    assert_eq!(task.words.done_by.as_deref(), Some("token:ops"));
    assert_eq!(task.words.evidence_digest, Some(vec![7; 32]));
    assert_eq!(job(&world).await, "waiting|-|t|1", "its bell rings");
    assert_eq!(world.kinds().await.last().unwrap(), "task.asserted");
    let standing = standings(&world.client().await, &[world.subject])
        .await
        .unwrap();
    let now = clock(&world.client().await).await.unwrap();
    assert_eq!(
        overall(&standing[&world.subject], now),
        Status::PartiallyDisconnected
    );
    let nothing = Evidence::default();
    let mut client = world.client().await;
    let tx = client.begin().await.unwrap();
    let error = task_decision::done(&tx, id(), "token:ops", nothing).await;
    assert!(matches!(error, Err(TaskError::NoEvidence(_))), "{error:?}");
}

#[tokio::test]
async fn only_another_person_confirms_and_then_it_is_attested() {
    let world = World::asked().await;
    let early = confirm(&world, "token:on-call").await.unwrap_err();
    assert!(matches!(early, TaskError::NotAsserted(_)), "{early}");
    done(&world, "token:ops").await.unwrap();
    let own = confirm(&world, "token:ops").await.unwrap_err();
    assert!(
        matches!(&own, TaskError::SamePerson { done_by, .. } if done_by == "token:ops"),
        "{own}"
    );
    assert_eq!(found(&world).await.state, StepState::Asserted);
    confirm(&world, "token:on-call").await.unwrap();
    let task = found(&world).await;
    assert_eq!((task.state, task.open), (StepState::Attested, false));
    let facts = job_view::of_opt_out(&world.client().await, world.opt_out).await;
    let steps = facts.unwrap().remove(0).steps;
    let step = steps.iter().find(|step| step.id == id()).unwrap();
    let words = step.task.as_ref().unwrap();
    assert_eq!(words.confirmed_by.as_deref(), Some("token:on-call"));
    assert_eq!(step.verified_grade, Some(Grade::Attested));
    let (proven, residual) = (step.verified_at.unwrap(), step.residual_until.unwrap());
    assert_eq!(residual.duration_since(proven).as_secs(), 600);
    assert_eq!(world.kinds().await.last().unwrap(), "task.confirmed");
    for error in [
        confirm(&world, "token:x").await,
        refuse(&world, "token:x").await,
        done(&world, "token:x").await,
    ] {
        assert!(matches!(error, Err(TaskError::NotOpen { .. })), "{error:?}");
    }
}

#[tokio::test]
async fn an_attested_step_is_the_weakest_proof_of_a_removal() {
    let world = World::asked().await;
    done(&world, "token:ops").await.unwrap();
    confirm(&world, "token:on-call").await.unwrap();
    world
        .sql("UPDATE job SET state = 'done'; UPDATE step SET residual_until = NULL; UPDATE opt_out SET state = 'closed', closed_at = now()")
        .await;
    let client = world.client().await;
    let standing = &standings(&client, &[world.subject]).await.unwrap()[&world.subject];
    assert_eq!(standing[0].facts.weakest_grade, Some(Grade::Attested));
    let now = clock(&client).await.unwrap();
    assert_eq!(overall(standing, now), Status::FullyRemoved);
}

#[tokio::test]
async fn a_refused_word_is_asked_again() {
    let world = World::asked().await;
    done(&world, "token:ops").await.unwrap();
    refuse(&world, "token:on-call").await.unwrap();
    let task = found(&world).await;
    assert_eq!((task.state, task.open), (StepState::Asked, true));
    let words = &task.words;
    assert_eq!(
        (&words.done_by, &words.evidence, &words.evidence_digest),
        (&None, &None, &None)
    );
    assert_eq!(words.refused_by.as_deref(), Some("token:on-call"));
    assert_eq!(words.refused_why.as_deref(), Some("it is still there"));
    assert_eq!(world.kinds().await.last().unwrap(), "task.refused");
    done(&world, "token:ops").await.unwrap();
    confirm(&world, "token:on-call").await.unwrap();
}

#[tokio::test]
async fn nobody_is_asked_by_what_is_over_or_was_replaced() {
    let world = World::asked().await;
    let newer = "INSERT INTO plan SELECT job_id, 2, inspection_id, epoch, digest FROM plan WHERE revision = 1;
        INSERT INTO step (id, job_id, revision, ordinal, binding_id, action, class, target_kind, target_key, privileged, reversibility, declared_grade, facts, state)
        SELECT '00000000-0000-7000-8000-000000000005', job_id, 2, 0, binding_id, action, class, target_kind, target_key, privileged, reversibility, declared_grade, facts, state
        FROM step WHERE target_kind = 'api_token'";
    world.sql(newer).await;
    let replaced = done(&world, "token:ops").await.unwrap_err();
    assert!(
        matches!(replaced, TaskError::Superseded { .. }),
        "{replaced}"
    );
    assert!(found(&world).await.superseded_by.is_some());
    world
        .sql("DELETE FROM step WHERE revision = 2; UPDATE job SET state = 'cancelled'")
        .await;
    let over = done(&world, "token:ops").await.unwrap_err();
    assert!(matches!(over, TaskError::Over { .. }), "{over}");
    let mut client = world.client().await;
    let tx = client.begin().await.unwrap();
    let nobody = task_decision::confirm(&tx, StepId::generate(), "token:ops").await;
    assert!(matches!(nobody, Err(TaskError::NotFound(_))), "{nobody:?}");
}

#[tokio::test]
async fn tasks_are_listed_and_counted_while_somebody_is_asked() {
    let world = World::asked().await;
    let client = world.client().await;
    let count = async |filter: TaskFilter| task::page(&client, filter, 10).await.unwrap().len();
    let all = TaskFilter::default();
    let overdue = TaskFilter {
        overdue: true,
        ..all
    };
    let of = |opt_out| TaskFilter {
        opt_out: Some(opt_out),
        ..all
    };
    let whose = TaskFilter {
        subject: Some(world.subject),
        ..all
    };
    let after = TaskFilter {
        after: Some(id()),
        ..all
    };
    for (filter, expected) in [
        (all, 1),
        (overdue, 1),
        (of(world.opt_out), 1),
        (of(OptOutId::generate()), 0),
        (whose, 1),
        (after, 0),
    ] {
        assert_eq!(count(filter).await, expected, "{filter:?}");
    }
    let counts = gauges::open_tasks(&client).await.unwrap();
    assert_eq!(
        (counts[0].state, counts[0].tasks, counts[0].overdue),
        (StepState::Asked, 1, 1)
    );
    let fleet = overview::read(&client).await.unwrap();
    assert_eq!(
        (fleet.counts["task"]["asked"], fleet.unsettled),
        (1, 0),
        "only a person moves it on"
    );
    world
        .sql("UPDATE task SET due_at = now() + interval '1 hour'")
        .await;
    assert_eq!(count(overdue).await, 0);
    world.sql("UPDATE job SET kind = 'plan'").await;
    assert_eq!(count(all).await, 0, "a plan asks nobody");
    world
        .sql("UPDATE job SET kind = 'opt_out', state = 'done'")
        .await;
    assert_eq!(count(all).await, 0);
    let closed_too = TaskFilter {
        closed_too: true,
        ..all
    };
    assert_eq!(count(closed_too).await, 1);
}

/// Claims the world's job, as its worker does.
async fn claim(world: &World) -> ClaimedJob {
    world.sql("UPDATE job SET due_at = now()").await;
    let instance: InstanceId = INSTANCE.parse().unwrap();
    let incarnation = world.sql("SELECT value FROM incarnation").await;
    let claimed = job::claim(
        &world.store,
        world.job,
        instance,
        incarnation.parse().unwrap(),
        Duration::from_secs(60),
    );
    match claimed.await.unwrap() {
        Claimed::Taken(claimed) => *claimed,
        other => panic!("{other:?}"),
    }
}

async fn settle(world: &World, claimed: &ClaimedJob, changes: Vec<StepChange>) {
    let learnt = Record {
        changes,
        ..Record::default()
    };
    let wait = Settlement::Wait {
        why: "task",
        after: Duration::from_secs(300),
    };
    let names = HashMap::new();
    job::settle(&world.store, claimed, &names, learnt, None, &wait)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_word_said_while_a_worker_reads_is_heard_when_it_settles() {
    let world = World::asked().await;
    let claimed = claim(&world).await;
    done(&world, "token:ops").await.unwrap();
    assert_eq!(
        world.sql("SELECT state, rung_again FROM job").await,
        "running|t"
    );
    settle(&world, &claimed, Vec::new()).await;
    assert_eq!(job(&world).await, "waiting|task|t|0", "due at once");
    let again = claim(&world).await;
    settle(&world, &again, Vec::new()).await;
    assert_eq!(job(&world).await, "waiting|task|f|0", "nobody said more");
}

#[tokio::test]
async fn what_a_worker_read_counts_whatever_a_person_says_meanwhile() {
    let world = World::asked().await;
    let claimed = claim(&world).await;
    done(&world, "token:ops").await.unwrap();
    confirm(&world, "token:on-call").await.unwrap();
    let read = StepChange {
        step: id(),
        expected: StepState::Asked,
        next: StepState::Verified,
        reason: None,
        grade: Some(Grade::Read),
        verified_at: Some(Timestamp::UNIX_EPOCH),
        residual_until: None,
    };
    settle(&world, &claimed, vec![read]).await;
    assert_eq!(
        world
            .sql(&format!(
                "SELECT state, verified_grade FROM step WHERE id = '{TASK}'"
            ))
            .await,
        "verified|read"
    );
}
