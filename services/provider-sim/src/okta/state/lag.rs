//! What is seen late: search results after a change, app users after a group removal.

use super::Org;
use super::user::User;

/// Stays up until a moment has passed and a number of looks were taken.
#[derive(Debug, Clone, Copy)]
pub struct Countdown {
    until_ms: i64,
    looks_left: u32,
}

/// How a user looked before a change; `None`: the user did not exist yet.
#[derive(Debug, Clone)]
pub(super) struct Stale {
    countdown: Countdown,
    before: Option<Box<User>>,
}

impl Countdown {
    fn is_up(&self, now_ms: i64) -> bool {
        self.looks_left > 0 || now_ms < self.until_ms
    }

    fn look(&mut self) {
        self.looks_left = self.looks_left.saturating_sub(1);
    }
}

impl Org {
    /// Called before the user `id` changes: search goes on showing the old state for as long as the settings say.
    pub fn remember_for_search(&mut self, id: &str, now_ms: i64) {
        let (lag_ms, looks_left) = (self.settings.search_lag_ms, self.settings.search_lag_reads);
        if lag_ms <= 0 && looks_left == 0 {
            return;
        }
        let countdown = Countdown {
            until_ms: now_ms + lag_ms,
            looks_left,
        };
        let before = match self.search_lag.remove(id) {
            Some(stale) if stale.countdown.is_up(now_ms) => stale.before,
            _ => self.users.get(id).cloned().map(Box::new),
        };
        self.search_lag
            .insert(id.to_owned(), Stale { countdown, before });
    }

    /// All users as a search sees them now, by id.
    pub fn users_as_searched(&self, now_ms: i64) -> Vec<&User> {
        if self.search_lag.is_empty() {
            return self.users.values().collect();
        }
        let lags = |id: &str| {
            self.search_lag
                .get(id)
                .filter(|stale| stale.countdown.is_up(now_ms))
        };
        let mut seen: Vec<&User> = self
            .users
            .values()
            .filter(|user| lags(&user.id).is_none())
            .collect();
        let stale = self
            .search_lag
            .values()
            .filter(|stale| stale.countdown.is_up(now_ms));
        seen.extend(stale.filter_map(|stale| stale.before.as_deref()));
        seen.sort_by(|a, b| a.id.cmp(&b.id));
        seen
    }

    /// One search was answered.
    pub fn look_by_search(&mut self, now_ms: i64) {
        self.search_lag
            .values_mut()
            .for_each(|stale| stale.countdown.look());
        self.search_lag
            .retain(|_, stale| stale.countdown.is_up(now_ms));
    }

    /// Search shows everything as it is, as after a long quiet time.
    pub fn settle_search(&mut self) {
        self.search_lag.clear();
    }

    /// Called when `user` leaves `group`: apps go on counting them for as long as the settings say.
    pub(super) fn remember_for_apps(&mut self, user: &str, group: &str, now_ms: i64) {
        let (lag_ms, looks_left) = (self.settings.app_lag_ms, self.settings.app_lag_reads);
        if lag_ms > 0 || looks_left > 0 {
            let countdown = Countdown {
                until_ms: now_ms + lag_ms,
                looks_left,
            };
            self.app_lag
                .insert((user.to_owned(), group.to_owned()), countdown);
        }
    }

    /// Whether apps still count `user` in `group` although they left.
    pub(super) fn lags_in_group(&self, user: &str, group: &str, now_ms: i64) -> bool {
        !self.app_lag.is_empty()
            && self
                .app_lag
                .get(&(user.to_owned(), group.to_owned()))
                .is_some_and(|countdown| countdown.is_up(now_ms))
    }

    /// One look at app users was taken; `user` limits it to theirs.
    pub fn look_at_app_users(&mut self, user: Option<&str>, now_ms: i64) {
        for ((lagging, _), countdown) in &mut self.app_lag {
            if user.is_none_or(|user| user == lagging) {
                countdown.look();
            }
        }
        self.app_lag.retain(|_, countdown| countdown.is_up(now_ms));
    }
}
