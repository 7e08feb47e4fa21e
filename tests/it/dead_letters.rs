//! Dead letters with real binaries: the runbook page brings the queue to empty, a replay loses nothing while workers are
//! killed, and the janitor puts right what a broker lost.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use sever_store::api_token::{self, NewToken};
use sever_store::replay::{self, Bounds, Selection};
use sever_tests::{DOUBLE_EVENTS, Fleet, FleetOptions, Leaver, Program, binary, until};
use tokio::process::Command;

/// How long one part of it may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(120);

/// The page that on-call follows; the test executes its commands.
const PAGE: &str = include_str!("../../deploy/runbooks/SeverDeadLetters.md");

/// Dead letters of the replay under fire; `SEVER_DLQ_COUNT` for more.
const COUNT: usize = 60;

fn people(prefix: &str, count: usize) -> Value {
    let users: Vec<Value> = (0..count)
        .map(|number| json!({"login": format!("{prefix}{number}@example.com"), "first_name": "D", "last_name": number.to_string(), "sessions": 1}))
        .collect();
    json!({"users": users})
}

/// Quick hearts, a quick janitor, and a guard that lets a crowd leave.
fn options() -> FleetOptions {
    let own = |pairs: &[(&'static str, &str)]| {
        pairs
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect()
    };
    FleetOptions {
        intake: own(&[
            ("SEVER_DISPATCH_JANITOR_MS", "200"),
            ("SEVER_DISPATCH_CRASH_LOOP_REST_S", "1"),
        ]),
        worker: own(&[
            ("SEVER_WORKER_HEARTBEAT_MS", "200"),
            ("SEVER_WORKER_START_CALL_AGE_MS", "1000"),
            ("SEVER_WORKER_HEARTBEAT_DEAD_MS", "2000"),
            ("SEVER_WORKER_CALL_DEADLINE_MS", "1000"),
            ("SEVER_GUARD_MASS_COUNT", "100000"),
            ("SEVER_GUARD_MASS_PERCENT", "100"),
        ]),
    }
}

/// Every read of these people's accounts is refused in a way that can never work.
async fn refuse(fleet: &Fleet, user: Option<&str>, code: &str) {
    let fault = json!({
        "when": {"operation": "get_user", "user": user},
        "then": {"status": 400, "body": {"errorCode": code, "errorSummary": "refused", "errorLink": code, "errorId": "oae", "errorCauses": []}}
    });
    fleet.simulator.fault(&fault).await.unwrap();
}

/// The program `sever` as one of two people.
struct OnCall<'a> {
    fleet: &'a Fleet,
    _console: Program,
    url: String,
    tokens: [String; 2],
}

impl<'a> OnCall<'a> {
    async fn start(fleet: &'a Fleet) -> Self {
        let (console, url) = fleet.console().await.unwrap();
        let store = fleet.database.store().unwrap();
        let mut client = store.client("making tokens").await.unwrap();
        let tx = client.begin().await.unwrap();
        let scopes = [
            "dead-letters:read",
            "dead-letters:write",
            "dead-letters:decide",
            "holds:read",
            "holds:decide",
        ];
        let mut tokens = Vec::new();
        for name in ["on-call", "second"] {
            let token = NewToken {
                name,
                scopes: &scopes,
                source: None,
                expires_at: None,
            };
            let (_, secret) = api_token::create(&tx, &token).await.unwrap();
            tokens.push(secret.expose().to_owned());
        }
        tx.commit().await.unwrap();
        Self {
            fleet,
            _console: console,
            url,
            tokens: [tokens.remove(0), tokens.remove(0)],
        }
    }

    /// Runs a command line of the page; returns its exit code and what it printed.
    async fn run(&self, person: usize, words: &[String]) -> (i32, String) {
        let output = Command::new(binary("sever").unwrap())
            .args(words)
            .env_clear()
            .env("SEVER_CONSOLE_URL", &self.url)
            .env("SEVER_TOKEN", &self.tokens[person])
            .env("SEVER_DATABASE_URL", self.fleet.database.app_url())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .unwrap();
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        (output.status.code().unwrap_or(-1), text)
    }

