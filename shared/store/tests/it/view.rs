//! What is shown of an opt-out, and the status that is derived from it: each fact that speaks against a removal is heard.

use sever_domain::{Grade, OptOutId, Status, StepState};
use sever_store::opt_out_view::{self, OptOutFilter};
use sever_store::person_view::{self, PersonRef};
use sever_store::standing::{clock, overall, standings};
use sever_store::{overview, unmatched};

use crate::world::World;

async fn status(world: &World) -> Status {
    let client = world.client().await;
    let found = standings(&client, &[world.subject]).await.unwrap();
    overall(&found[&world.subject], clock(&client).await.unwrap())
}

#[tokio::test]
async fn a_proven_removal_is_shown_whole() {
    let world = World::removed().await;
    let client = world.client().await;
    let facts = opt_out_view::find(&client, world.opt_out)
        .await
        .unwrap()
        .unwrap();
    let job = &facts.jobs[0];
    let states: Vec<_> = job.steps.iter().map(|step| step.state).collect();
    assert_eq!(
        states,
        [StepState::Verified, StepState::Verified, StepState::Inert]
    );
    let group = &job.steps[1];
    assert_eq!(
        (group.label.as_deref(), group.verdict.as_deref()),
        (Some("Admins"), Some("gone"))
    );
    assert_eq!(group.effect.as_ref().unwrap().status, Some(204));
    assert_eq!(job.inspections.len(), 2);
    assert_eq!(job.inspections[1].families.len(), 3);
    assert_eq!(facts.requests[0].asked_by, "source:hr");
    assert_eq!(
        facts.standings[0].status(facts.head.now),
        Status::FullyRemoved
    );
    assert_eq!(facts.standings[0].facts.weakest_grade, Some(Grade::Implied));
    assert!(
        opt_out_view::find(&client, OptOutId::generate())
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn only_the_newest_revision_of_a_target_is_shown() {
    let world = World::removed().await;
    world
        .sql(
            "INSERT INTO plan SELECT job_id, 2, inspection_id, epoch, digest FROM plan WHERE revision = 1;
             INSERT INTO step (id, job_id, revision, ordinal, binding_id, action, class, target_kind, target_key, privileged, reversibility, declared_grade, facts, state)
             SELECT gen_random_uuid(), job_id, 2, 0, binding_id, action, class, target_kind, target_key, privileged, reversibility, declared_grade, facts, 'planned'
             FROM step WHERE target_key = 'admins'",
        )
        .await;
    let facts = opt_out_view::find(&world.client().await, world.opt_out)
        .await
        .unwrap()
        .unwrap();
    let states: Vec<_> = facts.jobs[0]
        .steps
        .iter()
        .map(|step| (step.revision, step.state))
        .collect();
    assert_eq!(
        states,
        [
            (0, StepState::Verified),
            (1, StepState::Inert),
            (2, StepState::Planned)
        ]
    );
}

#[tokio::test]
async fn each_fact_against_a_removal_keeps_it_partial() {
    let residual = "UPDATE step SET residual_until = now() + interval '1 hour'";
    let unproven = "UPDATE inspection_family SET rule = NULL WHERE rule IS NOT NULL";
    let unread = "DELETE FROM inspection_family WHERE inspection_id IN (SELECT id FROM inspection WHERE purpose = 'closing')";
    let open = "UPDATE opt_out SET state = 'open', closed_at = NULL; UPDATE job SET state = 'held'";
    let successor = "INSERT INTO opt_out (id, subject_id, intent, urgency, effective_at, state)
        SELECT '00000000-0000-7000-8000-00000000eeee', subject_id, intent, urgency, now() + interval '1 day', 'open' FROM opt_out;
        INSERT INTO job (id, kind, opt_out_id, subject_id, connection_id, provider, state, intent, urgency, effective_at, due_at, accepted_at)
        SELECT gen_random_uuid(), kind, '00000000-0000-7000-8000-00000000eeee', subject_id, connection_id, provider, 'waiting', intent, urgency,
               now() + interval '1 day', now() + interval '1 day', now() FROM job";
    for change in [residual, unproven, unread, open, successor] {
        let world = World::removed().await;
        assert_eq!(status(&world).await, Status::FullyRemoved);
        world.sql(change).await;
        assert_eq!(
            status(&world).await,
            Status::PartiallyDisconnected,
            "{change}"
        );
    }
}

/// The hold at one of two connections was rejected: the other one's proof does not speak for both.
#[tokio::test]
async fn a_rejected_connection_keeps_its_opt_out_partial() {
    let world = World::removed().await;
    world
        .sql(
            "INSERT INTO connection (id, provider, name, base_url, credential_ref, token_lifetime_s, clock_skew_s, in_flight_max, jobs_max)
             SELECT '00000000-0000-7000-8000-00000000ffff', provider, 'other', base_url, credential_ref, token_lifetime_s, clock_skew_s, in_flight_max, jobs_max FROM connection;
             INSERT INTO job (id, kind, opt_out_id, subject_id, connection_id, provider, state, state_reason, intent, urgency, effective_at, accepted_at, settled_at)
             SELECT gen_random_uuid(), kind, opt_out_id, subject_id, '00000000-0000-7000-8000-00000000ffff', provider, 'cancelled', 'hold_rejected', intent, urgency, effective_at, accepted_at, now() FROM job",
        )
        .await;
    assert_eq!(status(&world).await, Status::PartiallyDisconnected);
    let facts = opt_out_view::find(&world.client().await, world.opt_out)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        overall(&facts.standings, facts.head.now),
        Status::PartiallyDisconnected
    );
}

#[tokio::test]
async fn what_is_not_in_force_is_not_removed() {
    let world = World::removed().await;
    world.sql("UPDATE opt_out SET state = 'reversed'").await;
    assert_eq!(status(&world).await, Status::Connected, "it was seen whole");
    world
        .sql("UPDATE inspection_family SET result = 'failed', found = 0 WHERE family = 'group'")
        .await;
    assert_eq!(status(&world).await, Status::Unknown);
    world.sql("UPDATE opt_out SET state = 'closed'; UPDATE job SET effective_at = now() + interval '1 day'").await;
    assert_eq!(status(&world).await, Status::Unknown, "it lies ahead");
}

#[tokio::test]
async fn people_are_found_by_id_and_by_key() {
    let world = World::removed().await;
    let client = world.client().await;
    for text in [world.subject.to_string(), "hr:7".to_owned()] {
        let person: PersonRef = text.parse().unwrap();
        let found = person_view::find(&client, &person).await.unwrap().unwrap();
        assert_eq!(
            (found.id, found.keys),
            (world.subject, vec!["hr:7".to_owned()])
        );
    }
    let nobody = "hr:8".parse().unwrap();
    assert!(person_view::find(&client, &nobody).await.unwrap().is_none());
    let accounts = person_view::bindings(&client, world.subject).await.unwrap();
    assert_eq!(accounts[0].provider_id, "00u1");
    assert_eq!(
        person_view::page(&client, None, None, 10)
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        person_view::page(&client, Some(world.subject), None, 10)
            .await
            .unwrap(),
        []
    );
}

#[tokio::test]
async fn lists_and_counts_show_what_is_there() {
    let (world, _) = World::held("mass_guard").await;
    let client = world.client().await;
    let page = opt_out_view::page(&client, OptOutFilter::default(), 10)
        .await
        .unwrap();
    assert_eq!(
        (page.len(), page[0].jobs.len(), page[0].standings.len()),
        (1, 1, 1)
    );
    let before = OptOutFilter {
        before: Some(world.opt_out),
        ..OptOutFilter::default()
    };
    assert_eq!(opt_out_view::page(&client, before, 10).await.unwrap(), []);
    let counts = overview::read(&client).await.unwrap();
    assert_eq!(
        (
            counts.counts["job"]["held"],
            counts.counts["hold"]["mass_guard"],
            counts.unsettled
        ),
        (1, 1, 0)
    );
    assert_eq!(counts.jobs["okta"]["held"], 1);
    world
        .sql("UPDATE request SET state = 'unmatched', opt_out_id = NULL WHERE idem_key = 'k1'")
        .await;
    let waiting = unmatched::page(&client, None, 10).await.unwrap();
    assert_eq!(waiting[0].external_id.as_deref(), Some("7"));
    assert_eq!(
        unmatched::page(&client, Some(waiting[0].id), 10)
            .await
            .unwrap(),
        []
    );
}
