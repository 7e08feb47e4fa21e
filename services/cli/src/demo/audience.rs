//! Reading what the operator API says of every subject.

use std::collections::BTreeMap;

use sever_api::operator_view::RejectedPage;
use sever_api::opt_out_view::{OptOutPage, OptOutSummaryView, OptOutView};
use sever_api::subject_view::SubjectStatusView;
use sever_api::task_view::{TaskPage, TaskView};
use sever_domain::OptOutState;
use uuid::Uuid;

use super::cast::{Cast, Leaver, Part};
use super::integrations::Integration;
use crate::client::Client;
use crate::dev::company::Account;
use crate::dev::fleet::SOURCE;

/// More than there are opt-outs in the demonstration.
const PAGE: &str = "200";

/// All opt-outs and restores, newest first; not what was only foretold.
///
/// # Errors
/// As the console.
pub(super) async fn opt_outs(console: &Client) -> anyhow::Result<Vec<OptOutSummaryView>> {
    let query = [("limit", PAGE.to_owned())];
    let page: OptOutPage = console.get(&["opt-outs"], &query).await?;
    let mut all = page.items;
    all.retain(|opt_out| opt_out.head.state != OptOutState::Foretold);
    Ok(all)
}

/// One opt-out with everything that hangs on it.
///
/// # Errors
/// As the console.
pub(super) async fn opt_out(console: &Client, id: Uuid) -> anyhow::Result<OptOutView> {
    Ok(console.get(&["opt-outs", &id.to_string()], &[]).await?)
}

/// What people are asked to do, also what is over.
///
/// # Errors
/// As the console.
pub(super) async fn tasks(console: &Client) -> anyhow::Result<Vec<TaskView>> {
    let query = [("state", "all".to_owned()), ("limit", PAGE.to_owned())];
    let page: TaskPage = console.get(&["tasks"], &query).await?;
    Ok(page.items)
}

/// The bodies that were set aside.
///
/// # Errors
/// As the console.
pub(super) async fn rejected(console: &Client) -> anyhow::Result<RejectedPage> {
    Ok(console.get(&["rejected"], &[]).await?)
}

/// Who lost access, or what.
#[derive(Debug, Clone, Copy)]
pub(super) enum Subject<'a> {
    /// Somebody who left.
    Leaver(&'a Leaver),
    /// An application that was disconnected.
    Integration(&'a Integration),
}

impl Subject<'_> {
    /// What to call it.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Leaver(leaver) => &leaver.external_id,
            Self::Integration(integration) => integration.name,
        }
    }

    /// What is special.
    pub(super) const fn label(&self) -> &'static str {
        match self {
            Self::Leaver(leaver) => leaver.part.label(),
            Self::Integration(_) => "integration",
        }
    }

    /// What the simulator knows it by.
    pub(super) fn accounts(&self) -> Vec<Account> {
        match self {
            Self::Leaver(leaver) => leaver.accounts.clone(),
            Self::Integration(integration) => vec![Account {
                provider: integration.provider,
                id: integration.id.clone(),
            }],
        }
    }

    /// Whether the access came back on purpose.
    pub(super) fn is_restored(&self) -> bool {
        matches!(self, Self::Leaver(leaver) if leaver.part == Part::Restored)
    }
}

/// One subject and what became of it.
#[derive(Debug)]
pub(super) struct Act<'a> {
    /// Who or what.
    pub(super) subject: Subject<'a>,
    /// Where its access stands.
    pub(super) status: SubjectStatusView,
    /// Its opt-outs and restores, newest first.
    pub(super) opt_outs: Vec<OptOutView>,
}

/// Every subject: the leavers in the order of the cast, then the integrations.
///
/// # Errors
/// As the console.
pub(super) async fn acts<'a>(
    console: &Client,
    cast: &'a Cast,
    integrations: &'a [Integration],
) -> anyhow::Result<Vec<Act<'a>>> {
    let mut by_subject: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
    for opt_out in opt_outs(console).await? {
        let ids = by_subject.entry(opt_out.head.subject).or_default();
        ids.push(opt_out.head.id);
    }
    let leavers = cast.leavers.iter().map(Subject::Leaver);
    let subjects = leavers.chain(integrations.iter().map(Subject::Integration));
    let mut acts = Vec::new();
    for subject in subjects {
        let status = status(console, subject).await?;
        let mut opt_outs = Vec::new();
        for id in by_subject.remove(&status.subject).unwrap_or_default() {
            opt_outs.push(opt_out(console, id).await?);
        }
        acts.push(Act {
            subject,
            status,
            opt_outs,
        });
    }
    Ok(acts)
}

/// Where a subject's access stands.
///
/// # Errors
/// As the console.
pub(super) async fn status(
    console: &Client,
    subject: Subject<'_>,
) -> anyhow::Result<SubjectStatusView> {
    let status = match subject {
        Subject::Leaver(leaver) => {
            let key = person_key(leaver);
            console.get(&["people", &key, "status"], &[]).await
        }
        Subject::Integration(integration) => {
            let path = ["integrations", integration.name, "status"];
            console.get(&path, &[]).await
        }
    };
    Ok(status?)
}

/// The key by which an operator names a leaver.
pub(super) fn person_key(leaver: &Leaver) -> String {
    format!("{SOURCE}:{}", leaver.external_id)
}
