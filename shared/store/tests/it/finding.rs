//! What ends a finding, what does not, and what a repair that came to nothing leaves.

use jiff::{SignedDuration, Timestamp};
use sever_domain::{
    AccountState, DriftAction, EntitlementKind, FindingState, HoldId, RunKind, Situation,
};
use sever_store::drift::{self, Compared};
use sever_store::finding::{self, FindingRow, Look};
use sever_store::hold_decision::{Approver, HoldError};
use sever_store::hold_release;

use crate::drift::{GONE, LIVE, Scene};
use crate::world::World;

/// The world's leaver, whose removal was proven, at an inventory after everything that Sever wrote.
async fn removed() -> Scene {
    let world = World::removed().await;
    Scene {
        connection: world.connection,
        me: crate::world::INSTANCE.parse().unwrap(),
        seen_at: Timestamp::now() + SignedDuration::from_secs(5),
        store: world.database.store().unwrap(),
        database: world.database,
    }
}

async fn one(scene: &Scene, cause: &str) -> FindingRow {
    let findings = scene.findings().await;
    let found = findings.iter().find(|finding| finding.cause_key == cause);
    found.unwrap_or_else(|| panic!("{findings:?}")).clone()
}

async fn look(scene: &Scene, cause: &str, state: AccountState) {
    let look = Look {
        id: one(scene, cause).await.id,
        state,
        seen_at: Timestamp::now() + SignedDuration::from_secs(9),
    };
    let mut client = scene.store.client("testing").await.unwrap();
    let tx = client.begin().await.unwrap();
    finding::judge_looks(&tx, &[look], "worker:x")
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

/// Lets the world's opt-out be the finding's repair, and settles.
async fn repaired_by_the_worlds_opt_out(scene: &Scene, cause: &str) {
    scene
        .sql(&format!(
            "UPDATE finding SET state = 'repairing', opt_out_id = (SELECT id FROM opt_out ORDER BY opened_at LIMIT 1) WHERE cause_key = '{cause}'"
        ))
        .await;
    let mut client = scene.store.client("testing").await.unwrap();
    let tx = client.begin().await.unwrap();
    finding::settle_repairs(&tx, "system:reconciler")
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn an_account_beside_the_known_one_is_shown_and_no_repair_of_the_known_one_proves_it_gone() {
    let scene = removed().await;
    let accounts = vec![scene.account("00u1", GONE), scene.named("00u2", "Ada")];
    scene.run(RunKind::Full, accounts, vec![]).await;
    let beside = one(&scene, "account:00u2").await;
    assert_eq!(
        (beside.situation, beside.action),
        (Situation::Resurrected, DriftAction::Report)
    );
    repaired_by_the_worlds_opt_out(&scene, "account:00u2").await;
    let beside = one(&scene, "account:00u2").await;
    assert_eq!(
        (beside.state, beside.state_reason.as_deref(), beside.opt_out),
        (FindingState::Open, Some("not_touched"), None)
    );
}

#[tokio::test]
async fn a_repair_that_was_called_off_can_be_asked_for_again_and_an_older_proof_is_none_for_it() {
    let scene = removed().await;
    scene
        .run(RunKind::Full, vec![scene.account("00u1", LIVE)], vec![])
        .await;
    look(&scene, "account:00u1", LIVE).await;
    scene
        .sql(
            "INSERT INTO job (id, kind, opt_out_id, subject_id, connection_id, provider, state, intent, urgency, effective_at, accepted_at, settled_at, created_at)
             SELECT gen_random_uuid(), 'opt_out', opt_out_id, subject_id, connection_id, 'okta', 'cancelled', 'remove', 'ordinary', now(), now(), now(), now() + interval '1 second' FROM job",
        )
        .await;
    repaired_by_the_worlds_opt_out(&scene, "account:00u1").await;
    let off = one(&scene, "account:00u1").await;
    assert_eq!(
        (off.state, off.state_reason.as_deref(), off.action),
        (
            FindingState::Open,
            Some("repair_called_off"),
            DriftAction::Report
        )
    );
    let mut client = scene.store.client("testing").await.unwrap();
    let tx = client.begin().await.unwrap();
    assert_eq!(
        finding::ask_repair(&tx, off.id, "token:olga")
            .await
            .unwrap(),
        Some(true)
    );
    tx.commit().await.unwrap();
    let due = finding::to_repair(&client, 10).await.unwrap();
    assert_eq!(due.len(), 1);
    assert_eq!((due[0].by_hand, due[0].repairs), (true, 1), "another key");
}

#[tokio::test]
async fn whoever_no_list_of_the_directory_names_is_repaired_as_the_read_by_id_showed() {
    for (read, repaired_as) in [
        (AccountState::Contained, "contained"),
        (AccountState::Absent, "absent"),
    ] {
        let scene = removed().await;
        scene
            .run(RunKind::Full, vec![scene.account("00u1", LIVE)], vec![])
            .await;
        scene
            .sql("UPDATE finding SET situation = 'gone_at_source', evidence = evidence || '{\"state\": \"absent\"}'")
            .await;
        look(&scene, "account:00u1", read).await;
        let found = one(&scene, "account:00u1").await;
        let mut client = scene.store.client("testing").await.unwrap();
        let tx = client.begin().await.unwrap();
        let asked = finding::ask_repair(&tx, found.id, "token:olga").await;
        assert_eq!(asked.unwrap(), Some(true));
        tx.commit().await.unwrap();
        let due = finding::to_repair(&client, 10).await.unwrap();
        assert_eq!(due[0].account_state.as_deref(), Some(repaired_as));
        let hold = scene
            .sql(&format!(
                "UPDATE finding SET state = 'repairing', opt_out_id = (SELECT id FROM opt_out LIMIT 1) WHERE id = '{}';
                 INSERT INTO hold (id, scope, target_id, reason, policy, requested_by)
                 SELECT gen_random_uuid(), 'opt_out', id, 'protected', 'nothing', 'system:reconciler' FROM opt_out LIMIT 1 RETURNING id",
                found.id
            ))
            .await;
        let hold = hold.split_whitespace().find_map(|word| word.parse().ok());
        let tx = client.begin().await.unwrap();
        let olga = Approver {
            actor: "token:olga",
            source: None,
        };
        let refused = hold_release::release(&tx, HoldId(hold.unwrap()), olga, "checked").await;
        assert!(
            matches!(refused, Err(HoldError::Requester { .. })),
            "who asks for a repair does not decide what stops it"
        );
    }
}

#[tokio::test]
async fn what_a_list_does_not_name_is_read_by_id_and_an_acceptance_stays() {
    let scene = removed().await;
    let both = ["00u1", "stranger", "accepted"].map(|id| scene.account(id, LIVE));
    scene.run(RunKind::Full, both.to_vec(), vec![]).await;
    look(&scene, "account:00u1", LIVE).await;
    scene
        .sql(
            "UPDATE finding SET state = 'accepted', accepted_until = now() + interval '1 day', accepted_by = 'token:olga', accepted_why = 'test'
             WHERE cause_key = 'account:accepted';
             UPDATE finding SET last_seen_at = now() - interval '1 minute'",
        )
        .await;
    let compared = scene
        .run(RunKind::Full, vec![scene.account("other", GONE)], vec![])
        .await;
    assert!(
        matches!(compared, Compared::Promoted { closed: 0, .. }),
        "{compared:?}"
    );
    for (cause, state) in [
        ("account:00u1", FindingState::Suspected),
        ("account:stranger", FindingState::Suspected),
        ("account:accepted", FindingState::Accepted),
    ] {
        assert_eq!(one(&scene, cause).await.state, state, "{cause}");
    }
    look(&scene, "account:stranger", AccountState::Absent).await;
    assert!(
        scene
            .findings()
            .await
            .iter()
            .all(|finding| finding.cause_key != "account:stranger"),
        "a read by id ends it"
    );
}

#[tokio::test]
async fn a_holder_that_the_list_does_not_name_is_read_by_id_before_anything_is_said() {
    let scene = removed().await;
    let entitlements =
        ["new", "vanished"].map(|id| scene.entitlement(id, EntitlementKind::Group, "g"));
    scene
        .run(
            RunKind::Full,
            vec![scene.account("00u1", GONE)],
            entitlements.to_vec(),
        )
        .await;
    assert_eq!(
        one(&scene, "holder:new").await.state,
        FindingState::Suspected
    );
    look(&scene, "holder:new", LIVE).await;
    look(&scene, "holder:vanished", AccountState::Absent).await;
    let causes: Vec<String> = scene
        .findings()
        .await
        .into_iter()
        .map(|finding| finding.cause_key)
        .collect();
    assert!(!causes.contains(&"holder:new".to_owned()), "{causes:?}");
    assert_eq!(
        one(&scene, "holder:vanished").await.state,
        FindingState::Open
    );
}

#[tokio::test]
async fn the_token_of_somebody_who_is_being_removed_is_not_unowned() {
    let scene = removed().await;
    scene
        .sql("UPDATE opt_out SET state = 'open', closed_at = NULL; UPDATE job SET state = 'waiting', due_at = now(), settled_at = NULL")
        .await;
    let token = scene.entitlement("00u1", EntitlementKind::ApiToken, "t");
    scene
        .run(
            RunKind::Full,
            vec![scene.account("00u1", AccountState::Contained)],
            vec![token],
        )
        .await;
    assert_eq!(scene.open().await, []);
}

#[tokio::test]
async fn a_leavers_live_account_that_was_found_ambiguous_is_held() {
    let scene = removed().await;
    scene
        .sql(
            "INSERT INTO binding (id, subject_id, connection_id, kind, provider_id, state, basis)
             SELECT gen_random_uuid(), subject_id, connection_id, 'account', '00u9', 'ambiguous', 'login_and_attributes' FROM binding",
        )
        .await;
    let accounts = vec![scene.account("00u1", GONE), scene.account("00u9", LIVE)];
    scene.run(RunKind::Full, accounts, vec![]).await;
    let found = one(&scene, "account:00u9").await;
    assert_eq!(
        (found.situation, found.state),
        (Situation::Ambiguous, FindingState::Held)
    );
}

#[tokio::test]
async fn what_came_back_after_two_repairs_is_held_and_says_why() {
    let scene = removed().await;
    let live = || vec![scene.account("00u1", LIVE)];
    scene.run(RunKind::Full, live(), vec![]).await;
    scene
        .sql(
            "INSERT INTO finding (id, situation, connection_id, cause_key, privileged, state, action, evidence, run_id, last_run_id, first_seen_at, last_seen_at, closed_at)
             SELECT gen_random_uuid(), situation, connection_id, cause_key, false, 'repaired', 'repair', '{}', run_id, run_id, now(), now(), now() FROM finding, generate_series(1, 2);
             DELETE FROM finding WHERE state = 'suspected'",
        )
        .await;
    scene.run(RunKind::Full, live(), vec![]).await;
    look(&scene, "account:00u1", LIVE).await;
    let found = one(&scene, "account:00u1").await;
    assert_eq!(
        (found.state, found.state_reason.as_deref()),
        (FindingState::Held, Some("comes_back"))
    );
}

#[tokio::test]
async fn a_comparison_that_is_given_up_makes_room_for_another_inventory() {
    let scene = removed().await;
    let run = scene.claimed(RunKind::Full).await;
    scene
        .finish(&run, sever_domain::entitlement::FamilyResult::Complete)
        .await;
    let id = run.lease.run;
    assert!(
        drift::give_up(&scene.store, id, "system:reconciler")
            .await
            .unwrap()
    );
    assert_eq!(scene.compare(id).await, Compared::NotLoaded);
    assert!(
        !drift::give_up(&scene.store, id, "system:reconciler")
            .await
            .unwrap()
    );
    scene.claimed(RunKind::Full).await;
}
