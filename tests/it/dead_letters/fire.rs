//! A replay of a crowd under fire.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;
use sever_store::replay::Selection;
use sever_tests::{DOUBLE_EVENTS, Fleet};

use super::on_call::OnCall;
use super::{LIMIT, holds, options, order, people, refuse, writes};

/// Dead letters of the replay under fire; `SEVER_DLQ_COUNT` for more.
const COUNT: usize = 60;

/// How long on-call may wait for the list of what is dead, however much that is.
const LISTING_MAX: Duration = Duration::from_millis(200);

/// How long the listing of everything that is dead takes over HTTP: the median of a few.
async fn listing(on_call: &OnCall<'_>, letters: usize) -> Duration {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut times = Vec::new();
    for _ in 0..9 {
        let asked = Instant::now();
        let request = http.get(format!("{}/v1/dead-letters", on_call.url));
        let answer = request.bearer_auth(&on_call.tokens[0]).send().await;
        let list: Value = answer.unwrap().json().await.unwrap();
        times.push(asked.elapsed());
        assert_eq!(list["clusters"][0]["count"], letters, "{list}");
    }
    times.sort();
    times[times.len() / 2]
}

/// A replay of a crowd while workers and intake are killed: nothing is lost, and no call has its effect twice.
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
    let on_call = OnCall::start(&fleet).await;
    let took = listing(&on_call, count).await;
    drop(on_call);
    println!("{count} dead letters are listed in {took:?}");
    assert!(took < LISTING_MAX, "the listing takes {took:?}");
    fleet.simulator.no_faults().await.unwrap();
    let all = Selection {
        provider: Some(sever_domain::Provider::Okta),
        ..Selection::default()
    };
    order(&fleet, &all).await;

    let began = Instant::now();
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
    holds(&fleet, 0).await;
    assert_eq!(fleet.database.sql(DOUBLE_EVENTS).await.unwrap(), "");
    assert_eq!(fleet.violations().await.unwrap(), Vec::<String>::new());
}
