//! What an incremental inventory names becomes part of the newest one, is compared, and says nothing of anybody else.

use jiff::{SignedDuration, Timestamp};
use sever_domain::entitlement::FamilyResult;
use sever_domain::{AccountState, EntitlementKind, FindingState, RunKind, Situation};
use sever_store::drift::Compared;
use sever_store::inventory::{
    self, Batch, ObservedAccount, ObservedEntitlement, SubjectReading, UnlistedFamily,
};
use sever_store::reconcile;

use crate::drift::{GONE, LIVE, Scene, expected};

const WHOLE: &[EntitlementKind] = &[EntitlementKind::Account, EntitlementKind::Group];

impl Scene {
    /// An incremental run that read these accounts, each with these families whole.
    async fn changed(
        &self,
        accounts: Vec<ObservedAccount>,
        entitlements: Vec<ObservedEntitlement>,
        families: &[EntitlementKind],
    ) -> Compared {
        let run = self.claimed(RunKind::Incremental).await;
        let reading = |account: &ObservedAccount| SubjectReading {
            provider_id: account.provider_id.clone(),
            read_at: account.seen_at,
            whole: Some(families.to_vec()),
            unlisted: Vec::new(),
        };
        let batch = Batch {
            readings: accounts.iter().map(reading).collect(),
            accounts,
            entitlements,
            cursor: serde_json::json!({"subjects": 1}),
            ..Default::default()
        };
        let mut client = self.store.client("testing").await.unwrap();
        let lease = std::time::Duration::from_secs(60);
        inventory::append(&mut client, &run.lease, &batch, lease)
            .await
            .unwrap();
        drop(client);
        self.finish(&run, FamilyResult::Complete).await;
        self.compare(run.lease.run).await
    }

    /// What the newest inventory shows, one account and one entitlement a line.
    async fn newest(&self) -> String {
        let accounts = "SELECT string_agg(provider_id || ' ' || state, ', ' ORDER BY provider_id) FROM observed_account JOIN connection_inventory USING (run_no)";
        let held = "SELECT string_agg(account_id || ' ' || provider_key, ', ' ORDER BY account_id, provider_key) FROM observed_entitlement JOIN connection_inventory USING (run_no)";
        let record =
            "SELECT accounts || ' + ' || entitlements FROM inventory_run WHERE state = 'promoted'";
        let mut shown = Vec::new();
        for statement in [accounts, held, record] {
            shown.push(self.sql(statement).await);
        }
        shown.join("; ")
    }

    async fn mark(&self) -> String {
        self.sql("SELECT mark ->> 'after' FROM connection_inventory")
            .await
    }

    fn later(&mut self) {
        self.seen_at = Timestamp::now();
    }

    fn group(&self, account: &str, key: &str) -> ObservedEntitlement {
        self.entitlement(account, EntitlementKind::Group, key)
    }
}

#[tokio::test]
async fn what_is_named_takes_the_place_of_what_was_known_and_all_else_stays() {
    let mut scene = Scene::new().await;
    for name in ["a", "b", "c"] {
        scene.person(name, "active", Some(name)).await;
    }
    let accounts = ["a", "b", "c"].map(|id| scene.account(id, LIVE)).to_vec();
    let held = vec![scene.group("a", "old"), scene.group("b", "old")];
    scene.run(RunKind::Full, accounts, held).await;
    assert_eq!(
        scene.newest().await,
        "a live, b live, c live; a old, b old; 3 + 2"
    );
    scene.later();
    let named = vec![
        scene.account("a", AccountState::Contained),
        scene.account("c", AccountState::Absent),
        scene.account("new", LIVE),
    ];
    let held = vec![scene.group("a", "x"), scene.group("a", "y")];
    let compared = scene.changed(named, held, WHOLE).await;
    assert!(
        matches!(compared, Compared::Promoted { .. }),
        "{compared:?}"
    );
    assert_eq!(
        scene.newest().await,
        "a contained, b live, new live; a x, a y, b old; 3 + 3"
    );
    assert_eq!(
        scene.open().await,
        expected(&[
            (Situation::OrphanAccount, "account:new"),
            (Situation::OrphanEntitlement, "holder:a"),
            (Situation::Missing, "account:c"),
        ]),
        "of b, which was not named, nothing is said"
    );
    let last = scene
        .sql("SELECT state || ' ' || state_reason FROM inventory_run ORDER BY no DESC LIMIT 1")
        .await;
    assert_eq!(
        (last.as_str(), scene.mark().await.as_str()),
        ("superseded merged", "2")
    );
}

