//! What comes undone: somebody puts a leaver back into a group in Okta, and gives an application of Entra that nobody knows a role on an
//! Azure subscription. The next inventories find both, and say who did it; the first is repaired by policy, the second waits for a
//! person.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use sever_api::drift_view::{FindingList, FindingView, ObservedList};
use sever_domain::{FindingState, Provider, RunState, Situation};
use tokio::time::Instant;

use super::cast::{Cast, Part};
use super::operator::Operator;
use crate::client::Client;
use crate::command::given_by;
use crate::dev::fleet::Fleet;
use crate::dev::narrator::Narrator;
use crate::dev::simulator::ids;
use crate::dev::systems::System;

/// Until the demonstration gives up.
const DEADLINE: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(300);
/// The group in Okta that the leaver is put back into.
const GROUP: &str = "Engineering";
/// The application that nobody knows, and the subscription that it becomes an owner of.
const STRANGER: &str = "Backup Agent";
const SUBSCRIPTION: &str = "33333333-3333-4333-a333-333333333333";
/// The definition of Owner, the same in every subscription.
const OWNER: &str = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
/// Who does it, in each system.
const OKTA_ADMINISTRATOR: &str = "00uadministrator0000";
const ENTRA_ADMINISTRATOR: &str = "00000000-0000-4000-a000-0000000000ad";
/// How long what is known is accepted.
const ACCEPTED_FOR: SignedDuration = SignedDuration::from_hours(90 * 24);

/// What the findings came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Drift {
    /// Findings that an ordinary opt-out mended.
    pub(super) repaired: usize,
    /// Findings that wait for a person.
    pub(super) held: usize,
}

/// The two who come undone: the leaver's account in Okta, and the application's in Entra.
struct Undone {
    leaver: String,
    stranger: String,
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
    let systems = [Provider::Okta, Provider::Entra].map(|provider| System::of(provider).connection);
    // The first inventories, which the import began, are looked at while everybody leaves.
    for connection in systems {
        let first = until(console, connection, |state| state == RunState::Promoted);
        first.await.context("waiting for the first inventory")?;
    }
    accept_the_known(console, operator, narrator).await?;
    let undone = behind(fleet, cast).await?;
    narrator.say(format!(
        "\nbehind Sever's back an administrator of Okta puts the leaver with account {} back into {GROUP}, and one of Azure makes the \
         unknown application {STRANGER} ({}) an owner of a subscription",
        undone.leaver, undone.stranger
    ));
    for connection in systems {
        let order = ["reconcile", "run", "--connection", connection, "--wait"];
        operator.does(&order, &[0]).await?;
    }
    let found = settled(console, &undone).await?;
    operator.does(&["drift", "list", "--closed"], &[0]).await?;
    for finding in [&found.back, &found.unknown] {
        let id = finding.id.to_string();
        operator.does(&["drift", "show", &id], &[0]).await?;
        narrator.say(format!("  given by: {}", given_by(finding)));
    }
    let all = findings(console).await?;
    let count = |state| all.iter().filter(|one| one.state == state).count();
    Ok(Drift {
        repaired: count(FindingState::Repaired),
        held: count(FindingState::Held),
    })
}

/// The accounts in Entra that no person of the directory has, and that somebody answers for: the custodian and a partner's.
async fn accept_the_known(
    console: &Client,
    operator: &Operator,
    narrator: Narrator,
) -> anyhow::Result<()> {
    let all = findings(console).await?;
    let known = all.iter().filter(|one| one.state == FindingState::Held);
    let known: Vec<&FindingView> = known.collect();
    narrator.say(format!(
        "\nthe first inventories hold {} accounts in Entra that no person has; an operator knows them",
        known.len()
    ));
    for finding in known {
        ensure!(
            finding.situation == Situation::OrphanAccount,
            "{} is held before anything came undone",
            finding.cause
        );
        let id = finding.id.to_string();
        let until = (finding.last_seen_at + ACCEPTED_FOR).to_string();
        let reason = "the custodian or a partner, known to IT";
        let order = [
            "drift", "accept", &id, "--until", &until, "--reason", reason,
        ];
        operator.does_in_silence(&order, &[0]).await?;
    }
    Ok(())
}

/// Changes Okta and Azure as administrators do in their own pages.
async fn behind(fleet: &Fleet, cast: &Cast) -> anyhow::Result<Undone> {
    let simulator = &fleet.simulator;
    let leavers = cast.leavers.iter().filter(|one| one.part == Part::Plain);
    let mut accounts = leavers.flat_map(|leaver| &leaver.accounts);
    let leaver = accounts
        .find(|account| account.provider == Provider::Okta)
        .context("no leaver has an account in Okta")?;
    let stranger = json!({
        "subscriptions": [{"id": SUBSCRIPTION, "name": "Payments"}], "applications": [{"name": STRANGER}],
    });
    let planted = simulator.seed(Provider::Entra, &stranger).await?;
    let stranger = ids(&planted, "service_principals")?.concat();
    let scope = format!("/subscriptions/{SUBSCRIPTION}");
    let (okta, entra) = (Provider::Okta, Provider::Entra);
    for (provider, by, mut change) in [
        (
            okta,
            OKTA_ADMINISTRATOR,
            json!({"do": "set_status", "user": leaver.id, "status": "ACTIVE"}),
        ),
        (
            okta,
            OKTA_ADMINISTRATOR,
            json!({"do": "add_to_group", "user": leaver.id, "group": GROUP}),
        ),
        (
            entra,
            ENTRA_ADMINISTRATOR,
            json!({"do": "assign_azure_role", "user": stranger, "scope": scope, "role": OWNER}),
        ),
    ] {
        change["by"] = json!({"id": by, "type": "User", "name": "an administrator"});
        let changed: Value = simulator
            .order(provider, Method::POST, "/mutate", Some(&change))
            .await?;
        drop(changed);
    }
    Ok(Undone {
        leaver: leaver.id.clone(),
        stranger,
    })
}

/// The two findings.
struct Found {
    back: FindingView,
    unknown: FindingView,
}

/// Waits until the one is repaired and the other one held, and the providers have told who did it.
async fn settled(console: &Client, undone: &Undone) -> anyhow::Result<Found> {
    let start = Instant::now();
    let back = format!("account:{}", undone.leaver);
    let unknown = format!("application:{}", undone.stranger);
    loop {
        let all = findings(console).await?;
        let of = |cause: &str, state| {
            let mut all = all.iter();
            let settled = |one: &&FindingView| one.cause == cause && one.state == state;
            all.find(settled).filter(|one| one.provenance.is_some())
        };
        let back = of(&back, FindingState::Repaired);
        let unknown = of(&unknown, FindingState::Held);
        if let (Some(back), Some(unknown)) = (back, unknown) {
            for (finding, expected) in [
                (back, Situation::Resurrected),
                (unknown, Situation::OrphanAccount),
            ] {
                let (cause, situation) = (&finding.cause, finding.situation);
                ensure!(
                    situation == expected,
                    "{cause} is {situation} and not {expected}"
                );
            }
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
