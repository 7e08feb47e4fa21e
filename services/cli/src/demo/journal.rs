//! The simulator's own record of every call, against what Sever says it intended.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde::Deserialize;
use sever_domain::Provider;
use sever_store::effect_log::IntendedCall;

use super::cast::Cast;
use super::integrations::Integration;
use crate::dev::company::Account;
use crate::dev::simulator::Simulator;
use crate::dev::systems::SYSTEMS;

/// Entries of one page of the journal.
const PAGE: usize = 10_000;
/// How far a worker's idea of the database's clock may be behind, on a machine that wakes it late.
const CLOCKS_APART: SignedDuration = SignedDuration::from_secs(5);

/// One accepted write.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Write {
    /// Its place.
    seq: u64,
    /// When it took effect.
    at: Timestamp,
    /// Whose protocol it came by.
    provider: Provider,
    /// The kind of endpoint.
    family: String,
    /// What it was.
    operation: String,
    /// The path inside the instance.
    path: String,
    /// The account or application that it concerns, where there is one.
    user: Option<String>,
    /// The provider's id of the request.
    request_id: String,
}

#[derive(Deserialize)]
struct Page {
    entries: Vec<Write>,
    next_after: u64,
    dropped: u64,
}

impl Write {
    /// Sever's own access token, which concerns no account.
    fn fetches_a_token(&self) -> bool {
        ["oauth.token", "token"].contains(&self.family.as_str()) && self.user.is_none()
    }

    /// Whether it is a call of this intent: by the request's id, or, where the provider gave none or a step took several calls, by
    /// system, account and time.
    fn answers(&self, call: &IntendedCall) -> bool {
        if call.provider_request_id.as_deref() == Some(&self.request_id) {
            return true;
        }
        let here = SYSTEMS
            .iter()
            .any(|system| system.provider == self.provider && system.connection == call.connection);
        here && self.names(&call.account)
            && call.intent_at <= self.at
            && call
                .answered_at
                .is_none_or(|at| at + CLOCKS_APART >= self.at)
    }

    fn names(&self, id: &str) -> bool {
        self.user.as_deref() == Some(id) || self.path.contains(id)
    }
}

/// Every write that the simulator accepted.
///
/// # Errors
/// Where the journal cannot be read, or has lost entries.
pub(super) async fn writes(simulator: &Simulator) -> anyhow::Result<Vec<Write>> {
    let (mut writes, mut after) = (Vec::new(), 0);
    loop {
        let path = format!("/control/journal?effect=write&after={after}&limit={PAGE}");
        let page = simulator.send(Method::GET, &path, None).await?;
        let page: Page = serde_json::from_value(page).context("reading the journal")?;
        anyhow::ensure!(
            page.dropped == 0,
            "the simulator's journal was too small: {} entries are lost",
            page.dropped
        );
        writes.extend(page.entries);
        if page.next_after == after {
            return Ok(writes);
        }
        after = page.next_after;
    }
}

/// Whom calls may touch.
#[derive(Debug)]
pub(super) struct Allowed<'a> {
    leaving: BTreeSet<&'a Account>,
    integrations: &'a [Integration],
}

impl<'a> Allowed<'a> {
    /// The accounts of leavers, and the integrations that were disconnected.
    pub(super) fn new(cast: &'a Cast, integrations: &'a [Integration]) -> Self {
        Self {
            leaving: cast.leaving_accounts().collect(),
            integrations,
        }
    }

    /// Whether a write concerns what its intent hangs on, and that is a leaver's account or a disconnected integration.
    fn covers(&self, write: &Write, account: &str) -> bool {
        let integration = self
            .integrations
            .iter()
            .find(|one| one.provider == write.provider && one.id == account);
        if let Some(integration) = integration {
            // A call about an application may name a user besides: whose assignment it is.
            let named =
                |id: &String| write.path.contains(id.as_str()) || write.user.as_ref() == Some(id);
            return integration.ids.iter().any(named) || write.operation.contains("grant");
        }
        let leaver = Account {
            provider: write.provider,
            id: account.to_owned(),
        };
        let target = write.user.as_deref().unwrap_or(account);
        target == account && self.leaving.contains(&leaver)
    }
}