    async fn json(&self, words: &str) -> Value {
        let mut all = vec!["-o".to_owned(), "json".to_owned()];
        all.extend(words.split(' ').map(ToOwned::to_owned));
        let (code, text) = self.run(0, &all).await;
        assert_eq!(code, 0, "sever {words}: {text}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// What the words in capitals stand for now.
    async fn meanings(&self) -> BTreeMap<&'static str, Vec<String>> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let list = self.json("dlq list").await;
        let column = |list: &Value, name: &str| -> Vec<String> {
            list.as_array()
                .unwrap()
                .iter()
                .map(|item| text(&item[name]))
                .collect()
        };
        let fingerprints = column(&list["clusters"], "fingerprint");
        let mut letters = Vec::new();
        for fingerprint in &fingerprints {
            let page = self.json(&format!("dlq show {fingerprint}")).await;
            letters.extend(column(&page["items"], "id"));
        }
        let holds = self.json("hold list").await;
        BTreeMap::from([
            ("FINGERPRINT", fingerprints),
            ("LETTER", letters),
            ("MESSAGE", column(&list["raws"], "id")),
            ("HOLD", column(&holds["items"], "id")),
            ("REASON", vec!["followed the page".to_owned()]),
            ("EVIDENCE", vec!["seen in the admin console".to_owned()]),
        ])
    }
}

/// The commands of the page, with the number of their step.
fn commands() -> Vec<(u32, Vec<String>)> {
    let (mut step, mut inside, mut found) = (0, false, Vec::new());
    for line in PAGE.lines() {
        if let Some(heading) = line.strip_prefix("### ") {
            step = heading.split('.').next().unwrap().parse().unwrap();
        } else if line.starts_with("```") {
            inside = line == "```sh";
        } else if inside {
            let words = words(line);
            assert_eq!(words[0], "sever", "{line}");
            found.push((step, words[1..].to_vec()));
        }
    }
    found
}

/// A command line with single quotes, as a shell takes it.
fn words(line: &str) -> Vec<String> {
    line.split('\'')
        .enumerate()
        .flat_map(|(part, text)| match part % 2 {
            1 => vec![text.to_owned()],
            _ => text.split_whitespace().map(ToOwned::to_owned).collect(),
        })
        .collect()
}

/// The command once for each thing that its word in capitals stands for.
fn meant(words: &[String], meanings: &BTreeMap<&'static str, Vec<String>>) -> Vec<Vec<String>> {
    let mut all = vec![Vec::new()];
    for word in words {
        let values = meanings
            .get(word.as_str())
            .cloned()
            .unwrap_or_else(|| vec![word.clone()]);
        all = values
            .iter()
            .flat_map(|value| {
                all.iter().map(|begun: &Vec<String>| {
                    let mut line = begun.clone();
                    line.push(value.clone());
                    line
                })
            })
            .collect();
    }
    all
}

/// Three fingerprints: two people whose cause is corrected, one who was taken on again, one who is done by hand; and a
/// message that nobody can read.
async fn seeded(fleet: &Fleet) -> (Vec<String>, Vec<Leaver>) {
    let accounts = fleet.simulator.seed(&people("r", 4)).await.unwrap();
    let codes = ["E0000003", "E0000003", "E0000031", "E0000033"];
    let mut leavers = Vec::new();
    for (number, (account, code)) in accounts.iter().zip(codes).enumerate() {
        refuse(fleet, Some(account), code).await;
        let leaver = fleet
            .person(&format!("R{number}"), &[account])
            .await
            .unwrap();
        fleet.leave(&leaver).await.unwrap();
        leavers.push(leaver);
    }
    fleet.jobs_come_to(&["dead"], 4, LIMIT).await.unwrap();
    fleet
        .publish_raw("sever.cmd", "okta", b"\x00 no bell at all")
        .await
        .unwrap();
    fleet
        .shows("SELECT id FROM dead_raw WHERE state = 'open'", LIMIT)
        .await
        .unwrap();
    // The cause of the first two fingerprints is corrected; the third stays as it is.
    fleet.simulator.no_faults().await.unwrap();
    refuse(fleet, Some(&accounts[3]), codes[3]).await;
    let back = json!({
        "specversion": "1.0", "id": "rehired-R2", "source": "urn:hr",
        "type": "sever.employment.rehired.v1", "datacontenttype": "application/json",
        "data": {"person": {"external_id": leavers[2].external_id}, "employment_version": 2},
    });
    fleet.publish(&back).await.unwrap();
    fleet
        .shows(
            "SELECT id FROM hold WHERE reason = 'newer_employment_event'",
            LIMIT,
        )
        .await
        .unwrap();
    (accounts, leavers)
}

#[ignore = "not met: what was done by hand at Okta cannot be proven, because nobody can list its sessions"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_runbook_page_followed_to_the_letter_brings_the_queue_to_empty() {
    let fleet = Fleet::start(options()).await.unwrap();
    let (accounts, _) = seeded(&fleet).await;
    let on_call = OnCall::start(&fleet).await;
    let list = on_call.json("dlq list").await;
    assert_eq!(
        list["clusters"].as_array().unwrap().len(),
        3,
        "three fingerprints: {list}"
    );
    assert_eq!(list["raws"].as_array().unwrap().len(), 1, "{list}");

