//! Every situation once, and the near misses that must be none, in one fleet: access changes behind Sever's back, an inventory
//! looks, and finding, provenance, action, end state and journal are compared with what must be.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use sever_tests::{Fleet, FleetOptions, Leaver, OKTA_TOKEN, Program};

/// How long an inventory, its comparison, reads by id and a repair may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(120);
/// The group rule of Okta that puts people back.
const RULE: &str = "0pr1groupbycity00000";

const OPEN: &str = "('waiting', 'running', 'loaded')";

struct Scene {
    fleet: Fleet,
    ids: BTreeMap<&'static str, String>,
    ada: Leaver,
    tom: Leaver,
}

impl Scene {
    async fn new() -> Self {
        let fleet = Fleet::start(FleetOptions::default()).await.unwrap();
        let user = |name: &str, status: &str, groups: &[&str]| {
            json!({
                "login": format!("{name}@example.com"), "first_name": name, "last_name": "Byron", "status": status, "groups": groups,
                "api_tokens": if name == "tok" { json!([{"name": "nightly"}]) } else { json!([]) },
            })
        };
        let names = [
            "ada", "rita", "bob", "mia", "sue", "tom", "cyd", "exa", "amb", "dan", "tok",
        ];
        let users = names.map(|name| match name {
            "dan" => user(name, "DEPROVISIONED", &["VPN"]),
            "tok" => user(name, "DEPROVISIONED", &[]),
            _ => user(name, "ACTIVE", &["VPN"]),
        });
        let seeded = fleet
            .simulator
            .seed(&json!({"groups": [{"name": "VPN"}], "users": users}))
            .await
            .unwrap();
        let ids: BTreeMap<_, _> = names.into_iter().zip(seeded).collect();
        let mut leavers = Vec::new();
        for name in ["ada", "rita", "bob", "mia", "sue", "tom"] {
            let person = fleet.person(&format!("E-{name}"), &[&ids[name]]).await;
            leavers.push(person.unwrap());
        }
        let scene = Self {
            ada: leavers[0].clone(),
            tom: leavers[5].clone(),
            fleet,
            ids,
        };
        let (mia, exa) = (&scene.ids["mia"], &scene.ids["exa"]);
        scene
            .sql(&format!(
                "UPDATE binding SET state = 'confirmed', confirmed_at = now() WHERE provider_id = '{mia}';
                 INSERT INTO exception (id, connection_id, provider_id, kind, owner, reason, until, created_by)
                 SELECT gen_random_uuid(), id, '{exa}', 'service_account', 'platform team', 'runs the export', now() + interval '1 day', 'test' FROM connection;"
            ))
            .await;
        // Two people of one name and mailbox, and neither is bound.
        for who in ["1", "2"] {
            let person = scene
                .fleet
                .person(&format!("E-amb{who}"), &[])
                .await
                .unwrap();
            let set = "given_name = 'amb', family_name = 'Byron', emails = '{amb@example.com}'";
            scene
                .sql(&format!(
                    "UPDATE person SET {set} WHERE id = '{}'",
                    person.subject
                ))
                .await;
        }
        scene
    }

    async fn sql(&self, statements: &str) -> String {
        let rows = self.fleet.database.sql(statements).await.unwrap();
        rows.trim().to_owned()
    }

    /// Asks for a full inventory; returns its number.
    async fn ask(&self) -> String {
        self.sql(
            "UPDATE inventory_run SET state = 'superseded', ended_at = now() WHERE state = 'held';
             INSERT INTO inventory_run (id, connection_id, kind, state, asked_by)
             SELECT gen_random_uuid(), id, 'full', 'waiting', 'token:test' FROM connection RETURNING no",
        )
        .await
        .lines()
        .last()
        .unwrap()
        .to_owned()
    }

