//! The way back: every verified step is undone as the runtime does it, and a fresh read proves each.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use sever_domain::entitlement::AccountReading;
use sever_domain::plan::PlannedStep;
use sever_domain::seen::{Seen, seen};
use sever_domain::{AccountState, Action, EntitlementKind, OutcomeClass, StepState};
use sever_provider::{Connector, Effect, Undo};

use super::record::Record;

/// How often a call that must wait, or a read that does not show it yet, is tried again.
const TRIES_MAX: usize = 40;
const PAUSE: Duration = Duration::from_millis(25);

/// Gives back what the run took from `account`, of which `opening` was read before.
///
/// # Errors
/// What was refused, what no read shows afterwards, and what came back beyond what there was.
pub(super) async fn give_back<C: Connector>(
    connector: &C,
    account: &str,
    record: &Record,
    opening: &AccountReading,
) -> anyhow::Result<()> {
    let now = read(connector, account).await?;
    if now.account_state == AccountState::Absent {
        return Ok(());
    }
    let back = inverses(connector, record, opening).await?;
    for step in &back {
        if seen(step, &now) != Seen::Done {
            send(connector, account, step).await?;
        }
    }
    let mut after = read(connector, account).await?;
    for _ in 0..TRIES_MAX {
        if back.iter().all(|step| seen(step, &after) == Seen::Done) {
            return nothing_more(opening, &after);
        }
        tokio::time::sleep(PAUSE).await;
        after = read(connector, account).await?;
    }
    let missing = back.iter().find(|step| seen(step, &after) != Seen::Done);
    bail!("it was given back, and no read shows it: {missing:?}")
}

/// The inverse steps, accounts first, each once.
async fn inverses<C: Connector>(
    connector: &C,
    record: &Record,
    opening: &AccountReading,
) -> anyhow::Result<Vec<PlannedStep>> {
    let mut back: Vec<PlannedStep> = Vec::new();
    for taken in &record.steps {
        if taken.planned.action == Action::Leave || taken.state != StepState::Verified {
            continue;
        }
        let mut held = opening.of(taken.planned.target_kind).iter();
        let pre_image = held.find(|held| held.provider_key == taken.planned.target_key);
        let undo = connector.undo(&taken.planned, pre_image).await?;
        let Undo::Step(step) = undo else { continue };
        ensure!(
            step.privileged == taken.planned.privileged,
            "what is privileged loses its approval: {step:?}"
        );
        let same = |known: &PlannedStep| {
            (known.action, known.target_kind, &known.target_key)
                == (step.action, step.target_kind, &step.target_key)
        };
        if !back.iter().any(same) {
            back.push(*step);
        }
    }
    back.sort_by_key(|step| step.target_kind != EntitlementKind::Account);
    Ok(back)
}

async fn send<C: Connector>(
    connector: &C,
    account: &str,
    step: &PlannedStep,
) -> anyhow::Result<()> {
    let effect = Effect {
        action: step.action,
        account_id: account.to_owned(),
        target_kind: step.target_kind,
        target_key: step.target_key.clone(),
        facts: step.facts.clone(),
    };
    for _ in 0..TRIES_MAX {
        match connector.apply(&effect).await {
            Ok(_) => return Ok(()),
            Err(error) if matches!(error.class, OutcomeClass::Wait | OutcomeClass::Retry) => {
                tokio::time::sleep(error.retry_after.unwrap_or(PAUSE).min(PAUSE)).await;
            }
            Err(error) => return Err(error).with_context(|| format!("giving back: {step:?}")),
        }
    }
    bail!("it can never be given back: {step:?}")
}

/// The way back gives nobody more than there was.
fn nothing_more(opening: &AccountReading, after: &AccountReading) -> anyhow::Result<()> {
    let count = |reading: &AccountReading| {
        let mut counts: HashMap<EntitlementKind, usize> = HashMap::new();
        for held in reading.entitlements() {
            *counts.entry(held.kind).or_default() += 1;
        }
        counts
    };
    let before = count(opening);
    for (kind, now) in count(after) {
        let had = before.get(&kind).copied().unwrap_or(0);
        ensure!(
            now <= had,
            "{now} of {kind} came back, and {had} were there"
        );
    }
    Ok(())
}

async fn read<C: Connector>(connector: &C, account: &str) -> anyhow::Result<AccountReading> {
    Ok(connector.inspect(account).await?)
}
