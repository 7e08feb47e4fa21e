//! A workforce record and what hangs on it.

use std::collections::BTreeSet;

use super::account::{Account, Followed};
use crate::clock::parse_iso;

/// Where a record comes from.
#[derive(Debug, Clone, Default)]
pub enum Source {
    /// Vanta's own pages.
    #[default]
    Vanta,
    /// SCIM.
    Scim,
    /// The integration with this id.
    Integration(String),
}

/// A leave of absence, both ends as ISO 8601.
#[derive(Debug, Clone)]
pub struct Leave {
    /// Its first day.
    pub start: String,
    /// Its last day.
    pub end: Option<String>,
}

/// A custom offboarding task.
#[derive(Debug, Clone)]
pub struct Task {
    /// Its name.
    pub name: String,
    /// Whether someone did it.
    pub done: bool,
}

/// A computer that an agent reports.
#[derive(Debug, Clone)]
pub struct Computer {
    /// Its id.
    pub id: String,
    /// Its serial number.
    pub serial: String,
    /// The person whose it is.
    pub owner: String,
    /// The integration that reports it.
    pub integration: String,
}

/// A person.
#[derive(Debug, Clone)]
pub struct Person {
    /// The id.
    pub id: String,
    /// The login to Vanta, where the record names it.
    pub user: Option<String>,
    /// The e-mail.
    pub email: String,
    /// Given name.
    pub first: Option<String>,
    /// Family name.
    pub last: Option<String>,
    /// `UPCOMING`, `CURRENT`, `ON_LEAVE`, `INACTIVE`, `FORMER`; a seed may use a word of its own.
    pub employment: String,
    /// First day, ISO 8601.
    pub start_date: String,
    /// Last day, ISO 8601.
    pub end_date: Option<String>,
    /// Job title.
    pub job_title: Option<String>,
    /// Where the record comes from.
    pub source: Source,
    /// A leave.
    pub leave: Option<Leave>,
    /// Groups by id.
    pub groups: BTreeSet<String>,
    /// Accounts elsewhere.
    pub accounts: Vec<Account>,
    /// Custom offboarding tasks.
    pub tasks: Vec<Task>,
    /// When offboarding was completed, in milliseconds since the Unix epoch.
    pub offboarded: Option<i64>,
    /// Why it is no person, where it was marked so.
    pub not_a_person: Option<String>,
    /// Becomes `FORMER` once this account elsewhere is deactivated.
    pub follows: Option<Followed>,
}

impl Person {
    /// The name people see.
    pub fn display(&self) -> String {
        let parts = [self.first.as_deref(), self.last.as_deref()];
        let name: Vec<&str> = parts.into_iter().flatten().collect();
        if name.is_empty() {
            self.email.clone()
        } else {
            name.join(" ")
        }
    }

    /// Whether employment has ended.
    pub fn is_former(&self) -> bool {
        self.employment == "FORMER"
    }

    /// `tasksSummary.status`.
    pub fn tasks_status(&self, now_ms: i64) -> &'static str {
        let ended = self.end_date.as_deref().and_then(parse_iso);
        match self.employment.as_str() {
            _ if self.offboarded.is_some() => "OFFBOARDING_COMPLETE",
            "FORMER" if ended.is_some_and(|end| end < now_ms) => "OFFBOARDING_OVERDUE",
            "FORMER" => "OFFBOARDING_DUE_SOON",
            "ON_LEAVE" => "PAUSED",
            "UPCOMING" => "NONE",
            _ => "COMPLETE",
        }
    }

    /// Monitored accounts that Vanta takes for active.
    pub fn active_monitored(&self, now_ms: i64) -> usize {
        let monitored = self.accounts.iter().filter(|account| account.monitored);
        monitored
            .filter(|account| account.seen_active(now_ms))
            .count()
    }

    /// Which precondition of offboarding fails, if any, by the state that Vanta sees.
    pub fn cannot_offboard(&self, pushed_active: usize, now_ms: i64) -> Option<&'static str> {
        if !self.is_former() {
            Some("employment has not ended")
        } else if self.active_monitored(now_ms) + pushed_active > 0 {
            Some("a monitored account is active")
        } else if self.tasks.iter().any(|task| !task.done) {
            Some("a custom offboarding task is not complete")
        } else {
            None
        }
    }
}
