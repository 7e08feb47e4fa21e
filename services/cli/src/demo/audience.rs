//! Reading what the operator API says of the 48.

use std::collections::BTreeMap;

use sever_api::operator_view::RejectedPage;
use sever_api::opt_out_view::{OptOutPage, OptOutSummaryView, OptOutView};
use sever_api::person_view::PersonView;
use uuid::Uuid;

use super::cast::{Cast, Leaver};
use crate::client::Client;
use crate::dev::fleet::SOURCE;

/// More than there are opt-outs in the demonstration.
const PAGE: &str = "200";

/// All opt-outs, newest first.
///
/// # Errors
/// As the console.
pub(super) async fn opt_outs(console: &Client) -> anyhow::Result<Vec<OptOutSummaryView>> {
    let query = [("limit", PAGE.to_owned())];
    let page: OptOutPage = console.get(&["opt-outs"], &query).await?;
    Ok(page.items)
}

/// The bodies that were set aside.
///
/// # Errors
/// As the console.
pub(super) async fn rejected(console: &Client) -> anyhow::Result<RejectedPage> {
    Ok(console.get(&["rejected"], &[]).await?)
}

/// One leaver and what became of them.
#[derive(Debug)]
pub(super) struct Act<'a> {
    /// The leaver.
    pub(super) leaver: &'a Leaver,
    /// The opt-outs of this person; one is expected.
    pub(super) opt_outs: Vec<OptOutView>,
}

/// Every leaver with their opt-outs, in the order of the cast.
///
/// # Errors
/// As the console.
pub(super) async fn acts<'a>(console: &Client, cast: &'a Cast) -> anyhow::Result<Vec<Act<'a>>> {
    let mut by_subject: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
    for opt_out in opt_outs(console).await? {
        let ids = by_subject.entry(opt_out.head.subject).or_default();
        ids.push(opt_out.head.id);
    }
    let mut acts = Vec::with_capacity(cast.leavers.len());
    for leaver in &cast.leavers {
        let key = format!("{SOURCE}:{}", leaver.external_id);
        let person: PersonView = console.get(&["people", &key], &[]).await?;
        let mut opt_outs = Vec::new();
        for id in by_subject.remove(&person.id).unwrap_or_default() {
            opt_outs.push(console.get(&["opt-outs", &id.to_string()], &[]).await?);
        }
        acts.push(Act { leaver, opt_outs });
    }
    Ok(acts)
}