    /// Waits until an inventory was compared, what it suspects was read by id, and repairs are over. Returns its state.
    async fn compared(&self, run: &str) -> String {
        let over = format!(
            "SELECT state FROM inventory_run WHERE no = {run} AND state NOT IN {OPEN}
             AND NOT EXISTS (SELECT FROM finding WHERE state IN ('suspected', 'repairing'))
             AND NOT EXISTS (SELECT FROM finding WHERE state = 'open' AND action = 'repair')"
        );
        let state = self.fleet.shows(&over, LIMIT).await;
        state.unwrap_or_else(|error| {
            panic!("{error:#}\n{}", self.fleet.worker.log().unwrap_or_default())
        })
    }

    async fn observe(&self) -> String {
        let run = self.ask().await;
        self.compared(&run).await
    }

    /// Changes something behind Sever's back; `by` names who does it in Okta's log.
    async fn behind(&self, mut change: Value, by: Option<(&str, &str)>) {
        if let Some((kind, id)) = by {
            change["by"] = json!({"type": kind, "id": id, "name": "somebody"});
        }
        let path = "/okta/main/mutate";
        let done = self.fleet.simulator.control("POST", path, &change).await;
        done.unwrap();
    }

    /// The newest finding about somebody: situation, state, action, returns and reason.
    async fn about(&self, name: &str) -> String {
        self.sql(&format!(
            "SELECT situation, state, action, returns, coalesce(state_reason, '-') FROM finding
             WHERE provider_id = '{}' ORDER BY opened_at DESC, id LIMIT 1",
            self.ids[name]
        ))
        .await
    }

    async fn live(&self, name: &str) -> bool {
        let live = self.fleet.simulator.live(&self.ids[name]).await.unwrap();
        !live.is_empty()
    }

