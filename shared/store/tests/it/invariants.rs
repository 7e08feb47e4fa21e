//! Each invariant's statement finds a violation that was planted for it, and nothing in a world where all is well.

use std::collections::BTreeSet;
use std::time::Duration;

use sever_store::invariants::{self, Violation, all, check};

use crate::world::{BINDING, CLOSING, GROUP_STEP, World};

async fn violations(world: &World) -> Vec<Violation> {
    check(&world.client().await, Duration::ZERO).await.unwrap()
}

#[tokio::test]
async fn a_world_where_all_is_well_breaks_nothing() {
    let world = World::removed().await;
    assert_eq!(violations(&world).await, []);
}

#[tokio::test]
async fn every_statement_finds_what_was_planted_for_it() {
    let mut found = BTreeSet::new();
    let world = World::removed().await;
    for (name, plant) in PLANTED {
        let plant = plant
            .replace("$job", &world.job.to_string())
            .replace("$opt_out", &world.opt_out.to_string())
            .replace("$subject", &world.subject.to_string())
            .replace("$connection", &world.connection.to_string())
            .replace("$group_step", GROUP_STEP)
            .replace("$closing", CLOSING)
            .replace("$binding", BINDING);
        world.sql(&plant).await;
        let names: Vec<_> = violations(&world)
            .await
            .iter()
            .map(|violation| violation.name)
            .collect();
        assert!(
            names.contains(name),
            "{name} was planted, {names:?} were found"
        );
        found.insert(*name);
        world.reset().await;
    }
    let untested: Vec<_> = all()
        .iter()
        .map(|invariant| invariant.name)
        .filter(|name| !found.contains(name))
        .collect();
    assert_eq!(untested, [""; 0], "nothing was planted for these");
}

#[tokio::test]
async fn the_grace_lets_what_is_young_pass() {
    let world = World::removed().await;
    world.sql("INSERT INTO outbox (id, exchange, routing_key, body) VALUES (gen_random_uuid(), 'sever.cmd', 'okta', '{\"v\":1,\"job\":\"00000000-0000-7000-8000-000000000001\"}')").await;
    let names = |violations: Vec<Violation>| {
        violations
            .iter()
            .map(|violation| violation.name)
            .collect::<Vec<_>>()
    };
    assert_eq!(names(violations(&world).await), ["outbox_row_too_old"]);
    let later = check(&world.client().await, invariants::PRODUCTION_GRACE).await;
    assert_eq!(names(later.unwrap()), [""; 0]);
}

/// A job that is open again, in an opt-out that is open again.
macro_rules! reopen {
    ($state:literal) => {
        concat!(
            "UPDATE opt_out SET state = 'open', closed_at = NULL; UPDATE job SET state = '",
            $state,
            "', due_at = now() - interval '1 hour', settled_at = NULL;"
        )
    };
}

