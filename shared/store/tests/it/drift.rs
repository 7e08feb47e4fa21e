//! Inventories are staged, compared and promoted; findings open once, are seen again, and are closed by an observation.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sever_domain::entitlement::FamilyResult;
use sever_domain::identity::AccountAttributes;
use sever_domain::inventory::{FamilyRecord, ObservedKind};
use sever_domain::{
    AccountState, ConnectionId, EntitlementKind, FindingState, InstanceId, RunId, RunKind,
    Situation, SubjectId,
};
use sever_store::drift::{self, Compared};
use sever_store::finding::{self, FindingFilter, FindingRow, Look};
use sever_store::inventory::{
    self, Batch, Claim, ClaimedRun, MatchKeys, ObservedAccount, ObservedEntitlement,
};
use sever_store::job::instance;
use sever_store::{Store, StoreError};
use sever_testkit::Database;

const LEASE: Duration = Duration::from_secs(60);

pub(crate) struct Scene {
    pub(crate) database: Database,
    pub(crate) store: Store,
    pub(crate) connection: ConnectionId,
    pub(crate) me: InstanceId,
    pub(crate) seen_at: Timestamp,
}

impl Scene {
    /// One connection and nobody.
    pub(crate) async fn new() -> Self {
        let database = Database::fresh().await.unwrap();
        let store = database.store().unwrap();
        let connection = ConnectionId::generate();
        let me = InstanceId::generate();
        instance::register(&store, me, "worker-okta", LEASE, 8)
            .await
            .unwrap();
        database
            .sql(&format!(
                "INSERT INTO connection (id, provider, name, base_url, credential_ref, token_lifetime_s, clock_skew_s, in_flight_max, jobs_max)
                 VALUES ('{connection}', 'okta', 'okta-main', 'https://example.okta.com', 'env:OKTA', 3600, 30, 8, 64);
                 INSERT INTO source (id, name, trusted) VALUES ('00000000-0000-7000-8000-0000000000d1', 'hr', true)"
            ))
            .await
            .unwrap();
        Self {
            database,
            store,
            connection,
            me,
            seen_at: Timestamp::now(),
        }
    }

    /// A person, bound to `account` where one is named.
    pub(crate) async fn person(&self, name: &str, state: &str, account: Option<&str>) -> SubjectId {
        let id = SubjectId::generate();
        let binding = account.map_or(String::new(), |account| {
            format!(
                "INSERT INTO binding (id, subject_id, connection_id, kind, provider_id, state, basis, confirmed_at)
                 VALUES (gen_random_uuid(), '{id}', '{}', 'account', '{account}', 'confirmed', 'source_listed', now())",
                self.connection
            )
        });
        self.sql(&format!(
            "INSERT INTO subject (id, kind) VALUES ('{id}', 'person');
             INSERT INTO person (id, given_name, family_name, emails, employment_state)
             VALUES ('{id}', '{name}', 'Byron', '{{{name}@example.test}}', '{state}');
             INSERT INTO person_key (person_id, source_id, external_id)
             VALUES ('{id}', '00000000-0000-7000-8000-0000000000d1', 'E-{id}'); {binding}"
        ))
        .await;
        id
    }

    pub(crate) async fn sql(&self, statements: &str) -> String {
        self.database.sql(statements).await.unwrap()
    }

    pub(crate) fn account(&self, id: &str, state: AccountState) -> ObservedAccount {
        ObservedAccount {
            kind: ObservedKind::Account,
            provider_id: id.to_owned(),
            state,
            keys: MatchKeys::default(),
            seen_at: self.seen_at,
        }
    }

    /// A live account whose login and name are those of a person of this name.
    pub(crate) fn named(&self, id: &str, name: &str) -> ObservedAccount {
        let attributes = AccountAttributes {
            login: Some(format!("{name}@Example.test")),
            given_name: Some(name.to_owned()),
            family_name: Some("BYRON".to_owned()),
            ..Default::default()
        };
        ObservedAccount {
            keys: MatchKeys::of(&attributes),
            ..self.account(id, AccountState::Live)
        }
    }

    pub(crate) fn entitlement(
        &self,
        account: &str,
        kind: EntitlementKind,
        key: &str,
    ) -> ObservedEntitlement {
        ObservedEntitlement {
            account_id: account.to_owned(),
            kind,
            provider_key: key.to_owned(),
            privileged: kind == EntitlementKind::Role,
            seen_at: self.seen_at,
        }
    }

