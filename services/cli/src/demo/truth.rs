//! What is really so in the simulated systems, before and after.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use futures::{StreamExt as _, TryStreamExt as _};
use reqwest::Method;
use serde_json::Value;
use sever_domain::Provider;

use super::bystander;
use super::cast::{Cast, Part};
use super::integrations::Integration;
use crate::dev::company::Account;
use crate::dev::simulator::Simulator;

/// Questions to the simulator under way at once.
const AT_ONCE: usize = 8;
/// What must be empty on an account in Okta that is left behind, beside what `live` counts.
const EMPTY: [&str; 6] = [
    "clients",
    "api_tokens",
    "roles",
    "apps",
    "factors",
    "devices",
];

/// Every account and application with all that hangs on it.
pub(super) type Truth = BTreeMap<Account, Value>;

/// Looks at every account of the company and at the integrations.
///
/// # Errors
/// Where the simulator refuses.
pub(super) async fn look(
    simulator: &Simulator,
    cast: &Cast,
    integrations: &[Integration],
) -> anyhow::Result<Truth> {
    let accounts = cast.people.iter().flat_map(|person| &person.accounts);
    let accounts = accounts.map(|account| (account.clone(), people_of(account.provider)));
    let applications = integrations.iter().map(|integration| {
        let account = Account {
            provider: integration.provider,
            id: integration.id.clone(),
        };
        (account, applications_of(integration.provider))
    });
    futures::stream::iter(accounts.chain(applications))
        .map(|(account, list)| async move {
            let path = format!("/state/{list}/{}", account.id);
            let state = simulator
                .order(account.provider, Method::GET, &path, None)
                .await;
            state
                .map(|state| (account, state))
                .context("looking at an account")
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

const fn people_of(provider: Provider) -> &'static str {
    match provider {
        Provider::Vanta => "people",
        Provider::Okta | Provider::Entra | Provider::Scim | Provider::Oidc => "users",
    }
}

const fn applications_of(provider: Provider) -> &'static str {
    match provider {
        Provider::Okta => "apps",
        Provider::Entra => "service-principals",
        Provider::Vanta => "applications",
        Provider::Scim => "users",
        Provider::Oidc => "clients",
    }
}

/// What an account still gives, in the simulator's words; empty where nothing does.
pub(super) fn live(truth: &Truth, account: &Account) -> Vec<String> {
    let unknown = || vec!["an account that the simulator does not know".to_owned()];
    let Some(state) = truth.get(account) else {
        return unknown();
    };
    let words = state["live"].as_array();
    words.map_or_else(unknown, |words| {
        words
            .iter()
            .map(|word| word.as_str().unwrap_or_default().to_owned())
            .collect()
    })
}

/// What is wrong: access that a leaver or an integration still has, the restored one's that is missing, and anything that changed
/// for anybody else.
pub(super) fn violations(
    before: &Truth,
    after: &Truth,
    cast: &Cast,
    integrations: &[Integration],
) -> Vec<String> {
    let restored: BTreeSet<&Account> = cast.the(Part::Restored).accounts.iter().collect();
    let leaving: BTreeSet<&Account> = cast.leaving_accounts().collect();
    let disconnected: BTreeSet<&str> = integrations.iter().map(|one| one.id.as_str()).collect();
    let mut violations = Vec::new();
    for (account, state) in after {
        let was = before.get(account).unwrap_or(&Value::Null);
        if restored.contains(account) {
            violations.extend(not_back(account, was, state));
        } else if leaving.contains(account) || disconnected.contains(account.id.as_str()) {
            violations.extend(left_over(account, state));
        } else {
            let expected = bystander::without(account.provider, was, integrations);
            if expected != bystander::without(account.provider, state, integrations) {
                violations.push(format!("{} changed though nobody left", named(account)));
            }
        }
    }
    violations
}

fn named(account: &Account) -> String {
    format!("{} in {}", account.id, account.provider)
}

/// What a leaver's account, or an application, still has.
fn left_over(account: &Account, state: &Value) -> Vec<String> {
    let named = named(account);
    let mut found = Vec::new();
    let live = state["live"].as_array().map_or(1, Vec::len);
    if live > 0 {
        found.push(format!("{named} still has {}", state["live"]));
    }
    if state["residual"].as_u64().is_some_and(|tokens| tokens > 0) {
        found.push(format!("{named} still has access tokens that work"));
    }
    // Applications of Okta have no status; of them `live` says everything.
    if account.provider == Provider::Okta && state["exists"] == true && state["status"].is_string()
    {
        found.extend(left_in_okta(&named, state));
    }
    found
}

fn left_in_okta(named: &str, state: &Value) -> Vec<String> {
    let mut found = Vec::new();
    if state["status"] != "DEPROVISIONED" || state["transitioning"] != false {
        found.push(format!("{named} is {}", state["status"]));
    }
    if state["sessions"] != 0 {
        found.push(format!("{named} has {} sessions", state["sessions"]));
    }
    let kept = EMPTY
        .into_iter()
        .filter(|member| has_any(member, &state[*member]));
    found.extend(kept.map(|member| format!("{named} still has {member}")));
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

/// What the restored one had and does not have again: the account itself, and every kind of lasting access by its count. Sessions,
/// tokens and consents begin anew.
fn not_back(account: &Account, was: &Value, is: &Value) -> Vec<String> {
    const LASTING: [&str; 7] = [
        "account",
        "groups",
        "apps",
        "roles",
        "licences",
        "app_roles",
        "azure",
    ];
    let words = |state: &Value| -> BTreeSet<String> {
        let words = state["live"].as_array().into_iter().flatten();
        let words = words.filter_map(Value::as_str).filter(|word| {
            let kind = word.split(':').next().unwrap_or_default();
            LASTING.contains(&kind)
        });
        words.map(str::to_owned).collect()
    };
    let (was, is) = (words(was), words(is));
    let missing = was.difference(&is);
    missing
        .map(|word| format!("{} was restored without {word}", named(account)))
        .collect()
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

    fn account() -> Account {
        Account {
            provider: Provider::Okta,
            id: "00u1".into(),
        }
    }

    #[test]
    fn a_bare_account_has_nothing_left_and_each_remainder_is_named() {
        assert_eq!(left_over(&account(), &bare()), Vec::<String>::new());
        for (member, value, said) in [
            ("status", json!("SUSPENDED"), "SUSPENDED"),
            ("sessions", json!(2), "2 sessions"),
            ("live", json!(["groups:1"]), "groups:1"),
            ("residual", json!(1), "access tokens"),
            ("factors", json!([{}]), "factors"),
            (
                "clients",
                json!([{"tokens": [{"revoked": false}]}]),
                "clients",
            ),
        ] {
            let mut state = bare();
            state[member] = value;
            let found = left_over(&account(), &state).join("; ");
            assert!(found.contains(said), "{member}: {found}");
        }
    }

    #[test]
    fn what_does_not_come_back_is_named_and_sessions_are_not_missed() {
        let was = json!({"live": ["account:1", "sessions:2", "groups:4", "apps:1"]});
        let is = json!({"live": ["account:1", "groups:3", "apps:1"]});
        let found = not_back(&account(), &was, &is);
        assert_eq!(found, ["00u1 in okta was restored without groups:4"]);
        assert!(not_back(&account(), &was, &was).is_empty());
    }
}
