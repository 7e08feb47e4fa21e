//! The simulator's own record of every call, against what Sever says it intended.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use jiff::Timestamp;
use reqwest::Method;
use serde::Deserialize;
use sever_store::effect_log::IntendedCall;

use super::cast::Cast;
use crate::dev::simulator::Simulator;

/// Entries of one page of the journal.
const PAGE: usize = 10_000;

/// One accepted write.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Write {
    /// Its place.
    seq: u64,
    /// When it took effect.
    at: Timestamp,
    /// What it was.
    operation: String,
    /// The user it concerns, where there is one.
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

/// What is wrong: a write that was not intended before, a write at somebody else's account, a call that is said to have worked and
/// that the provider does not know.
pub(super) fn violations(writes: &[Write], intended: &[IntendedCall], cast: &Cast) -> Vec<String> {
    let by_request: BTreeMap<&str, &IntendedCall> = intended
        .iter()
        .filter_map(|call| Some((call.provider_request_id.as_deref()?, call)))
        .collect();
    let leaving: BTreeSet<&str> = cast.leaving_accounts().collect();
    let mut violations = Vec::new();
    for write in writes {
        let Write { seq, operation, .. } = write;
        let Some(call) = by_request.get(write.request_id.as_str()) else {
            violations.push(format!("write {seq} ({operation}) has no intent"));
            continue;
        };
        if call.intent_at > write.at {
            violations.push(format!("write {seq} ({operation}) came before its intent"));
        }
        let target = write.user.as_deref().unwrap_or(&call.account);
        if target != call.account || !leaving.contains(target) {
            violations.push(format!(
                "write {seq} ({operation}) is at the account of nobody who left"
            ));
        }
    }
    let accepted: BTreeSet<&str> = writes
        .iter()
        .map(|write| write.request_id.as_str())
        .collect();
    let said_done = intended
        .iter()
        .filter(|call| call.outcome.as_deref() == Some("done"));
    for call in said_done {
        let known = call.provider_request_id.as_deref();
        if !known.is_some_and(|id| accepted.contains(id)) {
            violations.push(format!(
                "a call of {} counts as done, and the provider does not know it",
                call.action
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
            operation: "suspend_user".into(),
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
                accounts: vec!["00u1".into()],
            }],
        };
        let (before, after) = ("2026-11-22T11:59:59Z", "2026-11-22T12:00:01Z");
        let found =
            |writes: &[Write], calls: &[IntendedCall]| violations(writes, calls, &cast).join("; ");
        let fine = write("r1", Some("00u1"), after);
        assert_eq!(found(std::slice::from_ref(&fine), &[intended("r1")]), "");
        assert!(
            found(&[write("r2", None, after), fine.clone()], &[intended("r1")])
                .contains("has no intent")
        );
        assert!(
            found(&[write("r1", None, before)], &[intended("r1")]).contains("before its intent")
        );
        assert!(
            found(&[write("r1", Some("00u2"), after)], &[intended("r1")])
                .contains("nobody who left")
        );
        assert!(found(&[fine], &[intended("r1"), intended("r3")]).contains("does not know it"));
    }
}