#[tokio::test]
async fn a_family_that_was_not_read_whole_and_an_answer_that_is_older_change_nothing() {
    let mut scene = Scene::new().await;
    scene.person("ada", "active", Some("a")).await;
    let held = vec![
        scene.group("a", "g"),
        scene.entitlement("a", EntitlementKind::Role, "r"),
    ];
    scene
        .run(RunKind::Full, vec![scene.account("a", LIVE)], held)
        .await;
    let before = "a live; a g, a r; 1 + 2";
    assert_eq!(scene.newest().await, before);
    scene.later();
    let named = vec![scene.account("a", LIVE)];
    scene
        .changed(
            named,
            vec![],
            &[EntitlementKind::Account, EntitlementKind::Role],
        )
        .await;
    assert_eq!(
        scene.newest().await,
        "a live; a g; 1 + 1",
        "the groups were not read"
    );
    scene.seen_at -= SignedDuration::from_secs(60);
    let named = vec![scene.account("a", GONE)];
    scene
        .changed(named, vec![scene.group("a", "older")], WHOLE)
        .await;
    assert_eq!(
        scene.newest().await,
        "a live; a g; 1 + 1",
        "a newer one is known"
    );
}

#[tokio::test]
async fn access_that_returns_is_found_and_closed_by_what_names_it_and_nothing_else_closes() {
    let mut scene = Scene::new().await;
    scene.person("ada", "left", Some("left")).await;
    scene.person("bea", "left", Some("other")).await;
    let accounts = vec![
        scene.account("left", AccountState::Contained),
        scene.account("other", LIVE),
        scene.account("gone", GONE),
    ];
    scene
        .run(RunKind::Full, accounts, vec![scene.group("gone", "g")])
        .await;
    let standing = [
        (Situation::Residual, "account:other"),
        (Situation::OrphanEntitlement, "holder:gone"),
    ];
    assert_eq!(scene.open().await, expected(&standing));
    scene.later();
    scene
        .changed(
            vec![scene.account("left", LIVE)],
            vec![scene.group("left", "g")],
            WHOLE,
        )
        .await;
    let found = scene.findings().await;
    let returned = found
        .iter()
        .find(|finding| finding.cause_key == "account:left");
    assert_eq!(
        returned.unwrap().state,
        FindingState::Suspected,
        "a read by id confirms it"
    );
    scene.later();
    let named = || {
        vec![
            scene.account("left", AccountState::Contained),
            scene.account("gone", AccountState::Absent),
        ]
    };
    scene
        .changed(named(), vec![], &[EntitlementKind::Account])
        .await;
    assert_eq!(
        scene.open().await,
        expected(&standing),
        "what hangs on one that is gone was not read"
    );
    let whole = vec![scene.account("gone", GONE)];
    scene.changed(whole, vec![], WHOLE).await;
    assert_eq!(scene.open().await, expected(&standing[..1]));
}

#[tokio::test]
async fn a_run_that_the_guard_holds_is_not_merged_and_its_changes_are_asked_for_again() {
    let mut scene = Scene::new().await;
    scene
        .sql(&format!("INSERT INTO reconcile_setting (connection_id, findings_min, findings_percent) VALUES ('{}', 0, 0)", scene.connection))
        .await;
    scene.person("ada", "left", Some("a")).await;
    scene
        .run(RunKind::Full, vec![scene.account("a", GONE)], vec![])
        .await;
    scene.later();
    let held = scene
        .changed(vec![scene.account("a", LIVE)], vec![], WHOLE)
        .await;
    assert!(
        matches!(held, Compared::Held { would_open: 1, .. }),
        "{held:?}"
    );
    assert_eq!(
        (scene.newest().await.as_str(), scene.mark().await.as_str()),
        ("a deactivated; ; 1 + 0", "1")
    );
    let run = scene.claimed(RunKind::Incremental).await;
    assert_eq!(
        run.mark,
        Some(serde_json::json!({"after": 1})),
        "from before what was held"
    );
}

