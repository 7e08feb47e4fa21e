//! Random changes at the provider while people leave, inventories run, repairs work and processes are killed. At the end the open
//! findings are exactly the differences that a straightforward comparison in memory finds in the provider's own truth.
//!
//! `SEVER_SOAK_SECONDS` lengthens it (`make soak`), `SEVER_SOAK_SEED` runs the same changes again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sever_tests::{Fleet, FleetOptions, Leaver, Program};

/// How long the fleet may take to come to rest.
const REST: Duration = Duration::from_secs(180);
/// How long changes go on where nobody says.
const SECONDS: u64 = 15;
/// People, of whom every second one may leave.
const PEOPLE: usize = 16;

/// A generator that is the same everywhere: splitmix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((value ^ (value >> 31)) % u64::try_from(end).unwrap()).unwrap()
    }
}

struct Soak {
    fleet: Fleet,
    reconciler: Program,
    people: Vec<(Leaver, String)>,
    left: BTreeSet<usize>,
    strangers: Vec<String>,
    dice: Dice,
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test binary has no configuration; make soak sets the length"
)]
fn number(name: &str, otherwise: u64) -> u64 {
    let said = std::env::var(name).ok();
    said.and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[expect(clippy::print_stdout, reason = "the seed runs it again")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_random_changes_the_findings_are_exactly_the_differences() {
    let seed = number("SEVER_SOAK_SEED", u64::from(std::process::id()));
    println!("SEVER_SOAK_SEED={seed}");
    let mut soak = Soak::new(seed).await;
    let (begun, length) = (
        Instant::now(),
        Duration::from_secs(number("SEVER_SOAK_SECONDS", SECONDS)),
    );
    let mut kills = 0;
    while begun.elapsed() < length {
        for _ in 0..3 {
            soak.change().await;
        }
        soak.ask().await;
        if soak.dice.below(6) == 0 {
            soak.kill().await;
            kills += 1;
        }
        // The pace of the changes, not a wait for something.
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
    soak.rest().await;
    let (found, expected) = (soak.found().await, soak.expected().await);
    assert_eq!(found, expected, "seed {seed}, {kills} kills");
    let journal = soak.fleet.simulator.journal().await.unwrap();
    let may: BTreeSet<&str> = soak
        .left
        .iter()
        .map(|place| soak.people[*place].1.as_str())
        .collect();
    let strangers = journal.iter().filter(|call| {
        call["effect"] == "write" && call["user"].as_str().is_none_or(|user| !may.contains(user))
    });
    assert_eq!(
        strangers.count(),
        0,
        "only who left was written to (seed {seed})"
    );
    assert_eq!(
        soak.fleet.violations().await.unwrap(),
        Vec::<String>::new(),
        "seed {seed}"
    );
}

impl Soak {
    async fn new(seed: u64) -> Self {
        // A handful of people are removed again and again; that is no mass event.
        let guard = || vec![("SEVER_GUARD_MASS_COUNT", "500".to_owned())];
        let options = FleetOptions {
            intake: guard(),
            worker: guard(),
        };
        let fleet = Fleet::start(options).await.unwrap();
        let users: Vec<Value> = (0..PEOPLE)
            .map(|n| json!({"login": format!("p{n}@example.com"), "first_name": "P", "last_name": format!("{n}"), "groups": ["VPN"]}))
            .collect();
        let document = json!({"groups": [{"name": "VPN"}, {"name": "Ops"}], "users": users});
        let ids = fleet.simulator.seed(&document).await.unwrap();
        let mut people = Vec::new();
        for (n, id) in ids.into_iter().enumerate() {
            let person = fleet.person(&format!("E{n}"), &[&id]).await.unwrap();
            people.push((person, id));
        }
        let reconciler = fleet.reconcile().unwrap();
        Self {
            fleet,
            reconciler,
            people,
            left: BTreeSet::new(),
            strangers: Vec::new(),
            dice: Dice(seed),
        }
    }

    /// One change: somebody leaves, comes back, gets or loses a group, is renamed, or a stranger appears or changes.
    async fn change(&mut self) {
        let place = self.dice.below(PEOPLE);
        let account = self.people[place].1.clone();
        let left = self.left.contains(&place);
        match self.dice.below(8) {
            0 | 1 if place.is_multiple_of(2) && !left => {
                self.left.insert(place);
                self.fleet.leave(&self.people[place].0).await.unwrap();
            }
            // Whoever comes back while the removal still works is its own next plan, not a finding.
            2 if left && self.is_done(place).await => {
                self.behind(json!({"do": "set_status", "user": account, "status": "ACTIVE"}))
                    .await
            }
            3 => {
                self.behind(json!({"do": "add_to_group", "user": account, "group": "Ops"}))
                    .await
            }
            4 => {
                self.behind(json!({"do": "remove_from_group", "user": account, "group": "Ops"}))
                    .await
            }
            5 => {
                let login = format!("p{place}.{}@example.com", self.dice.below(1000));
                self.behind(json!({"do": "change_login", "user": account, "login": login}))
                    .await;
            }
            6 if self.strangers.len() < 8 => {
                let login = format!("stranger{}@example.com", self.strangers.len());
                let user = json!({"users": [{"login": login, "groups": ["Ops"]}]});
                self.strangers
                    .extend(self.fleet.simulator.seed(&user).await.unwrap());
            }
            7 if !self.strangers.is_empty() => {
                let stranger = self.strangers[self.dice.below(self.strangers.len())].clone();
                let status = ["ACTIVE", "SUSPENDED", "DEPROVISIONED"][self.dice.below(3)];
                self.behind(json!({"do": "set_status", "user": stranger, "status": status}))
                    .await;
            }
            _ => {}
        }
    }

    async fn is_done(&self, place: usize) -> bool {
        let subject = self.people[place].0.subject;
        let open = format!(
            "SELECT count(*) FILTER (WHERE state <> 'done') + (count(*) = 0)::int FROM job WHERE subject_id = '{subject}'"
        );
        self.sql(&open).await == "0"
    }

    /// What cannot be done any more (nobody of this name, a login that is taken) is no change.
    async fn behind(&self, change: Value) {
        let path = "/okta/main/mutate";
        let _ = self.fleet.simulator.control("POST", path, &change).await;
    }

    /// Asks for an inventory where none is open.
    async fn ask(&self) {
        self.sql(
            "INSERT INTO inventory_run (id, connection_id, kind, state, asked_by)
             SELECT gen_random_uuid(), id, 'full', 'waiting', 'test' FROM connection ON CONFLICT DO NOTHING",
        )
        .await;
    }

    async fn kill(&mut self) {
        let victim = if self.dice.below(2) == 0 {
            &mut self.fleet.worker
        } else {
            &mut self.reconciler
        };
        victim.kill().await.unwrap();
        victim.restart().unwrap();
    }

    async fn sql(&self, statements: &str) -> String {
        self.fleet
            .database
            .sql(statements)
            .await
            .unwrap()
            .trim()
            .to_owned()
    }

    /// Two whole inventories after the last change: the second one sees what the repairs of the first one came to.
    async fn rest(&self) {
        for _ in 0..2 {
            self.quiet().await;
            self.ask().await;
        }
        self.quiet().await;
    }

    async fn quiet(&self) {
        let quiet = "SELECT 1 WHERE NOT EXISTS (SELECT FROM inventory_run WHERE state IN ('waiting', 'running', 'loaded'))
             AND NOT EXISTS (SELECT FROM finding WHERE state IN ('suspected', 'repairing') OR (state = 'open' AND action = 'repair'))
             AND NOT EXISTS (SELECT FROM job WHERE state NOT IN ('done', 'cancelled', 'replaced'))
             AND (SELECT count(*) FROM opt_out WHERE kind = 'opt_out') > 0";
        let quiet = if self.left.is_empty() {
            quiet.replace("count(*) FROM opt_out WHERE kind = 'opt_out') > 0", "true)")
        } else {
            quiet.to_owned()
        };
        self.fleet
            .shows(&quiet, REST)
            .await
            .unwrap_or_else(|error| {
                let logs = (self.fleet.worker.log(), self.reconciler.log());
                panic!(
                    "{error:#}\n{}\n{}",
                    logs.0.unwrap_or_default(),
                    logs.1.unwrap_or_default()
                )
            });
    }

    /// The open findings, by account.
    async fn found(&self) -> BTreeMap<String, BTreeSet<String>> {
        let rows = self
            .sql("SELECT provider_id, situation FROM finding WHERE closed_at IS NULL ORDER BY 1, 2")
            .await;
        let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for row in rows.lines() {
            let (account, situation) = row.split_once('|').unwrap();
            found
                .entry(account.to_owned())
                .or_default()
                .insert(situation.to_owned());
        }
        found
    }

    /// The differences, account by account, from the provider's own truth.
    async fn expected(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut expected: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let owned = self
            .people
            .iter()
            .enumerate()
            .map(|(place, (_, id))| (id, Some(place)));
        let all = owned.chain(self.strangers.iter().map(|id| (id, None)));
        for (id, place) in all {
            let truth = self.fleet.simulator.truth(id).await.unwrap();
            let live = truth["status"] == "ACTIVE";
            let groups = truth["groups"].as_array().map_or(0, |groups| {
                groups
                    .iter()
                    .filter(|group| group["type"] != "BUILT_IN")
                    .count()
            });
            let mut add = |situation: &str| {
                expected
                    .entry(id.clone())
                    .or_default()
                    .insert(situation.to_owned());
            };
            match place {
                // Whoever comes back a third time is left to a person.
                Some(place) if live && self.left.contains(&place) => add("resurrected"),
                None if live => add("orphan_account"),
                Some(_) | None => {}
            }
            if !live && groups > 0 {
                add("orphan_entitlement");
            }
        }
        expected
    }
}
