//! How long an access token may work after everything it came from was revoked.

use std::collections::BTreeMap;
use std::time::Duration;

/// The configured lifetimes of a connection's access tokens.
#[derive(Debug, Clone)]
pub struct Lifetimes {
    /// The longest of any issuer that is not listed.
    pub max: Duration,
    /// By issuer.
    pub by_issuer: BTreeMap<String, Duration>,
    /// The largest difference between clocks.
    pub skew: Duration,
}

impl Lifetimes {
    /// Whole seconds, rounded up, from the proving read until no access token of this issuer works. `own_s` is a
    /// token's own lifetime, where it is known.
    #[must_use]
    pub fn residual_s(&self, issuer: &str, own_s: Option<u64>) -> i64 {
        let bare = |issuer: &str| issuer.trim_end_matches('/').to_owned();
        let configured = self
            .by_issuer
            .iter()
            .find(|(known, _)| bare(known) == bare(issuer))
            .map_or(self.max, |(_, lifetime)| *lifetime);
        let lifetime = own_s.map_or(configured, Duration::from_secs);
        let total = lifetime.saturating_add(self.skew);
        let seconds = total.as_secs() + u64::from(total.subsec_nanos() > 0);
        i64::try_from(seconds).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tokens_own_lifetime_comes_before_the_issuers_and_that_before_the_connections() {
        let lifetimes = Lifetimes {
            max: Duration::from_secs(3600),
            by_issuer: [("https://op.test/".to_owned(), Duration::from_secs(300))].into(),
            skew: Duration::from_millis(1500),
        };
        assert_eq!(lifetimes.residual_s("https://op.test", None), 302);
        assert_eq!(lifetimes.residual_s("https://other.test", None), 3602);
        assert_eq!(lifetimes.residual_s("https://op.test", Some(60)), 62);
    }
}