    let mut printed = Vec::new();
    for (step, words) in commands() {
        if step == 4 {
            // What the page asks of the person: take the access away at the provider, then say so.
            let done = json!({"do": "deactivate", "user": accounts[3]});
            let path = "/okta/main/mutate";
            fleet.simulator.no_faults().await.unwrap();
            fleet.simulator.control("POST", path, &done).await.unwrap();
        }
        if step == 6 {
            until("the janitor empties the queue", LIMIT, || async {
                let empty = fleet.depth("sever.dlq.okta.v1").await? == 0;
                Ok(empty.then_some(()))
            })
            .await
            .unwrap();
        }
        let second =
            words.contains(&"--confirm".to_owned()) || words.contains(&"reject".to_owned());
        let meanings = on_call.meanings().await;
        for line in meant(&words, &meanings) {
            let (code, text) = on_call.run(usize::from(second), &line).await;
            let still_refused = step == 2
                && line.contains(&"--wait".to_owned())
                && line.iter().any(|word| word.contains("E0000033"));
            assert_eq!(
                code,
                i32::from(still_refused),
                "step {step}: sever {}: {text}",
                line.join(" ")
            );
            printed.push((step, line, text));
        }
    }
    let said = |step: u32, words: &str| {
        printed
            .iter()
            .any(|(of, _, text)| *of == step && text.contains(words))
    };
    assert!(
        said(1, "a replay now:") && said(1, "E0000031"),
        "{printed:?}"
    );
    assert!(
        said(1, "newer_employment_event"),
        "show foretells the hold: {printed:?}"
    );
    assert!(said(5, "no bell at all"), "the message is readable");
    assert!(said(6, "no dead letters"), "{printed:?}");

    for account in [0, 1, 3].map(|number| &accounts[number]) {
        assert_eq!(
            fleet.simulator.live(account).await.unwrap(),
            Vec::<Value>::new()
        );
    }
    assert_ne!(
        fleet.simulator.live(&accounts[2]).await.unwrap(),
        Vec::<Value>::new(),
        "who was taken on again keeps the access"
    );
    let states = "SELECT string_agg(state, ' ' ORDER BY state) FROM job";
    assert_eq!(
        fleet.database.sql(states).await.unwrap(),
        "cancelled done done done"
    );
    assert_eq!(fleet.violations().await.unwrap(), Vec::<String>::new());
}

