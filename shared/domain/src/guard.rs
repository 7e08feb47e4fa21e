//! The mass guard: how many people a window may cost.

use jiff::SignedDuration;

/// The limits of the mass guard, per source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MassGuard {
    /// The most people in a window.
    pub count: i64,
    /// The most people in a window, in percent of the active directory; 0 to 100.
    pub percent: f64,
    /// People that any directory may lose in a window, however small it is.
    pub minimum: i64,
    /// The window's length.
    pub window: SignedDuration,
}

impl MassGuard {
    /// The most people in a window, for a directory of this many active people.
    ///
    /// The lower of count and percent, never below the minimum.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "directories are far below 2^52 people"
    )]
    pub fn limit(&self, active_people: i64) -> i64 {
        let by_percent = (active_people as f64 * self.percent / 100.0).floor() as i64;
        self.count.min(by_percent).max(self.minimum.min(self.count))
    }

    /// Whether `weight` more people fit into a window that has already cost `charged`.
    #[must_use]
    pub fn admits(&self, charged: i64, weight: i64, active_people: i64) -> bool {
        charged.saturating_add(weight) <= self.limit(active_people)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard() -> MassGuard {
        MassGuard {
            count: 50,
            percent: 5.0,
            minimum: 3,
            window: SignedDuration::from_hours(1),
        }
    }

    #[test]
    fn the_lower_limit_counts() {
        assert_eq!(guard().limit(500), 25);
        assert_eq!(guard().limit(100_000), 50);
        assert_eq!(guard().limit(10), 3);
    }

    #[test]
    fn the_last_person_fits_and_the_next_does_not() {
        assert!(guard().admits(24, 1, 500));
        assert!(!guard().admits(25, 1, 500));
        assert!(!guard().admits(0, 20_000, 500));
        assert!(!guard().admits(1, i64::MAX, 500));
    }
}
