//! The counts of everything.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sever_store::overview::Overview;
use utoipa::ToSchema;

/// The counts of everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OverviewView {
    /// By kind of thing (`job`, `opt_out`, `hold`, `connection`, `person`, `request`, `dead_letter`, `rejected`, `outbox`), then by
    /// state or reason. A word without any is absent.
    pub counts: BTreeMap<String, BTreeMap<String, i64>>,
    /// Opt-outs with a job that runs, or that waits though it has taken effect; zero when all is settled.
    pub unsettled: i64,
    /// When it was counted, by the database's clock.
    pub as_of: Timestamp,
}

impl From<Overview> for OverviewView {
    fn from(overview: Overview) -> Self {
        Self {
            counts: overview.counts,
            unsettled: overview.unsettled,
            as_of: overview.now,
        }
    }
}