    pub(crate) async fn claimed(&self, kind: RunKind) -> ClaimedRun {
        let mut client = self.store.client("testing").await.unwrap();
        let tx = client.begin().await.unwrap();
        let run = inventory::ask(&tx, self.connection, kind, "system:reconciler")
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let claimed = inventory::claim(&self.store, run.unwrap(), self.me, LEASE)
            .await
            .unwrap();
        let Claim::Taken(claimed) = claimed else {
            panic!("{claimed:?}")
        };
        *claimed
    }

    pub(crate) async fn stage(
        &self,
        run: &ClaimedRun,
        accounts: Vec<ObservedAccount>,
        entitlements: Vec<ObservedEntitlement>,
    ) -> Result<(), StoreError> {
        let batch = Batch {
            accounts,
            entitlements,
            cursor: serde_json::json!({"page": 1}),
            ..Default::default()
        };
        let mut client = self.store.client("testing").await.unwrap();
        inventory::append(&mut client, &run.lease, &batch, LEASE).await
    }

    pub(crate) async fn finish(&self, run: &ClaimedRun, accounts: FamilyResult) {
        let families = [
            (EntitlementKind::Account, accounts),
            (EntitlementKind::Group, FamilyResult::Complete),
        ];
        let records = families.map(|(family, result)| FamilyRecord {
            family,
            result,
            rows: 0,
            expected: None,
            detail: None,
        });
        let finish = inventory::Finish {
            families: records.to_vec(),
            mark: Some(serde_json::json!({"after": run.lease.no})),
            ..Default::default()
        };
        inventory::finish(&self.store, &run.lease, &finish)
            .await
            .unwrap();
    }

    /// A whole run from the asking to the comparison.
    pub(crate) async fn run(
        &self,
        kind: RunKind,
        accounts: Vec<ObservedAccount>,
        entitlements: Vec<ObservedEntitlement>,
    ) -> Compared {
        let run = self.claimed(kind).await;
        self.stage(&run, accounts, entitlements).await.unwrap();
        self.finish(&run, FamilyResult::Complete).await;
        self.compare(run.lease.run).await
    }

    pub(crate) async fn compare(&self, run: RunId) -> Compared {
        drift::compare(&self.store, run, "system:reconciler")
            .await
            .unwrap()
    }

    pub(crate) async fn findings(&self) -> Vec<FindingRow> {
        let client = self.store.client("testing").await.unwrap();
        finding::list(&client, &FindingFilter::default())
            .await
            .unwrap()
    }

    /// Situation and cause of what is open, in order.
    pub(crate) async fn open(&self) -> Vec<(Situation, String)> {
        let mut open: Vec<_> = self
            .findings()
            .await
            .into_iter()
            .map(|finding| (finding.situation, finding.cause_key))
            .collect();
        open.sort();
        open
    }
}

pub(crate) fn expected(open: &[(Situation, &str)]) -> Vec<(Situation, String)> {
    open.iter()
        .map(|(situation, cause)| (*situation, (*cause).to_owned()))
        .collect()
}

pub(crate) const LIVE: AccountState = AccountState::Live;
pub(crate) const GONE: AccountState = AccountState::Deactivated;

