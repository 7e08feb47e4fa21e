//! What comes undone: somebody puts a leaver back into a group, and an account that nobody owns gets administrative power. The next
//! inventory finds both, the provider's log says by whom, the first is repaired by policy, the second waits for a person.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use sever_api::drift_view::{FindingList, FindingView, ObservedList};
use sever_domain::{FindingState, Provider, RunState, Situation};
use tokio::time::Instant;

use super::cast::{Cast, Part};
use super::operator::Operator;
use crate::client::Client;
use crate::dev::fleet::Fleet;
use crate::dev::narrator::Narrator;
use crate::dev::simulator::ids;
use crate::dev::systems::System;

/// Until the demonstration gives up.
const DEADLINE: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(300);
/// The group in Okta that the leaver is put back into.
const GROUP: &str = "Engineering";
/// The account that nobody owns.
const STRANGER: &str = "backup-operator@example.com";

/// What the findings came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Drift {
    /// Findings that an ordinary opt-out mended.
    pub(super) repaired: usize,
    /// Findings that wait for a person.
    pub(super) held: usize,
}

/// Lets access come undone, looks again, and shows what was found.
///
/// # Errors
/// Where the simulator refuses, a finding does not come in time, or an order is refused.
pub(super) async fn run(
    fleet: &Fleet,
    cast: &Cast,
    operator: &Operator,
    narrator: Narrator,
) -> anyhow::Result<Drift> {
    let console = &fleet.console;
    let connection = System::of(Provider::Okta).connection;
    // The first inventory, which the import began, is looked at while everybody leaves.
    let first = until(console, connection, |state| state == RunState::Promoted);
    first.await.context("waiting for the first inventory")?;
    let account = behind(fleet, cast).await?;
    narrator.say(format!(
        "\nbehind Sever's back an administrator of Okta puts the leaver with account {account} back into {GROUP}, and makes \
         {STRANGER} a super administrator"
    ));
    let order = ["reconcile", "run", "--connection", connection, "--wait"];
    operator.does(&order, &[0]).await?;
    let found = settled(console, &account).await?;
    operator.does(&["drift", "list", "--closed"], &[0]).await?;
    for finding in [&found.back, &found.unknown] {
        operator
            .does(&["drift", "show", &finding.id.to_string()], &[0])
            .await?;
    }
    let all = findings(console).await?;
    let count = |state| all.iter().filter(|one| one.state == state).count();
    Ok(Drift {
        repaired: count(FindingState::Repaired),
        held: count(FindingState::Held),
    })
}

/// Changes Okta as an administrator does in its own pages; returns the leaver's account.
async fn behind(fleet: &Fleet, cast: &Cast) -> anyhow::Result<String> {
    let simulator = &fleet.simulator;
    let leavers = cast.leavers.iter().filter(|one| one.part == Part::Plain);
    let mut accounts = leavers.flat_map(|leaver| &leaver.accounts);
    let account = accounts
        .find(|account| account.provider == Provider::Okta)
        .context("no leaver has an account in Okta")?;
    let administrator =
        json!({"id": "00uadministrator0000", "type": "User", "name": "an administrator"});
    let stranger = json!({"users": [{
        "login": STRANGER, "first_name": "Backup", "last_name": "Operator", "roles": [{"type": "SUPER_ADMIN"}],
    }]});
    let planted = simulator.seed(Provider::Okta, &stranger).await?;
    let stranger = ids(&planted, "users")?.concat();
    for mut change in [
        json!({"do": "set_status", "user": account.id, "status": "ACTIVE"}),
        json!({"do": "add_to_group", "user": account.id, "group": GROUP}),
        json!({"do": "add_to_group", "user": stranger, "group": GROUP}),
    ] {
        change["by"] = administrator.clone();
        let changed: Value = simulator
            .order(Provider::Okta, Method::POST, "/mutate", Some(&change))
            .await?;
        drop(changed);
    }
    Ok(account.id.clone())
}

/// The two findings.
struct Found {
    back: FindingView,
    unknown: FindingView,
}

/// Waits until the one is repaired and the other one held, and Okta's log has told who did it.
async fn settled(console: &Client, account: &str) -> anyhow::Result<Found> {
    let start = Instant::now();
    let cause = format!("account:{account}");
    loop {
        let all = findings(console).await?;
        let back = all.iter().find(|one| one.cause == cause);
        let unknown = all.iter().find(|one| {
            one.situation == Situation::OrphanAccount && one.state == FindingState::Held
        });
        if let (Some(back), Some(unknown)) = (back, unknown)
            && back.state == FindingState::Repaired
            && back.provenance.is_some()
            && unknown.provenance.is_some()
        {
            ensure!(
                back.situation == Situation::Resurrected,
                "a leaver who came back is {} and not resurrected",
                back.situation
            );
            return Ok(Found {
                back: back.clone(),
                unknown: unknown.clone(),
            });
        }
        if start.elapsed() > DEADLINE {
            bail!(
                "after {} s what came undone is not found and mended: {all:#?}",
                DEADLINE.as_secs()
            );
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Every finding, with those that are over.
async fn findings(console: &Client) -> anyhow::Result<Vec<FindingView>> {
    let query = [("closed", "true".to_owned())];
    let list: FindingList = console.get(&["findings"], &query).await?;
    Ok(list.items)
}

/// Waits until the newest inventory of a connection is in such a state.
async fn until(
    console: &Client,
    connection: &str,
    wanted: impl Fn(RunState) -> bool,
) -> anyhow::Result<()> {
    let start = Instant::now();
    loop {
        let query = [("connection", connection.to_owned())];
        let list: ObservedList = console.get(&["inventories"], &query).await?;
        let last = list.items.first().and_then(|view| view.last.as_ref());
        match last {
            Some(run) if wanted(run.state) => return Ok(()),
            Some(run) if start.elapsed() > DEADLINE => {
                bail!(
                    "the inventory of {connection} is {}: {}",
                    run.state,
                    run.reason.as_deref().unwrap_or("no reason")
                )
            }
            None if start.elapsed() > DEADLINE => {
                bail!("nobody asked for an inventory of {connection}")
            }
            Some(_) | None => tokio::time::sleep(POLL).await,
        }
    }
}
