//! The runbook page, followed to the letter.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sever_tests::{Fleet, Leaver, until};

use super::on_call::OnCall;
use super::{LIMIT, options, people, refuse, words};

/// The page that on-call follows; the test executes its commands.
const PAGE: &str = include_str!("../../../deploy/runbooks/SeverDeadLetters.md");

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