    /// How many findings are open, whatever about.
    async fn open(&self) -> String {
        self.sql("SELECT count(*) FROM finding WHERE closed_at IS NULL")
            .await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_situation_is_found_and_the_near_misses_are_none() {
    let mut scene = Scene::new().await;
    scene.fleet.leave(&scene.ada).await.unwrap();
    let left = scene.fleet.jobs_come_to(&["done"], 1, LIMIT).await;
    left.unwrap();
    let _reconciler = scene.fleet.reconcile().unwrap();
    what_was_always_so(&scene).await;
    what_comes_undone(&scene).await;
    what_cannot_be_read(&scene).await;
    what_is_no_list(&scene).await;
    a_run_is_cut_short(&mut scene).await;
    an_opt_out_is_verified_while_the_inventory_runs(&scene).await;
    a_wave_is_held(&scene).await;
    a_fight_ends_as_a_hold(&scene).await;
    the_directory_says_who_is_gone(&scene).await;
    let journal = scene.fleet.simulator.journal().await.unwrap();
    let leaving = ["ada", "rita", "tom"].map(|name| &scene.ids[name]);
    let strangers = journal.iter().filter(|call| {
        let text = call.to_string();
        call["effect"] == "write" && !leaving.iter().any(|id| text.contains(*id))
    });
    assert_eq!(strangers.count(), 0, "only who left was written to");
    let violations = scene.fleet.violations().await.unwrap();
    assert_eq!(violations, Vec::<String>::new());
}

/// Accounts that nobody owns, that two could own, and what hangs on disabled ones; an exception is in order.
async fn what_was_always_so(scene: &Scene) {
    let first = scene
        .fleet
        .shows("SELECT no FROM inventory_run", LIMIT)
        .await;
    assert_eq!(scene.compared(&first.unwrap()).await, "promoted");
    for (name, expected) in [
        ("cyd", "orphan_account|open|report|0|-"),
        ("amb", "ambiguous|held|hold|0|-"),
        ("dan", "orphan_entitlement|open|report|0|-"),
        ("tok", "unowned_token|open|report|0|-"),
        ("exa", ""),
        ("ada", ""),
        ("bob", ""),
    ] {
        assert_eq!(scene.about(name).await, expected, "{name}");
    }
    assert_eq!(scene.open().await, "4");
}

/// Somebody left and no event came, somebody came back by a rule, an account was deleted, one was renamed.
async fn what_comes_undone(scene: &Scene) {
    let ada = scene.ids["ada"].clone();
    let rule = Some(("SystemPrincipal", RULE));
    let active = json!({"do": "set_status", "user": ada, "status": "ACTIVE"});
    scene.behind(active, rule).await;
    let member = json!({"do": "add_to_group", "user": ada, "group": "VPN"});
    scene.behind(member, rule).await;
    scene.sql("UPDATE person SET employment_state = 'left' WHERE id = (SELECT person_id FROM person_key WHERE external_id = 'E-rita')").await;
    scene
        .behind(json!({"do": "delete", "user": scene.ids["mia"]}), None)
        .await;
    let renamed =
        json!({"do": "change_login", "user": scene.ids["bob"], "login": "robert@example.com"});
    scene.behind(renamed, None).await;
    assert_eq!(scene.observe().await, "promoted");
    for (name, expected) in [
        ("ada", "resurrected|repaired|repair|0|-"),
        ("rita", "residual|repaired|repair|0|-"),
        ("mia", "missing|open|report|0|-"),
        ("bob", ""),
    ] {
        assert_eq!(scene.about(name).await, expected, "{name}");
    }
    assert!(!scene.live("ada").await && !scene.live("rita").await);
    let who = format!(
        "SELECT DISTINCT entry ->> 'actor', entry ->> 'actor_kind' FROM finding, jsonb_array_elements(provenance -> 'entries') AS entry
         WHERE provider_id = '{ada}' AND situation = 'resurrected'"
    );
    let who = scene.fleet.shows(&who, LIMIT).await.unwrap();
    assert_eq!(who, format!("{RULE}|SystemPrincipal"), "the log says who");
}

/// A list that may not be read is unknown, and closes nothing; the next inventory that reads it does.
async fn what_cannot_be_read(scene: &Scene) {
    let forbidden = json!({"when": {"path": "^/api/v1/api-tokens$"}, "then": {"status": 403}});
    scene.fleet.simulator.fault(&forbidden).await.unwrap();
    assert_eq!(scene.observe().await, "promoted");
    let unreachable = "SELECT cause_key, state FROM finding WHERE situation = 'unreachable'";
    assert_eq!(scene.sql(unreachable).await, "family:api_token|open");
    assert_eq!(scene.about("tok").await, "unowned_token|open|report|0|-");
    scene.fleet.simulator.no_faults().await.unwrap();
    assert_eq!(scene.observe().await, "promoted");
    assert_eq!(scene.sql(unreachable).await, "family:api_token|closed");
}

/// A provider that answers 200 with nothing, and one whose page comes again and again: nothing is concluded.
async fn what_is_no_list(scene: &Scene) {
    let before = scene.open().await;
    let empty = json!({"when": {"operation": "list_users"}, "then": {"status": 200, "body": []}});
    scene.fleet.simulator.fault(&empty).await.unwrap();
    assert_eq!(scene.observe().await, "incomplete");
    scene.fleet.simulator.no_faults().await.unwrap();
    let settings = |repeats: &str, size: Option<u32>| {
        json!({
            "ssws_tokens": [{"token": OKTA_TOKEN, "name": "worker"}], "page_repeats": repeats, "page_size_max": size,
        })
    };
    let simulator = &scene.fleet.simulator;
    simulator
        .configure(settings("forever", Some(3)))
        .await
        .unwrap();
    assert_eq!(scene.observe().await, "incomplete");
    simulator.configure(settings("off", None)).await.unwrap();
    let opened =
        "SELECT count(*) FROM finding WHERE situation NOT IN ('unreachable') AND closed_at IS NULL";
    assert_eq!(
        scene.sql(opened).await,
        before,
        "nothing opened, nothing closed"
    );
}

/// The worker is killed in the middle of a run: the next one goes on, and nobody is missing.
async fn a_run_is_cut_short(scene: &mut Scene) {
    let slow = json!({"when": {"path": "^/api/v1/groups$"}, "then": {"latency_ms": 4000}});
    scene.fleet.simulator.fault(&slow).await.unwrap();
    let run = scene.ask().await;
    let running = format!("SELECT no FROM inventory_run WHERE no = {run} AND state = 'running'");
    scene.fleet.shows(&running, LIMIT).await.unwrap();
    scene.fleet.worker.kill().await.unwrap();
    scene.fleet.simulator.no_faults().await.unwrap();
    scene.fleet.worker.restart().unwrap();
    let before = scene.open().await;
    assert_eq!(scene.compared(&run).await, "promoted");
    let still = scene
        .sql("SELECT count(*) FROM finding WHERE closed_at IS NULL AND situation <> 'unreachable'")
        .await;
    let unreachable = scene
        .sql("SELECT count(*) FROM finding WHERE closed_at IS NULL AND situation = 'unreachable'")
        .await;
    assert_eq!(
        (still.as_str(), unreachable.as_str()),
        ("5", "0"),
        "{before} before"
    );
}

/// Accounts were read while somebody was still there, and compared after the removal was proven: an old sight is no evidence.
async fn an_opt_out_is_verified_while_the_inventory_runs(scene: &Scene) {
    let slow = json!({"when": {"path": "^/api/v1/groups$"}, "then": {"latency_ms": 6000}});
    scene.fleet.simulator.fault(&slow).await.unwrap();
    let listed = || async {
        let journal = scene.fleet.simulator.journal().await.unwrap();
        let lists = journal.iter().filter(|call| call["path"] == "/api/v1/apps");
        lists.count()
    };
    let before = listed().await;
    let run = scene.ask().await;
    let users_read = sever_tests::until("the users were read", LIMIT, || async {
        Ok((listed().await > before).then_some(()))
    });
    users_read.await.unwrap();
    scene.fleet.leave(&scene.tom).await.unwrap();
    let proven = format!(
        "SELECT id FROM job WHERE subject_id = '{}' AND state = 'done'",
        scene.tom.subject
    );
    scene.fleet.shows(&proven, LIMIT).await.unwrap();
    let early = format!("SELECT state FROM inventory_run WHERE no = {run}");
    let early = scene.sql(&early).await;
    assert_eq!(early, "running", "the removal was proven too late for this");
    assert_eq!(scene.compared(&run).await, "promoted");
    scene.fleet.simulator.no_faults().await.unwrap();
    assert_eq!(scene.about("tom").await, "");
    assert_eq!(scene.observe().await, "promoted");
    assert_eq!(scene.about("tom").await, "");
}

/// More findings than the guard allows: nothing is opened until somebody else says so.
async fn a_wave_is_held(scene: &Scene) {
    scene.sql("INSERT INTO reconcile_setting (connection_id, findings_percent, findings_min) SELECT id, 0, 5 FROM connection").await;
    let strangers: Vec<Value> = (0..12)
        .map(|n| json!({"login": format!("stranger{n}@example.com"), "first_name": "S", "last_name": format!("{n}")}))
        .collect();
    let document = json!({"users": strangers});
    let strangers = scene.fleet.simulator.seed(&document).await.unwrap();
    let before = scene.open().await;
    let run = scene.ask().await;
    assert_eq!(scene.compared(&run).await, "held");
    assert_eq!(scene.open().await, before);
    // A newer look takes the place of the held one, and is held as well.
    let run = scene.ask().await;
    assert_eq!(scene.compared(&run).await, "held");
    let store = scene.fleet.database.store().unwrap();
    let mut client = store.client("releasing").await.unwrap();
    let id = scene
        .sql(&format!("SELECT id FROM inventory_run WHERE no = {run}"))
        .await;
    for (who, released) in [("token:test", false), ("token:colleague", true)] {
        let tx = client.begin().await.unwrap();
        let done = sever_store::drift::release(&tx, id.parse().unwrap(), who).await;
        assert_eq!(done.unwrap(), released, "{who}");
        tx.commit().await.unwrap();
    }
    assert_eq!(scene.compared(&run).await, "promoted");
    let opened = scene
        .sql(
            "SELECT count(*) FROM finding WHERE situation = 'orphan_account' AND closed_at IS NULL",
        )
        .await;
    assert_eq!(opened, (strangers.len() + 1).to_string());
    scene
        .sql("UPDATE reconcile_setting SET findings_min = 50")
        .await;
}

/// The same access comes back after each repair: the second return pages, the third is held with its reason.
async fn a_fight_ends_as_a_hold(scene: &Scene) {
    let ada = scene.ids["ada"].clone();
    for expected in [
        "resurrected|repaired|repair|1|-",
        "resurrected|held|hold|2|comes_back",
    ] {
        let active = json!({"do": "set_status", "user": ada, "status": "ACTIVE"});
        scene.behind(active, Some(("SystemPrincipal", RULE))).await;
        assert_eq!(scene.observe().await, "promoted");
        assert_eq!(scene.about("ada").await, expected);
    }
    assert!(scene.live("ada").await, "nobody fights on");
    let store = scene.fleet.database.store().unwrap();
    let client = store.client("counting").await.unwrap();
    assert_eq!(sever_store::finding::returned(&client).await.unwrap(), 1);
    let standings = sever_store::standing::standings(&client, &[scene.ada.subject])
        .await
        .unwrap();
    let now = sever_store::standing::clock(&client).await.unwrap();
    let statuses: Vec<_> = standings[&scene.ada.subject]
        .iter()
        .map(|standing| standing.status(now).as_str())
        .collect();
    assert_eq!(
        statuses,
        ["partially_disconnected"],
        "what was seen again is not removed"
    );
}

/// The connection becomes the directory of the source: who is suspended or gone there is held, and nobody is a leaver by that.
async fn the_directory_says_who_is_gone(scene: &Scene) {
    scene.sql("UPDATE reconcile_setting SET directory_of = (SELECT source_id FROM person_key LIMIT 1)").await;
    let suspended = json!({"do": "set_status", "user": scene.ids["sue"], "status": "SUSPENDED"});
    scene.behind(suspended, None).await;
    let opt_outs = "SELECT count(*) FROM opt_out";
    let before = scene.sql(opt_outs).await;
    assert_eq!(scene.observe().await, "promoted");
    for name in ["sue", "mia"] {
        // What Sue still has in her groups is a finding of its own, as old as this one.
        let gone = format!(
            "SELECT state, action, returns FROM finding WHERE provider_id = '{}' AND situation = 'gone_at_source'",
            scene.ids[name]
        );
        assert_eq!(scene.sql(&gone).await, "held|hold|0", "{name}");
    }
    assert_eq!(scene.sql(opt_outs).await, before, "a finding is no leaver");
}

/// When the reconciler that leads dies, the other one leads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_reconcilers_one_leads_and_the_other_takes_over() {
    let fleet = Fleet::start(FleetOptions::default()).await.unwrap();
    fleet
        .simulator
        .seed(&json!({"users": [{"login": "ada@example.com"}]}))
        .await
        .unwrap();
    fleet.person("E1", &[]).await.unwrap();
    let mut both: Vec<Program> = Vec::new();
    both.push(fleet.reconcile().unwrap());
    fleet
        .shows(
            "SELECT no FROM inventory_run WHERE state = 'promoted'",
            LIMIT,
        )
        .await
        .unwrap();
    let leader = fleet
        .shows(
            "SELECT holder FROM leader_lease WHERE name = 'reconcile'",
            LIMIT,
        )
        .await
        .unwrap();
    both.push(fleet.reconcile().unwrap());
    both[0].kill().await.unwrap();
    let other = format!(
        "SELECT holder FROM leader_lease WHERE name = 'reconcile' AND holder <> '{leader}'"
    );
    fleet.shows(&other, LIMIT).await.unwrap();
    fleet
        .database
        .sql("INSERT INTO inventory_run (id, connection_id, kind, state, asked_by) SELECT gen_random_uuid(), id, 'full', 'waiting', 'test' FROM connection")
        .await
        .unwrap();
    let again = "SELECT 1 FROM inventory_run WHERE state = 'promoted' AND asked_by = 'test'";
    fleet.shows(again, LIMIT).await.unwrap();
}
