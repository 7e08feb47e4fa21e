//! What is really so in the simulated org, before and after.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use futures::{StreamExt as _, TryStreamExt as _};
use reqwest::Method;
use serde_json::Value;

use super::cast::Cast;
use crate::dev::simulator::Simulator;

/// Questions to the simulator under way at once.
const AT_ONCE: usize = 8;
/// What must be empty on an account that is left behind, beside what `live` counts.
const EMPTY: [&str; 6] = [
    "clients",
    "api_tokens",
    "roles",
    "apps",
    "factors",
    "devices",
];

/// Every account with all that hangs on it, by id.
pub(super) type Truth = BTreeMap<String, Value>;

/// Looks at every account of the cast.
///
/// # Errors
/// Where the simulator refuses.
pub(super) async fn look(simulator: &Simulator, cast: &Cast) -> anyhow::Result<Truth> {
    let ids = cast
        .people
        .iter()
        .flatten()
        .map(|account| account.id.clone());
    futures::stream::iter(ids)
        .map(|id| async move {
            let path = format!("/state/users/{id}");
            let state = simulator.order(Method::GET, &path, None).await;
            state
                .map(|state| (id, state))
                .context("looking at an account")
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

/// What is wrong: access that a leaver still has, and anything that changed for anybody else.
pub(super) fn violations(before: &Truth, after: &Truth, cast: &Cast) -> Vec<String> {
    let leaving: BTreeSet<&str> = cast.leaving_accounts().collect();
    let mut violations = Vec::new();
    for (id, state) in after {
        if leaving.contains(id.as_str()) {
            violations.extend(left_over(id, state));
        } else if before.get(id) != Some(state) {
            violations.push(format!("the account {id} changed though nobody left"));
        }
    }
    violations
}

/// What a leaver's account still has.
fn left_over(id: &str, state: &Value) -> Vec<String> {
    if state["exists"] == false {
        return Vec::new();
    }
    let mut found = Vec::new();
    if state["status"] != "DEPROVISIONED" || state["transitioning"] != false {
        found.push(format!("the account {id} is {}", state["status"]));
    }
    if state["sessions"] != 0 {
        found.push(format!(
            "the account {id} has {} sessions",
            state["sessions"]
        ));
    }
    let live = state["live"].as_array().map_or(1, Vec::len);
    if live > 0 {
        found.push(format!("the account {id} still has {}", state["live"]));
    }
    let kept = EMPTY
        .into_iter()
        .filter(|member| has_any(member, &state[*member]));
    found.extend(kept.map(|member| format!("the account {id} still has {member}")));
    found
}

/// Revoked tokens and grants stay listed under their client.
fn has_any(member: &str, value: &Value) -> bool {
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    match member {
        "clients" => items.iter().any(|client| {
            let unrevoked = |kind: &str| {
                let all = client[kind]
                    .as_array()
                    .map(Vec::as_slice)
                    .unwrap_or_default();
                all.iter().any(|one| one["revoked"] != true)
            };
            unrevoked("tokens") || unrevoked("grants")
        }),
        _ => !items.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn bare() -> Value {
        json!({
            "exists": true, "status": "DEPROVISIONED", "transitioning": false, "sessions": 0, "live": [],
            "clients": [{"tokens": [{"revoked": true}], "grants": []}],
            "api_tokens": [], "roles": [], "apps": [], "factors": [], "devices": [],
        })
    }

    #[test]
    fn a_bare_account_has_nothing_left_and_each_remainder_is_named() {
        assert_eq!(left_over("00u1", &bare()), Vec::<String>::new());
        for (member, value, said) in [
            ("status", json!("SUSPENDED"), "SUSPENDED"),
            ("sessions", json!(2), "2 sessions"),
            ("live", json!(["groups:1"]), "groups:1"),
            ("factors", json!([{}]), "factors"),
            (
                "clients",
                json!([{"tokens": [{"revoked": false}]}]),
                "clients",
            ),
        ] {
            let mut state = bare();
            state[member] = value;
            let found = left_over("00u1", &state).join("; ");
            assert!(found.contains(said), "{member}: {found}");
        }
    }
}
