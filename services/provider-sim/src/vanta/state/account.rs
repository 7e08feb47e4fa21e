//! Accounts of a person in other systems, as the integrations report them.

use serde::{Deserialize, Serialize};

/// An account in another system that this process simulates; its state follows the one there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Followed {
    /// `okta`.
    pub provider: String,
    /// The instance.
    pub org: String,
    /// The user there, by id or login.
    pub user: String,
}

/// An account.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its id.
    pub id: String,
    /// The name of the system.
    pub system: String,
    /// True: an integration reports it; false: it is on the list of unmonitored accounts.
    pub monitored: bool,
    /// Whether it is active at its source.
    pub active: bool,
    /// A person said in the web pages that it is deactivated.
    pub overridden: bool,
    /// Whose state it follows, if any.
    pub follows: Option<Followed>,
    /// When Vanta sees the last change, in milliseconds since the Unix epoch.
    pub seen_at: i64,
    /// Looks at the person that still show the state before it.
    pub looks_left: u32,
}

impl Account {
    /// Sets the state at the source; Vanta sees it after `delay_ms` and `looks` looks.
    pub fn change(&mut self, active: bool, now_ms: i64, delay_ms: i64, looks: u32) {
        if self.active != active {
            self.active = active;
            self.seen_at = now_ms + delay_ms;
            self.looks_left = looks;
        }
    }

    /// Whether Vanta takes it for active: the state at the source, late, unless a person overrode it.
    pub fn seen_active(&self, now_ms: i64) -> bool {
        let late = now_ms < self.seen_at || self.looks_left > 0;
        !self.overridden && (self.active != late)
    }

    /// One look at the person was answered.
    pub fn look(&mut self) {
        self.looks_left = self.looks_left.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_seen_after_its_delay_and_its_looks() {
        let mut account = Account {
            id: "a".into(),
            system: "Okta".into(),
            monitored: true,
            active: true,
            overridden: false,
            follows: None,
            seen_at: 0,
            looks_left: 0,
        };
        assert!(account.seen_active(1_000));
        account.change(false, 1_000, 500, 1);
        assert!(account.seen_active(1_499), "the delay");
        assert!(account.seen_active(1_500), "the look");
        account.look();
        assert!(!account.seen_active(1_500));
        account.change(true, 2_000, 0, 0);
        account.overridden = true;
        assert!(!account.seen_active(2_000));
    }
}
