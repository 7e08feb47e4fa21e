//! How the program ends when it cannot do what it was asked: each code, and a message that says what to do.

use insta::assert_snapshot;

use crate::cli::{CONNECTIONS, Cli, INTEGRATIONS, redacted};

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_refusal_has_its_code_and_its_words() {
    let mut cli = Cli::with_token().await;
    cli.furnish().await;
    let mut said = String::new();
    for (code, words) in [
        (2, "opt-out person hr:7 --reason left --intent destroy"),
        (2, "opt-out person ada --reason left"),
        (
            2,
            "opt-out person hr:7 --reason left --effective-at 2026-11-30T18:00:00",
        ),
        (2, "opt-out person hr:7 --reason left --scope nowhere"),
        (2, "opt-out person hr:7 --reason ada@example.test"),
        (2, "people import /no/such/file.csv"),
        (3, "opt-out person hr:8 --reason left"),
        (3, "status hr:8"),
        (3, "connection show nowhere"),
        (3, "hold show 01890000-0000-7000-8000-000000000000"),
        (3, "token revoke nobody"),
    ] {
        let ended = cli.run(words).await;
        assert_eq!(ended.code, code, "{words}: {ended:?}");
        assert_eq!(ended.stdout, "", "{words}");
        // The first line: clap goes on with its usage.
        said.push_str(&format!(
            "{code} {words}\n  {}\n",
            ended.stderr.lines().next().unwrap_or_default()
        ));
    }
    cli.token = Some("sv_wrong".to_owned());
    let wrong = cli.run("overview").await;
    assert_eq!(wrong.code, 2, "there is no such command");
    for token in [Some("sv_wrong".to_owned()), None] {
        cli.token = token;
        let ended = cli.run("hold list").await;
        assert_eq!(ended.code, 4, "{ended:?}");
        said.push_str(&format!("4 hold list\n  {}\n", ended.stderr.trim_end()));
    }
    assert_snapshot!("refusals", redacted(&said));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_file_of_connections_is_refused_by_its_key() {
    let cli = Cli::with_token().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("connections.toml");
    let mut said = String::new();
    for (from, to) in [
        ("base_url = ", "baseurl = "),
        ("\"1h\"", "\"soon\""),
        ("env:SEVER_OKTA", "00aHunter2"),
        ("https://example.okta.com", "example.okta.com"),
        ("\"okta\"", "\"okto\""),
    ] {
        std::fs::write(&file, CONNECTIONS.replacen(from, to, 1)).unwrap();
        let ended = cli
            .run(&format!("connection apply {}", file.display()))
            .await;
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(
            !ended.stderr.contains("Hunter2"),
            "a pasted credential is not repeated"
        );
        said.push_str(
            &ended
                .stderr
                .replace(&folder.path().display().to_string(), "DIR"),
        );
    }
    assert_snapshot!("connection_apply_refused", said);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_file_of_integrations_is_refused_by_file_entry_and_key() {
    let cli = Cli::with_token().await;
    cli.furnish().await;
    cli.database
        .sql("UPDATE binding SET state = 'confirmed', confirmed_at = now()")
        .await
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("integrations.toml");
    let mut said = String::new();
    for (code, from, to) in [
        (2, "vendor = ", "vender = "),
        (2, "\"0oa1\"", "7"),
        (2, "name = \"chat\"", "name = \"Chat\""),
        (2, "owner = \"workplace\"", "owner = \"ada@example.test\""),
        (2, "okta-main = ", "nowhere = "),
        (4, "0oa1", "00u1"),
    ] {
        std::fs::write(&file, INTEGRATIONS.replacen(from, to, 1)).unwrap();
        let ended = cli
            .run(&format!("integration apply {}", file.display()))
            .await;
        assert_eq!(ended.code, code, "{ended:?}");
        let folder = folder.path().display().to_string();
        said.push_str(&format!("{code} {}", ended.stderr.replace(&folder, "DIR")));
    }
    std::fs::write(&file, INTEGRATIONS).unwrap();
    cli.ok(&format!("integration apply {}", file.display()))
        .await;
    for (code, words) in [
        (3, "opt-out integration nothing --reason ended"),
        (4, "opt-out integration chat --reason ended"),
        (3, "status --integration nothing"),
        (3, "watch --integration chat"),
        (3, "integration show nothing"),
    ] {
        let ended = cli.run(words).await;
        assert_eq!(ended.code, code, "{words}: {ended:?}");
        said.push_str(&format!("{code} {words}\n  {}", ended.stderr));
    }
    assert_snapshot!("integration_refused", said);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_or_database_that_is_away_is_five() {
    let mut cli = Cli::with_token().await;
    // A port that nobody listens on: it was free a moment ago, and is below those that the kernel hands out.
    let closed = "127.0.0.1:1";
    cli.environment = vec![
        ("SEVER_CONSOLE_URL", format!("http://{closed}")),
        (
            "SEVER_DATABASE_URL",
            format!("postgres://u:hunter2@{closed}/x"),
        ),
        (
            "SEVER_DATABASE_OWNER_URL",
            format!("postgres://u:hunter2@{closed}/x"),
        ),
    ];
    for words in ["hold list", "doctor", "migrate"] {
        let ended = cli.run(words).await;
        assert_eq!(ended.code, 5, "{words}: {ended:?}");
        assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_configuration_names_its_variable() {
    let cli = Cli::start().await;
    for (words, variable) in [
        ("doctor", "SEVER_DATABASE_URL"),
        ("migrate", "SEVER_DATABASE_OWNER_URL"),
    ] {
        let ended = cli.run(words).await;
        assert_eq!(ended.code, 2, "{words}: {ended:?}");
        assert!(ended.stderr.contains(variable), "{}", ended.stderr);
    }
}