const PLANTED: &[(&str, &str)] = &[
    ("request_without_job", "INSERT INTO opt_out (id, subject_id, intent, urgency, effective_at, state, closed_at)
            VALUES ('00000000-0000-7000-8000-00000000eeee', '$subject', 'remove', 'ordinary', now(), 'cancelled', now());
        UPDATE request SET opt_out_id = '00000000-0000-7000-8000-00000000eeee'"),
    ("removal_forgotten", "UPDATE request SET state = 'recorded'"),
    ("held_request_without_hold", "UPDATE request SET state = 'held'"),
    ("due_and_not_rung", reopen!("waiting")),
    ("lease_over", "UPDATE opt_out SET state = 'open', closed_at = NULL;
        UPDATE job SET state = 'running', lease_token = gen_random_uuid(), lease_until = now() - interval '1 hour',
               lease_instance = (SELECT id FROM worker_instance), settled_at = NULL"),
    ("held_without_hold", reopen!("held")),
    ("parked_at_open_connection", reopen!("parked")),
    ("open_at_closed_connection", concat!(reopen!("parked"), " UPDATE connection SET state = 'closed'")),
    ("dead_without_letter", reopen!("dead")),
    ("letter_without_dead_job", "INSERT INTO dead_letter (id, job_id, fingerprint, reason, state) VALUES (gen_random_uuid(), '$job', 'okta:x:permanent:y', 'z', 'open')"),
    ("resolving_without_letter", "UPDATE job SET resolving = true"),
    ("member_forgotten", "INSERT INTO dead_letter (id, job_id, fingerprint, reason, state) VALUES ('00000000-0000-7000-8000-00000000d00d', '$job', 'okta:x:permanent:y', 'z', 'open');
        INSERT INTO replay (id, asked_by, reason, selection, state, step_size_max, failed_percent_max, patience_s, closed_at)
        VALUES ('00000000-0000-7000-8000-00000000dddd', 'token:a', 'r', '{}', 'done', 1, 1, 1, now());
        INSERT INTO replay_member (replay_id, dead_letter_id, job_id, ordinal, state)
        VALUES ('00000000-0000-7000-8000-00000000dddd', '00000000-0000-7000-8000-00000000d00d', '$job', 1, 'queued')"),
    ("letter_closed_by_nobody", "INSERT INTO dead_letter (id, job_id, fingerprint, reason, state, closed_at) VALUES (gen_random_uuid(), '$job', 'okta:x:permanent:y', 'z', 'replayed', now())"),
    ("resolved_without_proof", "INSERT INTO dead_letter (id, job_id, fingerprint, reason, state, closed_at, closed_by) VALUES (gen_random_uuid(), '$job', 'okta:x:permanent:y', 'z', 'resolved', now(), 'token:a')"),
    ("dead_letter_queue_out_of_step", "INSERT INTO dlq_look (provider, looked_at, depth, expected, out_of_step_since) VALUES ('okta', now(), 2, 1, now() - interval '1 hour')"),
    ("janitor_gone", concat!(reopen!("dead"), "INSERT INTO dead_letter (id, job_id, fingerprint, reason, state, opened_at) VALUES (gen_random_uuid(), '$job', 'okta:x:permanent:y', 'z', 'open', now() - interval '1 hour')")),
    ("epoch_claimed_twice", "INSERT INTO audit_event (id, actor, kind, subject_id, opt_out_id, job_id, canonical, digest)
        SELECT id, actor, kind, subject_id, opt_out_id, job_id, canonical, digest FROM audit_event WHERE kind = 'job.claimed'"),
    ("epoch_ahead_of_job", "UPDATE plan SET epoch = 2"),
    ("attempt_gap", "UPDATE attempt SET no = 2; UPDATE effect SET attempt = 2"),
    ("attempt_miscounted", "UPDATE job SET attempt = 2"),
    ("two_open_jobs", concat!(reopen!("held"), "DROP INDEX job_one_open;
        INSERT INTO job (id, kind, opt_out_id, subject_id, connection_id, provider, state, intent, urgency, effective_at, due_at, accepted_at)
        SELECT gen_random_uuid(), kind, opt_out_id, subject_id, connection_id, provider, 'waiting', intent, urgency, effective_at,
               now() + interval '1 hour', accepted_at FROM job")),
    ("sent_without_intent", "DELETE FROM effect WHERE step_id = '$group_step'; UPDATE step SET state = 'unknown' WHERE id = '$group_step'"),
    ("answered_before_intent", "UPDATE effect SET answered_at = intent_at - interval '1 second'"),
    ("intent_without_attempt", "UPDATE effect SET epoch = 7; UPDATE job SET lease_epoch = 7"),
    ("open_job_of_ended_opt_out", "UPDATE job SET state = 'held', settled_at = NULL"),
    ("open_opt_out_without_open_job", "UPDATE opt_out SET state = 'open', closed_at = NULL"),
    ("done_with_open_step", "UPDATE step SET state = 'applied', verified_grade = NULL, verified_at = NULL WHERE id = '$group_step'"),
    ("done_without_closing_inspection", "UPDATE inspection SET purpose = 'opening'"),
    ("done_with_unproven_family", "UPDATE inspection_family SET rule = NULL WHERE inspection_id = '$closing' AND family = 'session'"),
    ("done_with_live_entitlement", "INSERT INTO entitlement (inspection_id, ordinal, binding_id, kind, provider_key, privileged, facts)
        VALUES ('$closing', 2, '$binding', 'group', 'admins', true, '{}')"),
    ("done_with_unread_account", "INSERT INTO binding (id, subject_id, connection_id, kind, provider_id, state, basis, confirmed_at)
        VALUES (gen_random_uuid(), '$subject', '$connection', 'account', '00u2', 'confirmed', 'source_listed', now() - interval '1 day')"),
    ("closing_before_last_write", "UPDATE effect SET answered_at = now()"),
    ("plan_that_wrote", "UPDATE job SET kind = 'plan'"),
    ("effect_on_foreign_account", "INSERT INTO subject (id, kind) VALUES ('00000000-0000-7000-8000-00000000ffff', 'person');
        UPDATE binding SET subject_id = '00000000-0000-7000-8000-00000000ffff'"),
    ("waits_for_no_task", concat!(reopen!("waiting"), "UPDATE job SET state_reason = 'task', due_at = now() + interval '1 hour'")),
    ("task_that_was_sent", "INSERT INTO task (step_id, asked_of, what, evidence_required, due_at) VALUES ('$group_step', 'admin', 'x', 'y', now())"),
    ("task_says_otherwise", "UPDATE step SET state = 'asked', verified_grade = NULL, verified_at = NULL WHERE id = '$group_step'"),
    ("task_without_event", "INSERT INTO task (step_id, asked_of, what, evidence_required, due_at, evidence, done_by, done_at, confirmed_by, confirmed_at)
        VALUES ('$group_step', 'admin', 'x', 'y', now(), 'z', 'token:a', now(), 'token:b', now());
        UPDATE step SET state = 'attested', verified_grade = 'attested' WHERE id = '$group_step'"),
    ("attested_by_one", "INSERT INTO task (step_id, asked_of, what, evidence_required, due_at, evidence, done_by, done_at)
        VALUES ('$group_step', 'admin', 'x', 'y', now(), 'z', 'token:a', now());
        UPDATE step SET state = 'attested', verified_grade = 'attested' WHERE id = '$group_step'"),
    ("subject_without_entry", "INSERT INTO subject (id, kind) VALUES ('00000000-0000-7000-8000-00000000ffff', 'integration')"),
    ("binding_of_another_kind", "UPDATE binding SET kind = 'application'"),
    ("integration_without_binding", "INSERT INTO subject (id, kind) VALUES ('00000000-0000-7000-8000-00000000ffff', 'integration');
        INSERT INTO integration (id, name) VALUES ('00000000-0000-7000-8000-00000000ffff', 'crm');
        UPDATE job SET subject_id = '00000000-0000-7000-8000-00000000ffff'"),
    ("job_without_event", "DELETE FROM audit_event WHERE kind = 'job.created'"),
    ("epoch_without_event", "DELETE FROM audit_event WHERE kind = 'job.claimed'"),
    ("end_without_event", "DELETE FROM audit_event WHERE kind = 'job.settled'"),
    ("opt_out_without_event", "DELETE FROM audit_event WHERE kind = 'opt_out.closed'"),
    ("effect_without_event", "DELETE FROM audit_event WHERE kind = 'steps.intended'"),
    ("hold_without_event", "INSERT INTO hold (id, scope, target_id, reason, policy, requested_by, state, decided_by, decided_at)
        VALUES (gen_random_uuid(), 'job', '$job', 'blocked', 'nothing', 'source:hr', 'released', 'token:x', now())"),
    ("event_altered", "UPDATE audit_event SET canonical = convert_to(replace(convert_from(canonical, 'UTF8'), 'worker:', 'worker;'), 'UTF8') WHERE kind = 'job.created'"),
    ("event_columns_differ", "UPDATE audit_event SET actor = 'token:nobody' WHERE kind = 'job.created'"),
    ("outbox_row_too_old", "INSERT INTO outbox (id, exchange, routing_key, body, created_at)
        VALUES (gen_random_uuid(), 'sever.cmd', 'okta', '{\"v\":1,\"job\":\"$job\"}', now() - interval '1 hour')"),
    ("message_with_more_than_ids", "INSERT INTO outbox (id, exchange, routing_key, body)
        VALUES (gen_random_uuid(), 'sever.cmd', 'okta', '{\"v\":1,\"job\":\"$job\",\"name\":\"Ada\"}')"),
    ("personal_data_in_record", "INSERT INTO hold (id, scope, target_id, reason, policy, detail, requested_by)
        VALUES (gen_random_uuid(), 'job', '$job', 'blocked', 'nothing', '{\"login\": \"ada@example.test\"}', 'source:hr')"),
];