/// What the broker lost is published again, a second copy is taken out, and work by hand that was not done is found out.
#[ignore = "not met: what was done by hand at Okta cannot be proven, because nobody can list its sessions"]
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
    let holds_one = || async {
        let depth = fleet.depth("sever.dlq.okta.v1").await?;
        Ok((depth == 1).then_some(()))
    };
    until("the dead letter is in the queue", LIMIT, holds_one)
        .await
        .unwrap();

    fleet.purge("sever.dlq.okta.v1").await.unwrap();
    until("the lost message is published again", LIMIT, holds_one)
        .await
        .unwrap();

    let job = fleet.database.sql("SELECT id FROM job").await.unwrap();
    let copy = format!(r#"{{"v":1,"job":"{}"}}"#, job.trim());
    fleet
        .publish_raw("sever.dead", "okta", copy.as_bytes())
        .await
        .unwrap();
    until("the second copy is taken out", LIMIT, holds_one)
        .await
        .unwrap();

    fleet.simulator.no_faults().await.unwrap();
    let on_call = OnCall::start(&fleet).await;
    let resolve = format!(
        "dlq resolve {} --evidence 'said so' --reason 'by hand' --wait",
        job.trim()
    );
    let (code, text) = on_call.run(0, &words(&resolve)).await;
    assert_eq!(code, 1, "{text}");
    assert!(
        text.contains("still there") && text.contains(&account),
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

/// Every write that reached the provider.
async fn writes(fleet: &Fleet) -> Vec<Value> {
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let path = format!("/journal?effect=write&limit=10000&after={after}");
        let page = fleet
            .simulator
            .control("GET", &path, &Value::Null)
            .await
            .unwrap();
        let entries = page["entries"].as_array().unwrap();
        assert_eq!(page["dropped"], 0, "the journal forgot calls");
        let Some(last) = entries.last() else {
            return all;
        };
        after = last["seq"].as_u64().unwrap();
        all.extend(entries.iter().cloned());
    }
}

/// A replay of a crowd while workers and intake are killed: nothing is lost, and no call has its effect twice.
#[ignore = "not met: the fleet is not at rest within the time that the test gives it"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "how long it took is worth a line")]
#[expect(
    clippy::disallowed_methods,
    reason = "a test binary has no configuration; make dlq-10k sets the count"
)]
async fn a_replay_under_fire_loses_nothing_and_does_nothing_twice() {
    let count = std::env::var("SEVER_DLQ_COUNT").map_or(COUNT, |text| text.parse().unwrap());
    let limit = LIMIT + Duration::from_millis(200) * u32::try_from(count).unwrap();
    let mut fleet = Fleet::start(options()).await.unwrap();
    refuse(&fleet, None, "E0000003").await;
    let mut accounts = Vec::new();
    for batch in 0..count.div_ceil(500) {
        let size = (count - batch * 500).min(500);
        accounts.extend(
            fleet
                .simulator
                .seed(&people(&format!("k{batch}-"), size))
                .await
                .unwrap(),
        );
    }
    for (number, account) in accounts.iter().enumerate() {
        let leaver = fleet
            .person(&format!("K{number}"), &[account])
            .await
            .unwrap();
        fleet.leave(&leaver).await.unwrap();
    }
    fleet.jobs_come_to(&["dead"], count, limit).await.unwrap();
    fleet.simulator.no_faults().await.unwrap();
    let store = fleet.database.store().unwrap();
    let mut client = store.client("ordering a replay").await.unwrap();
    let tx = client.begin().await.unwrap();
    let all = Selection {
        provider: Some(sever_domain::Provider::Okta),
        ..Selection::default()
    };
    replay::order(&tx, &all, Bounds::default(), "token:ops", "fixed")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    drop(client);

    let began = std::time::Instant::now();
    let mut kills = 0;
    let ended = "SELECT state FROM replay WHERE closed_at IS NOT NULL";
    while fleet.database.sql(ended).await.unwrap().is_empty() {
        assert!(
            began.elapsed() < limit,
            "the replay hangs: {}",
            fleet
                .database
                .sql("SELECT state, count(*) FROM replay_member GROUP BY state")
                .await
                .unwrap()
        );
        let done = format!(
            "SELECT 1 FROM replay_member WHERE state = 'done' HAVING count(*) >= {}",
            (kills + 1) * count / 5
        );
        if kills < 4 && !fleet.database.sql(&done).await.unwrap().is_empty() {
            fleet.worker.kill().await.unwrap();
            fleet.worker.restart().unwrap();
            if kills == 1 {
                fleet.intake.kill().await.unwrap();
                fleet.intake.restart().unwrap();
            }
            kills += 1;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!(
        "{count} dead letters replayed in {:?} with {kills} kills of the worker",
        began.elapsed()
    );
    assert!(kills > 0, "nothing was killed");
    assert_eq!(
        fleet
            .database
            .sql("SELECT state FROM replay")
            .await
            .unwrap(),
        "done"
    );
    fleet.jobs_come_to(&["done"], count, limit).await.unwrap();
    let mut effects: BTreeMap<(String, String), usize> = BTreeMap::new();
    for call in writes(&fleet).await {
        if call["changed"] == true {
            let text = |name: &str| call[name].as_str().unwrap_or_default().to_owned();
            *effects
                .entry((text("operation"), text("path")))
                .or_default() += 1;
        }
    }
    assert!(effects.len() >= count, "too few effects: {}", effects.len());
    effects.retain(|_, times| *times > 1);
    assert_eq!(effects, BTreeMap::new(), "a call had its effect twice");
    for account in &accounts {
        assert_eq!(
            fleet.simulator.live(account).await.unwrap(),
            Vec::<Value>::new()
        );
    }
    until("the queue is empty", LIMIT, || async {
        Ok((fleet.depth("sever.dlq.okta.v1").await? == 0).then_some(()))
    })
    .await
    .unwrap();
    assert_eq!(fleet.database.sql(DOUBLE_EVENTS).await.unwrap(), "");
    assert_eq!(fleet.violations().await.unwrap(), Vec::<String>::new());
}
