//! The program `sever` as one of two people.

use std::collections::BTreeMap;
use std::process::Stdio;

use serde_json::Value;
use sever_store::api_token::{self, NewToken};
use sever_tests::{Fleet, Program, binary};
use tokio::process::Command;

/// The program `sever` as one of two people.
pub(super) struct OnCall<'a> {
    fleet: &'a Fleet,
    _console: Program,
    pub(super) url: String,
    pub(super) tokens: [String; 2],
}

impl<'a> OnCall<'a> {
    pub(super) async fn start(fleet: &'a Fleet) -> Self {
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
    pub(super) async fn run(&self, person: usize, words: &[String]) -> (i32, String) {
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

    pub(super) async fn json(&self, words: &str) -> Value {
        let mut all = vec!["-o".to_owned(), "json".to_owned()];
        all.extend(words.split(' ').map(ToOwned::to_owned));
        let (code, text) = self.run(0, &all).await;
        assert_eq!(code, 0, "sever {words}: {text}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// What the words in capitals stand for now.
    pub(super) async fn meanings(&self) -> BTreeMap<&'static str, Vec<String>> {
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