#[tokio::test]
async fn every_difference_is_named_and_what_is_in_order_is_not() {
    let scene = Scene::new().await;
    scene.person("ada", "active", Some("ok")).await;
    let leaver = scene.person("bea", "left", Some("left")).await;
    scene.person("cid", "left", Some("gone")).await;
    scene.person("dan", "active", Some("missing")).await;
    scene.person("eve", "on_leave", Some("leave")).await;
    for _ in 0..2 {
        scene.person("fay", "active", None).await;
    }
    scene.person("gil", "active", None).await;
    let unbound_leaver = scene.person("hal", "left", None).await;
    scene
        .sql(&format!(
            "INSERT INTO exception (id, connection_id, provider_id, kind, owner, reason, until, created_by)
             VALUES (gen_random_uuid(), '{0}', 'robot', 'service_account', 'platform', 'backup', now() + interval '1 day', 'token:x'),
                    (gen_random_uuid(), '{0}', 'old-robot', 'service_account', 'platform', 'backup', now() - interval '1 day', 'token:x')",
            scene.connection
        ))
        .await;
    let accounts = vec![
        scene.account("ok", LIVE),
        scene.account("left", LIVE),
        scene.account("gone", GONE),
        scene.named("two", "fay"),
        scene.named("one", "gil"),
        scene.named("unbound-left", "hal"),
        scene.account("nobody", LIVE),
        scene.account("nobody-gone", GONE),
        scene.account("robot", LIVE),
        scene.account("old-robot", LIVE),
    ];
    let entitlements = vec![
        scene.entitlement("ok", EntitlementKind::Group, "g"),
        scene.entitlement("left", EntitlementKind::Role, "admin"),
        scene.entitlement("gone", EntitlementKind::Group, "g"),
        scene.entitlement("vanished", EntitlementKind::ApiToken, "t"),
    ];
    let compared = scene.run(RunKind::Full, accounts, entitlements).await;
    assert!(
        matches!(compared, Compared::Promoted { closed: 0, .. }),
        "{compared:?}"
    );
    assert_eq!(
        scene.open().await,
        expected(&[
            (Situation::Residual, "account:left"),
            (Situation::Residual, "account:unbound-left"),
            (Situation::OrphanAccount, "account:nobody"),
            (Situation::OrphanAccount, "account:old-robot"),
            (Situation::OrphanEntitlement, "holder:gone"),
            (Situation::Ambiguous, "account:two"),
            (Situation::UnownedToken, "api_token:t"),
            (Situation::Missing, "account:missing"),
        ])
    );
    let findings = scene.findings().await;
    let of = |cause: &str| {
        findings
            .iter()
            .find(|finding| finding.cause_key == cause)
            .unwrap()
    };
    assert_eq!(of("account:left").subject, Some(leaver));
    assert_eq!(of("account:unbound-left").subject, Some(unbound_leaver));
    assert!(of("account:left").privileged, "a role hangs on it");
    assert_eq!(
        of("account:left").state,
        FindingState::Suspected,
        "a read by id comes first"
    );
    assert_eq!(of("account:two").state, FindingState::Held);
    assert_eq!(of("account:nobody").state, FindingState::Open);
}

#[tokio::test]
async fn a_cause_has_one_finding_until_a_newer_observation_closes_it() {
    let mut scene = Scene::new().await;
    scene.person("ada", "left", Some("left")).await;
    let live = |scene: &Scene| vec![scene.account("left", LIVE)];
    scene.run(RunKind::Full, live(&scene), vec![]).await;
    let again = scene.run(RunKind::Full, live(&scene), vec![]).await;
    assert_eq!(
        again,
        Compared::Promoted {
            opened: vec![],
            seen_again: 1,
            closed: 0
        }
    );
    assert_eq!(scene.findings().await[0].times_seen, 2);
    let elsewhere = scene.run(RunKind::Incremental, vec![], vec![]).await;
    assert_eq!(
        elsewhere,
        Compared::Promoted {
            opened: vec![],
            seen_again: 0,
            closed: 0
        },
        "an incremental run speaks of what it names"
    );
    scene.seen_at = Timestamp::now();
    let closed = scene
        .run(RunKind::Full, vec![scene.account("left", GONE)], vec![])
        .await;
    assert_eq!(
        closed,
        Compared::Promoted {
            opened: vec![],
            seen_again: 0,
            closed: 1
        }
    );
    assert_eq!(scene.open().await, []);
    let dropped = inventory::drop_unused(&scene.store).await.unwrap();
    assert_eq!(dropped, 3, "only the newest full run keeps its rows");
    let kinds = scene
        .sql(
            "SELECT string_agg(kind, ' ' ORDER BY seq) FROM audit_event WHERE kind LIKE 'finding%'",
        )
        .await;
    assert_eq!(kinds, "findings.opened findings.closed");
}

#[tokio::test]
async fn a_run_whose_rows_are_lost_is_refused_at_the_comparison_and_when_it_is_resumed() {
    let scene = Scene::new().await;
    scene.person("ada", "active", Some("a")).await;
    let run = scene.claimed(RunKind::Full).await;
    scene
        .stage(&run, vec![scene.account("a", LIVE)], vec![])
        .await
        .unwrap();
    scene.finish(&run, FamilyResult::Complete).await;
    scene
        .sql(&format!("TRUNCATE inventory.account_{}", run.lease.no))
        .await;
    assert_eq!(scene.compare(run.lease.run).await, Compared::Refused);
    assert_eq!(scene.open().await, [], "nobody is missing");

    let run = scene.claimed(RunKind::Full).await;
    scene
        .stage(&run, vec![scene.account("a", LIVE)], vec![])
        .await
        .unwrap();
    inventory::give_back(&scene.store, &run.lease, "drain", Duration::ZERO, false)
        .await
        .unwrap();
    scene
        .sql(&format!("TRUNCATE inventory.account_{}", run.lease.no))
        .await;
    let resumed = inventory::claim(&scene.store, run.lease.run, scene.me, LEASE)
        .await
        .unwrap();
    assert_eq!(resumed, Claim::Refused);
}