/// A merge reads and compares what it names: what it costs does not grow with the inventory.
#[expect(clippy::print_stdout, reason = "how long it took is worth to be known")]
#[tokio::test]
async fn one_changed_account_reads_one_accounts_rows() {
    const MANY: u32 = 20_000;
    let mut scene = Scene::new().await;
    scene
        .sql(&format!(
            "INSERT INTO subject (id, kind) SELECT md5('s' || n)::uuid, 'person' FROM generate_series(1, {MANY}) AS n;
             INSERT INTO person (id, given_name, family_name, emails, employment_state)
             SELECT md5('s' || n)::uuid, 'P' || n, 'Byron', '{{}}', CASE WHEN n % 10 = 0 THEN 'left' ELSE 'active' END FROM generate_series(1, {MANY}) AS n;
             INSERT INTO binding (id, subject_id, connection_id, kind, provider_id, state, basis, confirmed_at)
             SELECT gen_random_uuid(), md5('s' || n)::uuid, '{}', 'account', 'u' || n, 'confirmed', 'source_listed', now() FROM generate_series(1, {MANY}) AS n;
             ANALYZE subject, person, binding",
            scene.connection
        ))
        .await;
    let run = scene.claimed(RunKind::Full).await;
    for from in (1..=MANY).step_by(10_000) {
        let ids = from..from + 10_000;
        let state = |n: u32| if n.is_multiple_of(10) { GONE } else { LIVE };
        let accounts = ids
            .clone()
            .map(|n| scene.account(&format!("u{n}"), state(n)))
            .collect();
        let held = ids.map(|n| scene.group(&format!("u{n}"), "g"));
        let held = held
            .filter(|held| !held.account_id.ends_with('0'))
            .collect();
        scene.stage(&run, accounts, held).await.unwrap();
    }
    scene.finish(&run, FamilyResult::Complete).await;
    scene.compare(run.lease.run).await;
    assert_eq!(scene.open().await, expected(&[]));
    // The first merge makes the indexes.
    scene.later();
    scene
        .changed(
            vec![scene.account("u7", LIVE)],
            vec![scene.group("u7", "h")],
            WHOLE,
        )
        .await;
    // A session tells what it read when it ends.
    let end = "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename IS NOT NULL";
    let read = "SELECT relname, seq_tup_read FROM pg_stat_all_tables
                WHERE schemaname = 'inventory' OR relname IN ('binding', 'person', 'person_key', 'subject') ORDER BY relname";
    scene.sql(end).await;
    let before = scene.sql(read).await;
    scene.later();
    let began = std::time::Instant::now();
    let compared = scene
        .changed(
            vec![scene.account("u10", LIVE)],
            vec![scene.group("u10", "h")],
            WHOLE,
        )
        .await;
    println!(
        "one account of {MANY} was merged and compared in {:?}",
        began.elapsed()
    );
    assert!(
        matches!(compared, Compared::Promoted { .. }),
        "{compared:?}"
    );
    assert_eq!(
        scene.open().await,
        expected(&[(Situation::Residual, "account:u10")])
    );
    scene.sql(end).await;
    let after = scene.sql(read).await;
    let rows = |line: &str| line.split_once('|').unwrap().1.parse::<u64>().unwrap();
    let scanned: u64 = after.lines().map(rows).sum::<u64>() - before.lines().map(rows).sum::<u64>();
    assert!(
        scanned < 1_000,
        "{scanned} rows were scanned:\n{before}\n\n{after}"
    );
}

