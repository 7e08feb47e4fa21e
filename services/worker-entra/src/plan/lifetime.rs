//! How long an access token may work after everything it came from was revoked.

use std::time::Duration;

/// The longest lifetime of a connection's access tokens, and the largest difference between clocks.
#[derive(Debug, Clone, Copy)]
pub struct Lifetime {
    /// The longest lifetime.
    pub max: Duration,
    /// The largest difference.
    pub skew: Duration,
}

impl Lifetime {
    /// Whole seconds, rounded up, from the proving read until no access token works.
    #[must_use]
    pub fn residual_s(&self) -> i64 {
        let total = self.max.saturating_add(self.skew);
        let seconds = total.as_secs() + u64::from(total.subsec_nanos() > 0);
        i64::try_from(seconds).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skew_counts_and_parts_of_a_second_are_whole_ones() {
        let lifetime = Lifetime {
            max: Duration::from_secs(3600),
            skew: Duration::from_millis(1500),
        };
        assert_eq!(lifetime.residual_s(), 3602);
    }
}
