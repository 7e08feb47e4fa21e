//! One leaver left by mistake: what was taken comes back from the readings before, and is read again.

use anyhow::Context as _;

use super::audience::{Subject, opt_outs, person_key, status};
use super::cast::{Cast, Part};
use super::operator::Operator;
use crate::client::Client;

/// Restores the one.
///
/// # Errors
/// Where there is nothing to restore, or the order is refused.
pub(super) async fn run(console: &Client, cast: &Cast, operator: &Operator) -> anyhow::Result<()> {
    let leaver = cast.the(Part::Restored);
    let subject = status(console, Subject::Leaver(leaver)).await?.subject;
    let all = opt_outs(console).await?;
    let mut theirs = all.iter().filter(|one| one.head.subject == subject);
    let removal = theirs
        .next()
        .context("the one who left by mistake has no opt-out")?;
    let id = removal.head.id.to_string();
    let order = [
        "restore",
        &id,
        "--reason",
        "left by mistake",
        "--yes",
        "--wait",
    ];
    operator.does(&order, &[0]).await?;
    operator
        .does(&["status", &person_key(leaver)], &[0])
        .await
        .map(drop)
}