/// What is wrong: a write that was not intended before, a write at somebody else's account, a call that is said to have worked and
/// that the provider does not know.
pub(super) fn violations(
    writes: &[Write],
    intended: &[IntendedCall],
    allowed: &Allowed<'_>,
) -> Vec<String> {
    let by_request: BTreeMap<&str, &IntendedCall> = intended
        .iter()
        .filter_map(|call| Some((call.provider_request_id.as_deref()?, call)))
        .collect();
    let intent_of = |write: &Write| {
        let by_request = by_request.get(write.request_id.as_str()).copied();
        by_request.or_else(|| intended.iter().find(|call| write.answers(call)))
    };
    let mut violations = Vec::new();
    for write in writes.iter().filter(|write| !write.fetches_a_token()) {
        let what = format!(
            "write {} ({} {})",
            write.seq, write.provider, write.operation
        );
        let Some(call) = intent_of(write) else {
            violations.push(format!("{what} has no intent"));
            continue;
        };
        if call.intent_at > write.at {
            violations.push(format!("{what} came before its intent"));
        }
        if !allowed.covers(write, &call.account) {
            violations.push(format!("{what} is at the account of nobody who left"));
        }
    }
    let said_done = intended
        .iter()
        .filter(|call| call.outcome.as_deref() == Some("done"));
    for call in said_done {
        if !writes.iter().any(|write| write.answers(call)) {
            violations.push(format!(
                "a call of {} at {} counts as done, and the provider does not know it",
                call.action, call.connection
            ));
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use sever_domain::{Action, JobId};

    use super::*;
    use crate::demo::cast::{Leaver, Part};

    fn write(request: &str, user: Option<&str>, at: &str) -> Write {
        Write {
            seq: 1,
            at: at.parse().unwrap(),
            provider: Provider::Okta,
            family: "users.lifecycle".into(),
            operation: "suspend_user".into(),
            path: format!("/api/v1/users/{}", user.unwrap_or("00u1")),
            user: user.map(str::to_owned),
            request_id: request.into(),
        }
    }

    fn intended(request: &str) -> IntendedCall {
        IntendedCall {
            job: JobId::generate(),
            connection: "okta-main".into(),
            account: "00u1".into(),
            action: Action::SuspendAccount,
            target_key: "00u1".into(),
            intent_at: "2026-11-22T12:00:00Z".parse().unwrap(),
            answered_at: None,
            status: Some(200),
            outcome: Some("done".into()),
            provider_request_id: Some(request.into()),
        }
    }

    #[test]
    fn each_kind_of_violation_is_seen_and_an_intended_write_is_none() {
        let cast = Cast {
            people: Vec::new(),
            leavers: vec![Leaver {
                external_id: "E-1".into(),
                part: Part::Plain,
                accounts: vec![Account {
                    provider: Provider::Okta,
                    id: "00u1".into(),
                }],
            }],
        };
        let allowed = Allowed::new(&cast, &[]);
        let (before, after) = ("2026-11-22T11:59:59Z", "2026-11-22T12:00:01Z");
        let found = |writes: &[Write], calls: &[IntendedCall]| {
            violations(writes, calls, &allowed).join("; ")
        };
        let fine = write("r1", Some("00u1"), after);
        assert_eq!(found(std::slice::from_ref(&fine), &[intended("r1")]), "");
        let second = write("r2", Some("00u1"), after);
        assert_eq!(found(&[second, fine.clone()], &[intended("r1")]), "");
        assert!(
            found(
                &[write("r2", Some("00u9"), after), fine.clone()],
                &[intended("r1")]
            )
            .contains("has no intent")
        );
        assert!(
            found(&[write("r1", None, before)], &[intended("r1")]).contains("before its intent")
        );
        assert!(
            found(&[write("r1", Some("00u2"), after)], &[intended("r1")])
                .contains("nobody who left")
        );
        let mut elsewhere = intended("r3");
        elsewhere.account = "00u3".into();
        assert!(found(&[fine], &[intended("r1"), elsewhere]).contains("does not know it"));
    }

    #[test]
    fn a_write_about_an_integration_names_it() {
        let integration = Integration {
            name: "travel-portal",
            provider: Provider::Okta,
            id: "0oa1".into(),
            ids: vec!["0oa1".into()],
            label: "Travel Portal",
        };
        let cast = Cast {
            people: Vec::new(),
            leavers: Vec::new(),
        };
        let integrations = [integration];
        let allowed = Allowed::new(&cast, &integrations);
        let mut about = write("r1", Some("00u9"), "2026-11-22T12:00:01Z");
        assert!(!allowed.covers(&about, "0oa1"));
        about.path = "/api/v1/apps/0oa1/users/00u9".into();
        assert!(allowed.covers(&about, "0oa1"));
    }
}
