//! The commands that go to the database: the first token, the doctor, the migration; and the completions, which go nowhere.

use insta::assert_snapshot;

use crate::cli::{Cli, redacted};

#[tokio::test(flavor = "multi_thread")]
async fn only_the_first_token_is_made_without_being_asked_to() {
    let mut cli = Cli::start().await;
    cli.environment = vec![("SEVER_DATABASE_URL", cli.database.app_url().to_owned())];
    let first = cli
        .ok("token create --name ops --scope tokens:write,holds:read --expires 90d")
        .await;
    assert!(
        first.trim().starts_with("sv_"),
        "the token alone is printed: {first}"
    );
    let second = cli
        .run("token create --name other --scope holds:read")
        .await;
    assert_eq!(second.code, 4, "{second:?}");
    assert!(second.stderr.contains("--direct"), "{}", second.stderr);
    cli.ok("token create --name other --scope holds:read --direct")
        .await;
    let taken = cli
        .run("token create --name other --scope holds:read --direct")
        .await;
    assert_eq!(taken.code, 4, "{taken:?}");
    let sourceless = cli
        .run("token create --name third --scope holds:read --source hr --direct")
        .await;
    assert_eq!(sourceless.code, 3, "{sourceless:?}");

    cli.token = Some(first.trim().to_owned());
    cli.environment.clear();
    cli.ok("hold list").await;
    let third = cli
        .json("token create --name third --scope opt-outs:read")
        .await;
    assert_eq!(third["name"], "third", "through the console");
    cli.ok("token revoke third").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_finds_nothing_or_says_what() {
    let mut cli = Cli::with_token().await;
    cli.environment = vec![("SEVER_DATABASE_URL", cli.database.app_url().to_owned())];
    cli.furnish().await;
    cli.ask().await;
    assert_snapshot!("doctor_healthy", cli.ok("doctor").await);
    cli.database
        .sql("UPDATE job SET state = 'held', due_at = NULL, state_reason = 'mass_guard'")
        .await
        .unwrap();
    let ended = cli.run("doctor").await;
    assert_eq!(ended.code, 1, "{ended:?}");
    assert_snapshot!("doctor_violation", redacted(&ended.stdout));
    let ended = cli.run("-o json doctor --grace 0s").await;
    let found: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(found["violations"][0]["name"], "held_without_hold");
}

#[tokio::test(flavor = "multi_thread")]
async fn migrating_twice_changes_nothing() {
    let mut cli = Cli::start().await;
    cli.environment = vec![(
        "SEVER_DATABASE_OWNER_URL",
        cli.database.owner_url().to_owned(),
    )];
    let report = cli.json("migrate").await;
    assert_eq!(report["applied"], serde_json::json!([]));
    assert_eq!(report["version"], sever_store::SCHEMA_VERSION);
}

#[tokio::test(flavor = "multi_thread")]
async fn completions_know_the_commands_and_their_words() {
    let cli = Cli::start().await;
    for shell in ["bash", "zsh", "fish"] {
        let script = cli.ok(&format!("completions {shell}")).await;
        assert!(
            script.contains("opt-out") && script.contains("mass_guard"),
            "{shell}"
        );
    }
}
