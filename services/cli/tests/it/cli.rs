//! A console on a free port over a database of its own, and the program that talks to it.

use std::process::Stdio;

use regex::Regex;
use sever_api::{HttpLimits, Scope};
use sever_console::{Console, router};
use sever_store::Store;
use sever_store::api_token::{self, NewToken};
use sever_testkit::Database;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio_util::sync::{CancellationToken, DropGuard};

pub(crate) struct Cli {
    pub database: Database,
    pub store: Store,
    /// The token that the program gets; `None` for none.
    pub token: Option<String>,
    /// Further variables of its environment.
    pub environment: Vec<(&'static str, String)>,
    url: String,
    _serving: DropGuard,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Cli {
    /// A console without anything in it, and no token.
    pub(crate) async fn start() -> Self {
        let database = Database::fresh().await.unwrap();
        let store = database.store().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let end = CancellationToken::new();
        let console = Console::new(store.clone(), HttpLimits::default());
        tokio::spawn(sever_api::serve(
            listener,
            router(console),
            end.clone(),
            end.clone(),
        ));
        Self {
            database,
            store,
            token: None,
            environment: Vec::new(),
            url,
            _serving: end.drop_guard(),
        }
    }

    /// The same with the token `ops`, which may do everything.
    pub(crate) async fn with_token() -> Self {
        let mut cli = Self::start().await;
        cli.token = Some(cli.make_token("ops").await);
        cli
    }

    /// A token with every scope.
    pub(crate) async fn make_token(&self, name: &str) -> String {
        let mut client = self.store.client("making a token").await.unwrap();
        let tx = client.begin().await.unwrap();
        let scopes: Vec<&str> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
        let token = NewToken {
            name,
            scopes: &scopes,
            source: None,
            expires_at: None,
        };
        let (_, secret) = api_token::create(&tx, &token).await.unwrap();
        tx.commit().await.unwrap();
        secret.expose().to_owned()
    }

    /// Runs the program; words are separated by blanks.
    pub(crate) async fn run(&self, words: &str) -> Ended {
        self.run_with(&words.split_whitespace().collect::<Vec<_>>(), "")
            .await
    }

    /// Runs the program with these arguments and standard input.
    pub(crate) async fn run_with(&self, arguments: &[&str], input: &str) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sever"));
        command
            .args(arguments)
            .env_clear()
            .env("SEVER_CONSOLE_URL", &self.url)
            .envs(self.environment.iter().map(|(name, value)| (*name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if let Some(token) = &self.token {
            command.env("SEVER_TOKEN", token);
        }
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A program that reads nothing closes its end.
        let _ = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        let output = child.wait_with_output().await.unwrap();
        Ended {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs the program and expects it to succeed.
    pub(crate) async fn ok(&self, words: &str) -> String {
        let ended = self.run(words).await;
        assert_eq!(ended.code, 0, "{words}: {ended:?}");
        ended.stdout
    }

    /// Runs the program with `-o json` and reads what it printed.
    pub(crate) async fn json(&self, words: &str) -> serde_json::Value {
        serde_json::from_str(&self.ok(&format!("-o json {words}")).await).unwrap()
    }

    /// A source, a connection and one person, `hr:7`.
    pub(crate) async fn furnish(&self) {
        self.ok("source add hr --trusted").await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("connections.toml");
        std::fs::write(&file, CONNECTIONS).unwrap();
        self.ok(&format!("connection apply {}", file.display()))
            .await;
        let ended = self.run_with(&["people", "import", "-"], PEOPLE).await;
        assert_eq!(ended.code, 0, "{ended:?}");
    }

    /// Asks for the removal of `hr:7` and returns the opt-out.
    pub(crate) async fn ask(&self) -> String {
        let asked = self.json("opt-out person hr:7 --reason left").await;
        asked["opt_out"].as_str().unwrap().to_owned()
    }
}

pub(crate) const CONNECTIONS: &str = r#"
[[connection]]
name = "okta-main"
provider = "okta"
base_url = "https://example.okta.com"
credential = "env:SEVER_OKTA"
access_token_lifetime = "1h"
clock_skew = "30s"
fence_delay = "2h"
fence_approval = true
"#;

pub(crate) const INTEGRATIONS: &str = r#"
[[integration]]
name = "crm"
vendor = "Example CRM Inc."
owner = "sales-systems"

[integration.provider_ids]
okta-main = "0oa1"

[[integration]]
name = "chat"
owner = "workplace"
"#;

pub(crate) const PEOPLE: &str =
    "source,external_id,given_name,family_name,emails,employment_state,provider_ids
hr,7,Ada,Byron,ada@example.test,active,okta-main:00u1
";

/// What differs from run to run, by a word of the same kind.
pub(crate) fn redacted(text: &str) -> String {
    let uuid = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
    let time = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z";
    let mut text = text.to_owned();
    for (pattern, word) in [
        (uuid, "<id>"),
        (time, "<time>"),
        (r"sv_[A-Za-z0-9_-]{43}", "<token>"),
        (r"127\.0\.0\.1:\d+", "<address>"),
        (r"[0-9a-f]{64}", "<digest>"),
        (r"\(in \d+:\d\d:\d\d\)", "(in <left>)"),
    ] {
        text = Regex::new(pattern)
            .unwrap()
            .replace_all(&text, word)
            .into_owned();
    }
    text
}
