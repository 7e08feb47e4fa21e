//! What the provider's own journal shows: who was called about, and whether a read followed the last write.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::Context as _;
use jiff::Timestamp;
use serde_json::Value;
use sever_tests::Simulator;

use crate::crowd::Crowd;

/// Entries read at once.
const PAGE: usize = 5_000;

/// What is known of the calls about one person at one provider.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Calls {
    /// The time of the first accepted write.
    pub(crate) first_write: Option<Timestamp>,
    /// The position of the last accepted write.
    pub(crate) last_write: u64,
    /// The position of the last read that was answered.
    pub(crate) last_read: u64,
}

/// The digest of the journal.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    /// All calls.
    pub(crate) calls: u64,
    /// By provider and person.
    pub(crate) about: HashMap<(&'static str, usize), Calls>,
    /// Calls about an id that is nobody's account.
    pub(crate) strangers: Vec<String>,
    /// Accepted writes that concern no single person, by provider and operation.
    pub(crate) impersonal_writes: BTreeMap<String, u64>,
}

impl Journal {
    /// Reads all of it, page by page.
    pub(crate) async fn read(simulator: &Simulator, crowd: &Crowd) -> anyhow::Result<Self> {
        let (mut journal, mut after) = (Self::default(), 0);
        loop {
            let path = format!("/journal?limit={PAGE}&after={after}");
            let page = simulator.control("GET", &path, &Value::Null).await?;
            anyhow::ensure!(page["dropped"] == 0, "the journal has dropped entries");
            for entry in page["entries"]
                .as_array()
                .context("a page has no entries")?
            {
                journal.note(entry, crowd)?;
            }
            let next = page["next_after"].as_u64().context("a page has no end")?;
            if next == after {
                return Ok(journal);
            }
            after = next;
        }
    }

    fn note(&mut self, entry: &Value, crowd: &Crowd) -> anyhow::Result<()> {
        self.calls += 1;
        let provider = match entry["provider"].as_str() {
            Some("okta") => "okta",
            Some("scim") => "scim",
            other => anyhow::bail!("the journal names the provider {other:?}"),
        };
        let write = entry["effect"] == "write";
        let Some(users) = entry["user"].as_str() else {
            if write {
                let operation = entry["operation"].as_str().unwrap_or_default();
                let key = format!("{provider} {operation}");
                *self.impersonal_writes.entry(key).or_default() += 1;
            }
            return Ok(());
        };
        // The worker's look at whose credential it holds.
        for user in users.split(',').filter(|user| *user != "me") {
            let Some(person) = crowd.owners.get(&(provider, user.to_owned())) else {
                self.strangers.push(entry.to_string());
                continue;
            };
            let calls = self.about.entry((provider, *person)).or_default();
            let seq = entry["seq"].as_u64().context("an entry has no position")?;
            if write {
                calls.last_write = seq;
                let at: Timestamp = entry["at"]
                    .as_str()
                    .context("an entry has no time")?
                    .parse()?;
                calls.first_write.get_or_insert(at);
            } else if entry["method"] == "GET" && entry["ending"] == "answered" {
                calls.last_read = seq;
            }
        }
        Ok(())
    }

    /// Everybody about whom there was a call.
    pub(crate) fn people(&self) -> BTreeSet<usize> {
        self.about.keys().map(|(_, person)| *person).collect()
    }
}