#[tokio::test]
async fn an_inventory_that_the_database_lost_is_refused_and_another_one_is_due() {
    let scene = Scene::new().await;
    scene.person("ada", "active", Some("a")).await;
    scene
        .run(RunKind::Full, vec![scene.account("a", LIVE)], vec![])
        .await;
    assert_eq!(inventory::refuse_lost(&scene.store).await.unwrap(), 0);
    scene
        .sql("TRUNCATE inventory.account_1, inventory.entitlement_1")
        .await;
    assert_eq!(inventory::refuse_lost(&scene.store).await.unwrap(), 1);
    let state = "SELECT state || ' ' || state_reason FROM inventory_run";
    assert_eq!(scene.sql(state).await, "refused rows_lost");
    scene
        .sql("UPDATE inventory_run SET created_at = now() - interval '2 minutes'")
        .await;
    assert_eq!(
        reconcile::schedule(&scene.store, "system:reconciler")
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        scene
            .sql("SELECT string_agg(kind, ' ') FROM inventory_run")
            .await,
        "full full"
    );
    assert_eq!(
        scene.open().await,
        expected(&[]),
        "nothing was concluded from it"
    );
}

#[tokio::test]
async fn an_incremental_run_is_due_only_where_changes_are_told() {
    let scene = Scene::new().await;
    scene.person("ada", "active", Some("a")).await;
    scene
        .sql(&format!(
            "INSERT INTO reconcile_setting (connection_id, incremental_every_s) VALUES ('{}', 1)",
            scene.connection
        ))
        .await;
    scene
        .run(RunKind::Full, vec![scene.account("a", LIVE)], vec![])
        .await;
    scene
        .sql("UPDATE inventory_run SET created_at = now() - interval '5 seconds'")
        .await;
    scene
        .sql("UPDATE connection_inventory SET mark = NULL")
        .await;
    let due = || reconcile::schedule(&scene.store, "system:reconciler");
    assert_eq!(due().await.unwrap(), 0);
    scene
        .sql("UPDATE connection_inventory SET mark = '{}'")
        .await;
    assert_eq!(due().await.unwrap(), 1);
    let kind = "SELECT kind FROM inventory_run ORDER BY no DESC LIMIT 1";
    assert_eq!(scene.sql(kind).await, "incremental");
}

/// Of those that left, the privileged and everybody else, each in turn and whoever was not read for longest.
#[tokio::test]
async fn the_sample_is_bounded_and_comes_round() {
    let mut scene = Scene::new().await;
    scene
        .sql(&format!(
            "INSERT INTO reconcile_setting (connection_id, sample) VALUES ('{}', 3)",
            scene.connection
        ))
        .await;
    scene.person("ada", "left", Some("left")).await;
    let ids = ["admin", "left", "p1", "p2", "p3", "p4"];
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..4 {
        scene.later();
        let run = scene.claimed(RunKind::Full).await;
        let accounts = ids.iter().map(|id| scene.account(id, LIVE)).collect();
        let role = scene.entitlement("admin", EntitlementKind::Role, "r");
        scene.stage(&run, accounts, vec![role]).await.unwrap();
        let chosen = inventory::sample(&scene.store, scene.connection, &run.lease)
            .await
            .unwrap();
        assert_eq!(chosen[..2], ["left", "admin"], "each time");
        assert_eq!(chosen.len(), 3);
        seen.insert(chosen[2].clone());
        let readings = chosen.into_iter().map(|provider_id| SubjectReading {
            provider_id,
            read_at: scene.seen_at,
            whole: None,
            unlisted: vec![UnlistedFamily {
                family: EntitlementKind::Factor,
                held: vec!["totp".into()],
                privileged: vec![],
            }],
        });
        let batch = Batch {
            readings: readings.collect(),
            ..Default::default()
        };
        let mut client = scene.store.client("testing").await.unwrap();
        let lease = std::time::Duration::from_secs(60);
        inventory::append(&mut client, &run.lease, &batch, lease)
            .await
            .unwrap();
        drop(client);
        scene.finish(&run, FamilyResult::Complete).await;
        scene.compare(run.lease.run).await;
    }
    assert_eq!(seen.len(), 4, "everybody's turn came: {seen:?}");
    let rest = scene.sql("SELECT count(*) FROM subject_reading").await;
    assert_eq!(rest, "6");
}
