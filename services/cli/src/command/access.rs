//! `sever access`: everything that a person can reach, as far as anybody has looked.

use std::process::ExitCode;

use clap::Args;
use sever_api::drift_view::{AccessView, EntitlementSeen, FamilyRead, ReachView};

use crate::client::Client;
use crate::exit::Ended;
use crate::output::{Format, table};
use crate::words::time;

#[derive(Debug, Args)]
pub(crate) struct AccessArguments {
    /// Sever's id of the person, or source:external_id.
    person: String,
}

/// Runs the command.
pub(super) async fn run(arguments: &AccessArguments, format: Format) -> Ended {
    let client = Client::from_environment()?;
    let access: AccessView = client
        .get(&["people", &arguments.person, "access"], &[])
        .await?;
    format.print(&access, shown)?;
    Ok(ExitCode::SUCCESS)
}

fn shown(access: &AccessView) -> String {
    let rows = access.connections.iter().flat_map(rows).collect();
    let head = [
        "connection",
        "account",
        "what",
        "key",
        "privileged",
        "observed",
    ];
    table(&head, rows, "no account is known")
}

fn rows(reach: &ReachView) -> Vec<Vec<String>> {
    if !reach.known {
        let unknown = [reach.connection.as_str(), "-", "unknown", "-", "-", "never"];
        return vec![unknown.map(str::to_owned).to_vec()];
    }
    let accounts = reach.accounts.iter().map(|account| {
        vec![
            reach.connection.clone(),
            account.id.clone(),
            format!("account, {}", account.state),
            "-".to_owned(),
            "-".to_owned(),
            time(account.seen_at),
        ]
    });
    let entitlements = reach.entitlements.iter().map(|entitlement| {
        vec![
            reach.connection.clone(),
            entitlement.account.clone(),
            entitlement.kind.to_string(),
            entitlement.key.clone(),
            if entitlement.privileged { "yes" } else { "-" }.to_owned(),
            time(entitlement.seen_at),
        ]
    });
    let closely = reach
        .closely
        .iter()
        .filter_map(|family| unlisted(reach, family));
    accounts.chain(entitlements).chain(closely).collect()
}

/// A family that no list tells of, where nothing of it is shown: never read, or nothing there.
fn unlisted(reach: &ReachView, family: &FamilyRead) -> Option<Vec<String>> {
    let shown = |seen: &EntitlementSeen| seen.account == family.account && seen.kind == family.kind;
    let (key, observed) = match family.read_at {
        None => ("unknown", "never".to_owned()),
        Some(_) if reach.entitlements.iter().any(shown) => return None,
        Some(read_at) => ("none", time(read_at)),
    };
    Some(vec![
        reach.connection.clone(),
        family.account.clone(),
        family.kind.to_string(),
        key.to_owned(),
        "-".to_owned(),
        observed,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_read_of_an_account_is_unknown_and_what_was_has_its_age() {
        let reach: ReachView = serde_json::from_value(serde_json::json!({
            "connection": "entra", "known": true, "accounts": [],
            "entitlements": [{"account": "a", "kind": "factor", "key": "totp", "privileged": false, "seen_at": "2026-01-02T00:00:00Z"}],
            "closely": [
                {"account": "a", "kind": "factor", "read_at": "2026-01-02T00:00:00Z"},
                {"account": "a", "kind": "device", "read_at": "2026-01-02T00:00:00Z"},
                {"account": "b", "kind": "factor", "read_at": null},
            ],
        }))
        .unwrap();
        let shown: Vec<_> = rows(&reach)
            .into_iter()
            .map(|row| row[1..4].join(" "))
            .collect();
        assert_eq!(
            shown,
            ["a factor totp", "a device none", "b factor unknown"]
        );
    }
}