#[tokio::test]
async fn a_resumed_run_goes_on_at_its_cursor_and_the_old_lease_appends_nothing() {
    let scene = Scene::new().await;
    let first = scene.claimed(RunKind::Full).await;
    scene
        .stage(&first, vec![scene.account("a", LIVE)], vec![])
        .await
        .unwrap();
    let other = inventory::claim(&scene.store, first.lease.run, scene.me, LEASE)
        .await
        .unwrap();
    assert_eq!(other, Claim::NotNow, "the lease lives");
    instance::stop(&scene.store, scene.me).await.unwrap();
    let heir = InstanceId::generate();
    instance::register(&scene.store, heir, "worker-okta", LEASE, 8)
        .await
        .unwrap();
    let Claim::Taken(second) = inventory::claim(&scene.store, first.lease.run, heir, LEASE)
        .await
        .unwrap()
    else {
        panic!("a dead worker's run is free");
    };
    assert_eq!(second.cursor, Some(serde_json::json!({"page": 1})));
    assert_eq!(second.rows.accounts, 1);
    let late = scene
        .stage(&first, vec![scene.account("b", LIVE)], vec![])
        .await;
    assert!(matches!(late, Err(StoreError::Conflict { .. })), "{late:?}");
    scene.finish(&second, FamilyResult::Complete).await;
    let compared = scene.compare(first.lease.run).await;
    assert!(
        matches!(compared, Compared::Promoted { .. }),
        "the late row is not there: {compared:?}"
    );
}

#[tokio::test]
async fn accounts_that_were_not_read_whole_make_nobody_missing_and_close_nothing() {
    let scene = Scene::new().await;
    scene.person("ada", "active", Some("a")).await;
    scene.person("bea", "left", Some("b")).await;
    scene
        .run(
            RunKind::Full,
            vec![scene.account("a", LIVE), scene.account("b", LIVE)],
            vec![],
        )
        .await;
    let run = scene.claimed(RunKind::Full).await;
    assert_eq!(
        run.before,
        [(EntitlementKind::Account, 0), (EntitlementKind::Group, 0)]
    );
    scene.finish(&run, FamilyResult::Failed).await;
    assert_eq!(scene.compare(run.lease.run).await, Compared::Incomplete);
    assert_eq!(
        scene.open().await,
        expected(&[
            (Situation::Residual, "account:b"),
            (Situation::Unreachable, "family:account")
        ])
    );
}

#[tokio::test]
async fn more_findings_than_the_guard_allows_stop_the_run_until_another_person_releases_it() {
    let scene = Scene::new().await;
    scene
        .sql(&format!(
            "INSERT INTO reconcile_setting (connection_id, findings_max, findings_min) VALUES ('{}', 2, 0)",
            scene.connection
        ))
        .await;
    for name in ["ada", "bea", "cid"] {
        scene.person(name, "left", Some(name)).await;
    }
    let run = scene.claimed(RunKind::Full).await;
    let all = ["ada", "bea", "cid"].map(|name| scene.account(name, LIVE));
    scene.stage(&run, all.to_vec(), vec![]).await.unwrap();
    scene.finish(&run, FamilyResult::Complete).await;
    let run = run.lease.run;
    assert_eq!(
        scene.compare(run).await,
        Compared::Held {
            would_open: 3,
            limit: 0
        }
    );
    assert_eq!(scene.open().await, []);
    assert_eq!(scene.compare(run).await, Compared::NotLoaded);
    let mut client = scene.store.client("testing").await.unwrap();
    let tx = client.begin().await.unwrap();
    assert!(
        !drift::release(&tx, run, "system:reconciler").await.unwrap(),
        "who asked for it does not release it"
    );
    assert!(drift::release(&tx, run, "token:olga").await.unwrap());
    tx.commit().await.unwrap();
    assert!(matches!(
        scene.compare(run).await,
        Compared::Promoted { .. }
    ));
    assert_eq!(scene.open().await.len(), 3);
}

