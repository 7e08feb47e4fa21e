//! An operator disconnects two integrations: a plan first, then the order. One of them serves more people than one person may
//! disconnect alone.

use std::time::Duration;

use anyhow::bail;
use sever_api::hold_view::{HoldPage, HoldView};
use tokio::time::Instant;

use super::integrations::Integration;
use super::operator::Operator;
use crate::client::Client;
use crate::dev::fleet::Fleet;

/// Until the guard has counted whom an integration serves.
const DEADLINE: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(200);

/// Does both.
///
/// # Errors
/// Where an order is refused, or the mass guard does not hold the second one.
pub(super) async fn run(
    fleet: &Fleet,
    operator: &Operator,
    colleague: &Operator,
    integrations: &[Integration],
) -> anyhow::Result<()> {
    let file = fleet.home.join("integrations.toml");
    let file = file.display().to_string();
    operator
        .does(&["integration", "apply", &file], &[0])
        .await?;
    for integration in integrations {
        let name = integration.name;
        operator
            .does(&["plan", "integration", name], &[0, 1])
            .await?;
        let order = [
            "opt-out",
            "integration",
            name,
            "--reason",
            "the contract ended",
        ];
        operator.does(&order, &[0]).await?;
    }
    let hold = until_held(&fleet.console).await?;
    operator.does(&["hold", "list"], &[0]).await?;
    let id = hold.id.to_string();
    let release = [
        "hold",
        "release",
        &id,
        "--reason",
        "the owner of the application agrees",
    ];
    // Whoever asked may not decide.
    operator.does(&release, &[4]).await?;
    colleague.does(&release, &[0]).await.map(drop)
}

/// The hold of the mass guard.
async fn until_held(console: &Client) -> anyhow::Result<HoldView> {
    let start = Instant::now();
    loop {
        let page: HoldPage = console.get(&["holds"], &[]).await?;
        if let Some(hold) = page.items.into_iter().next() {
            return Ok(hold);
        }
        if start.elapsed() >= DEADLINE {
            bail!(
                "the mass guard held nothing within {} s, though more people are affected than it lets",
                DEADLINE.as_secs()
            );
        }
        tokio::time::sleep(POLL).await;
    }
}
