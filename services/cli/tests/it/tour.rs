//! The everyday commands, as people and as programs see them.

use insta::assert_snapshot;
use regex::Regex;
use serde_json::json;
use sever_domain::{Provider, SubjectKind};
use sever_store::capability::declare_capabilities;

use crate::cli::{Cli, INTEGRATIONS, redacted};

/// Particulars are cut where they are long, in the middle of an id.
fn without_particulars(record: &str) -> String {
    let particulars = Regex::new(r"\{\S+").unwrap();
    redacted(&particulars.replace_all(record, "<particulars>"))
}

#[tokio::test(flavor = "multi_thread")]
async fn configuration_and_people() {
    let cli = Cli::with_token().await;
    cli.furnish().await;
    cli.ok("protected add --person hr:7 --kind break_glass --owner security --reason keep")
        .await;
    for (name, words) in [
        ("source_list", "source list"),
        ("connection_list", "connection list"),
        ("connection_show", "connection show okta-main"),
        ("connection_list_json", "-o json connection list"),
        ("people_show", "people show hr:7"),
        ("people_list", "people list"),
        ("token_list", "token list"),
        ("protected_list", "protected list"),
        ("rejected_list_empty", "rejected list"),
        ("unmatched_list_empty", "unmatched list"),
        ("hold_list_empty", "hold list"),
    ] {
        assert_snapshot!(name, redacted(&cli.ok(words).await));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_names_bad_rows_and_ends_in_one() {
    let cli = Cli::with_token().await;
    cli.furnish().await;
    let rows = "source,external_id,employment_state,emails\nhr,8,active,\nhr,9,retired,\nhr,10,active,nonsense\n";
    let ended = cli.run_with(&["people", "import", "-"], rows).await;
    assert_eq!(ended.code, 1, "{ended:?}");
    assert_snapshot!("people_import_bad_rows", ended.stdout);
    assert_eq!(
        cli.json("people list").await["items"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opt_out_from_request_to_record() {
    let cli = Cli::with_token().await;
    cli.furnish().await;
    let asked = cli
        .ok("opt-out person hr:7 --reason left --intent remove --urgency urgent --scope okta-main")
        .await;
    assert_snapshot!("opt_out_person", redacted(&asked));
    let list = cli.json("opt-out list").await;
    let id = list["items"][0]["id"].as_str().unwrap();
    assert_snapshot!("opt_out_list", redacted(&cli.ok("opt-out list").await));
    assert_snapshot!(
        "status_of_opt_out",
        redacted(&cli.ok(&format!("status {id}")).await)
    );
    assert_snapshot!("status_of_person", redacted(&cli.ok("status hr:7").await));
    assert_snapshot!(
        "audit_show",
        without_particulars(&cli.ok(&format!("audit show --opt-out {id}")).await)
    );
    let fleet = cli.ok("status").await;
    assert!(
        fleet.contains("waiting 1") && fleet.contains("no workers"),
        "the fleet, where nobody is named: {fleet}"
    );
    let by_id = cli
        .json(&format!(
            "status {}",
            list["items"][0]["subject"].as_str().unwrap()
        ))
        .await;
    assert_eq!(
        by_id["status"], "partially_disconnected",
        "a person's id is no opt-out's"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_integration_from_its_file_to_its_opt_out() {
    let cli = Cli::with_token().await;
    cli.furnish().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("integrations.toml");
    std::fs::write(&file, INTEGRATIONS).unwrap();
    let apply = format!("integration apply {}", file.display());
    assert_snapshot!("integration_apply", cli.ok(&apply).await);
    assert_snapshot!("integration_apply_again", cli.ok(&apply).await);
    for (name, words) in [
        ("integration_list", "integration list"),
        ("integration_show", "integration show crm"),
        (
            "opt_out_integration",
            "opt-out integration crm --reason ended",
        ),
        ("opt_out_list_integration", "opt-out list"),
        ("status_of_integration", "status --integration crm"),
    ] {
        assert_snapshot!(name, redacted(&cli.ok(words).await));
    }
    let status = cli.json("status --integration crm").await;
    let by_id = cli
        .json(&format!("status {}", status["subject"].as_str().unwrap()))
        .await;
    assert_eq!(by_id["subject_name"], "crm", "a subject is found by its id");
    let opt_out = status["opt_outs"][0]["id"].as_str().unwrap();
    let shown = cli.ok(&format!("status {opt_out}")).await;
    assert!(shown.contains("integration  crm"), "{shown}");
    cli.database
        .sql(
            "UPDATE job SET state = 'done'; UPDATE opt_out SET state = 'closed', closed_at = now()",
        )
        .await
        .unwrap();
    let watched = cli.run("watch --integration crm").await;
    assert_eq!(watched.code, 0, "{watched:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_provider_can_do_is_shown_for_each_kind_of_subject() {
    let cli = Cli::with_token().await;
    let never = cli.run("provider capabilities okta").await;
    assert_eq!(never.code, 3, "{never:?}");
    let family = |family, revokes, restores, note| json!({"family": family, "sees": "where_offered", "revokes": revokes, "grade": "read", "restores": restores, "note": note});
    let people = [
        family(
            "account",
            json!({"call": "deactivate_account"}),
            json!({"call_for_days": ["reinstate_account", 30]}),
            "Deleted after that.",
        ),
        family(
            "session",
            json!({"with_rule": "okta.sessions_end"}),
            json!("never"),
            "",
        ),
        family(
            "group",
            json!({"call": "remove_from_group"}),
            json!({"call": "add_to_group"}),
            "",
        ),
        family("token", json!("person"), json!("never"), ""),
    ];
    declare_capabilities(&cli.store, Provider::Okta, SubjectKind::Person, &people)
        .await
        .unwrap();
    assert_snapshot!(
        "provider_capabilities",
        cli.ok("provider capabilities okta").await
    );
    let listed = cli.json("provider capabilities okta").await;
    assert_eq!(
        listed["items"][0]["revokes"],
        json!({"call": "deactivate_account"})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_asks_once() {
    let cli = Cli::with_token().await;
    cli.furnish().await;
    let words = "opt-out person hr:7 --reason left --idempotency-key k1";
    let (first, again) = (cli.json(words).await, cli.json(words).await);
    assert_eq!(
        (&first["opt_out"], &again["created"]),
        (&again["opt_out"], &false.into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn watching_ends_when_nothing_moves_and_says_what_is_stuck() {
    let cli = Cli::with_token().await;
    cli.furnish().await;
    let id = cli.ask().await;
    let hold = format!(
        "UPDATE job SET state = 'held', due_at = NULL, state_reason = 'mass_guard';
         INSERT INTO hold (id, scope, target_id, reason, policy, requested_by)
         VALUES ('01890000-0000-7000-8000-000000000001', 'opt_out', '{id}', 'mass_guard', 'nothing', 'token:ops')"
    );
    cli.database.sql(&hold).await.unwrap();
    for words in [format!("watch {id}"), "watch".to_owned()] {
        let ended = cli.run(&words).await;
        assert_eq!(ended.code, 1, "a held job needs a person: {ended:?}");
        assert!(
            ended.stderr.contains("held"),
            "plain lines where nobody watches: {}",
            ended.stderr
        );
    }
    assert_snapshot!("hold_list", redacted(&cli.ok("hold list").await));
    let id = cli.json("hold list").await["items"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_snapshot!(
        "hold_show",
        redacted(&cli.ok(&format!("hold show {id}")).await)
    );
    cli.database
        .sql("DELETE FROM hold; UPDATE job SET state = 'done'")
        .await
        .unwrap();
    assert_eq!(cli.run("watch").await.code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_is_decided_by_another_token_only() {
    let mut cli = Cli::with_token().await;
    cli.furnish().await;
    let id = cli.ask().await;
    cli.database
        .sql(&format!(
            "UPDATE job SET state = 'held', due_at = NULL;
             INSERT INTO hold (id, scope, target_id, reason, policy, requested_by)
             VALUES (gen_random_uuid(), 'opt_out', '{id}', 'mass_guard', 'nothing', 'token:ops')"
        ))
        .await
        .unwrap();
    let hold = cli.json("hold list").await["items"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let own = cli
        .run(&format!("hold release {hold} --reason checked"))
        .await;
    assert_eq!(own.code, 4, "{own:?}");
    assert_snapshot!("hold_release_by_requester", redacted(&own.stderr));
    cli.token = Some(cli.make_token("on-call").await);
    let released = cli
        .ok(&format!("hold release {hold} --reason checked"))
        .await;
    assert_snapshot!("hold_release", redacted(&released));
    let again = cli.run(&format!("hold reject {hold} --reason late")).await;
    assert_eq!(again.code, 4, "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_altered_record_is_found_here_and_not_only_there() {
    let cli = Cli::with_token().await;
    cli.furnish().await;
    let id = cli.ask().await;
    // Bytes and digest were altered together, so that the service finds nothing wrong with them.
    cli.database
        .sql(
            "UPDATE audit_event SET canonical = convert_to(replace(convert_from(canonical, 'UTF8'), 'token:ops', 'token:xxx'), 'UTF8') WHERE kind = 'job.created';
             UPDATE audit_event SET digest = sha256(canonical)",
        )
        .await
        .unwrap();
    let ended = cli.run(&format!("audit show --opt-out {id}")).await;
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(
        ended.stdout.contains("BROKEN") && ended.stderr.contains("1 of"),
        "{ended:?}"
    );
}