#[tokio::test]
async fn what_was_seen_before_the_last_verified_write_is_no_evidence() {
    let world = crate::world::World::removed().await;
    let scene = Scene {
        connection: world.connection,
        me: crate::world::INSTANCE.parse().unwrap(),
        seen_at: Timestamp::now() - SignedDuration::from_hours(2),
        store: world.database.store().unwrap(),
        database: world.database,
    };
    scene
        .run(RunKind::Full, vec![scene.account("00u1", LIVE)], vec![])
        .await;
    assert_eq!(
        scene.open().await,
        [],
        "it shows the time before the removal"
    );
    let scene = Scene {
        seen_at: Timestamp::now() + SignedDuration::from_secs(5),
        ..scene
    };
    scene
        .run(RunKind::Full, vec![scene.account("00u1", LIVE)], vec![])
        .await;
    assert_eq!(
        scene.open().await,
        expected(&[(Situation::Resurrected, "account:00u1")])
    );
}

#[tokio::test]
async fn a_read_by_id_opens_or_refutes_and_an_acceptance_ends_with_its_date() {
    let scene = Scene::new().await;
    scene.person("ada", "left", Some("a")).await;
    scene.person("bea", "left", Some("b")).await;
    let both = |scene: &Scene| vec![scene.account("a", LIVE), scene.account("b", LIVE)];
    scene.run(RunKind::Full, both(&scene), vec![]).await;
    let mut client = scene.store.client("testing").await.unwrap();
    let suspects = finding::suspects(&client, scene.connection, 10)
        .await
        .unwrap();
    let looks: Vec<Look> = suspects
        .iter()
        .map(|suspect| Look {
            id: suspect.id,
            state: if suspect.provider_id == "a" {
                LIVE
            } else {
                GONE
            },
            seen_at: Timestamp::now(),
        })
        .collect();
    let tx = client.begin().await.unwrap();
    finding::judge_looks(&tx, &looks, "worker:x").await.unwrap();
    tx.commit().await.unwrap();
    let open = scene.findings().await;
    assert_eq!(open.len(), 1);
    assert_eq!(
        (open[0].state, open[0].cause_key.as_str()),
        (FindingState::Open, "account:a")
    );
    assert_eq!(finding::to_repair(&client, 10).await.unwrap().len(), 1);
    let tx = client.begin().await.unwrap();
    let until = Timestamp::now() + SignedDuration::from_hours(1);
    assert_eq!(
        finding::accept(&tx, open[0].id, until, "migration", "token:olga")
            .await
            .unwrap(),
        Some(true)
    );
    tx.commit().await.unwrap();
    assert_eq!(finding::to_repair(&client, 10).await.unwrap(), []);
    scene
        .sql("UPDATE finding SET accepted_until = now() WHERE state = 'accepted'")
        .await;
    scene
        .run(
            RunKind::Full,
            vec![scene.account("a", LIVE), scene.account("b", GONE)],
            vec![],
        )
        .await;
    let open = scene.findings().await;
    assert_eq!(
        (open.len(), open[0].state, open[0].state_reason.as_deref()),
        (1, FindingState::Suspected, Some("acceptance_over")),
        "a read by id comes first again"
    );
    assert_eq!(finding::to_repair(&client, 10).await.unwrap(), []);
    let told = scene
        .sql("SELECT count(*) FROM audit_event WHERE kind = 'finding.changed' AND convert_from(canonical, 'UTF8') LIKE '%acceptance_over%'")
        .await;
    assert_eq!(told, "1", "and it is on record");
}

#[tokio::test]
async fn the_worker_and_the_database_compute_the_same_keys() {
    let scene = Scene::new().await;
    for text in [
        "ada@example.test",
        " ÄRGER\t",
        "Straße",
        "ΣΊΣΥΦΟΣ",
        "İstanbul",
    ] {
        let theirs = scene.sql(&format!("SELECT match_key(E'{text}')")).await;
        assert_eq!(
            inventory::match_key(text).unwrap().to_string(),
            theirs,
            "{text}"
        );
    }
    let attributes = AccountAttributes {
        given_name: Some(" Ada ".into()),
        family_name: Some("Byron".into()),
        ..Default::default()
    };
    let theirs = scene.sql("SELECT match_name('ada', 'BYRON ')").await;
    assert_eq!(MatchKeys::of(&attributes).name.unwrap().to_string(), theirs);
}
