//! The queue follows the database, whatever happens to it or to the janitor.

use sever_store::replay::Selection;
use sever_tests::{DOUBLE_EVENTS, Fleet, until};

use super::on_call::OnCall;
use super::{LIMIT, holds, options, order, people, refuse, words, writes};

/// Starts intake again with a crash point, or without one.
async fn restart_intake(fleet: &mut Fleet, point: &str) {
    if !fleet.intake.has_ended().unwrap() {
        fleet.intake.kill().await.unwrap();
    }
    fleet.intake.set("SEVER_CRASH_AT", point);
    fleet.intake.restart().unwrap();
}

/// Waits until intake died where it was told to, and starts it again.
async fn intake_dies(fleet: &mut Fleet, point: &str) {
    let died = std::cell::RefCell::new(&mut fleet.intake);
    until(&format!("intake dies at {point}"), LIMIT, || async {
        Ok(died.borrow_mut().has_ended()?.then_some(()))
    })
    .await
    .unwrap();
    restart_intake(fleet, "").await;
}

/// What the broker lost is published again, a second copy is taken out, and work by hand that was not done is found out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_queue_follows_the_database_whatever_happens_to_it() {
    let fleet = Fleet::start(options()).await.unwrap();
    let account = fleet
        .simulator
        .seed(&people("q", 1))
        .await
        .unwrap()
        .remove(0);
    refuse(&fleet, None, "E0000003").await;
    let leaver = fleet.person("Q0", &[&account]).await.unwrap();
    fleet.leave(&leaver).await.unwrap();
    fleet.jobs_come_to(&["dead"], 1, LIMIT).await.unwrap();
    holds(&fleet, 1).await;

    fleet.purge("sever.dlq.okta.v1").await.unwrap();
    // The lost message is published again.
    holds(&fleet, 1).await;

    let job = fleet.database.sql("SELECT id FROM job").await.unwrap();
    let copy = format!(r#"{{"v":1,"job":"{}"}}"#, job.trim());
    fleet
        .publish_raw("sever.dead", "okta", copy.as_bytes())
        .await
        .unwrap();
    // The second copy is taken out.
    holds(&fleet, 1).await;

    fleet.simulator.no_faults().await.unwrap();
    let on_call = OnCall::start(&fleet).await;
    let resolve = format!(
        "dlq resolve {} --evidence 'said so' --reason 'by hand' --wait",
        job.trim()
    );
    let (code, text) = on_call.run(0, &words(&resolve)).await;
    assert_eq!(code, 1, "{text}");
    assert!(
        text.contains(r#"still there: [["account","ACTIVE"]]"#),
        "{text}"
    );
    assert_eq!(
        fleet
            .database
            .sql("SELECT job.state, dead_letter.state FROM job, dead_letter")
            .await
            .unwrap(),
        "dead|open"
    );
    let succeeded = writes(&fleet)
        .await
        .iter()
        .any(|call| call["changed"] == true);
    assert!(!succeeded, "a re-read wrote at the provider");
    assert_eq!(fleet.violations().await.unwrap(), Vec::<String>::new());
}

/// Whoever keeps the queue or drives a replay dies at each of its boundaries: the queue is brought in step again, and the
/// replay goes on from its rows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_death_of_the_janitor_or_of_a_replay_costs_a_moment() {
    let mut fleet = Fleet::start(options()).await.unwrap();
    let accounts = fleet.simulator.seed(&people("j", 2)).await.unwrap();
    refuse(&fleet, None, "E0000003").await;
    for (number, account) in accounts.iter().enumerate() {
        let person = format!("J{number}");
        let leaver = fleet.person(&person, &[account]).await.unwrap();
        fleet.leave(&leaver).await.unwrap();
    }
    fleet.jobs_come_to(&["dead"], 2, LIMIT).await.unwrap();
    let jobs = fleet.database.sql("SELECT id FROM job").await.unwrap();
    let copy = format!(r#"{{"v":1,"job":"{}"}}"#, jobs.lines().next().unwrap());
    for point in ["before_copy", "after_copy", "after_ack"].map(|when| format!("janitor.{when}")) {
        holds(&fleet, 2).await;
        restart_intake(&mut fleet, &point).await;
        // One message too many: a pass is due.
        let too_many = fleet.publish_raw("sever.dead", "okta", copy.as_bytes());
        too_many.await.unwrap();
        intake_dies(&mut fleet, &point).await;
    }
    holds(&fleet, 2).await;

    fleet.simulator.no_faults().await.unwrap();
    for (job, point) in jobs
        .lines()
        .zip(["replay.before_commit", "replay.after_commit"])
    {
        restart_intake(&mut fleet, point).await;
        order(
            &fleet,
            &Selection {
                ids: vec![job.parse().unwrap()],
                ..Selection::default()
            },
        )
        .await;
        intake_dies(&mut fleet, point).await;
        let ended = format!("SELECT id FROM job WHERE state = 'done' AND id = '{job}'");
        fleet.shows(&ended, LIMIT).await.unwrap();
    }
    let both = "SELECT 1 FROM replay WHERE state = 'done' HAVING count(*) = 2";
    fleet.shows(both, LIMIT).await.unwrap();
    holds(&fleet, 0).await;
    assert_eq!(fleet.database.sql(DOUBLE_EVENTS).await.unwrap(), "");
    assert_eq!(fleet.violations().await.unwrap(), Vec::<String>::new());
}
