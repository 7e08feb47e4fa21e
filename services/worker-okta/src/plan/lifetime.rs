//! How long an access token may work after everything it came from was revoked.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

/// The configured lifetimes of a connection's access tokens.
#[derive(Debug, Clone)]
pub struct Lifetimes {
    /// The longest of any issuer that is not listed.
    pub max: Duration,
    /// By issuer, as tokens name it.
    pub by_issuer: BTreeMap<String, Duration>,
    /// The largest difference between clocks.
    pub skew: Duration,
}

impl Lifetimes {
    /// Whole seconds, rounded up, from the proving read until no access token of these issuers works:
    /// the longest of their lifetimes plus the skew. Without an issuer, that of the connection.
    #[must_use]
    pub fn residual_s(&self, issuers: &Value) -> i64 {
        let longest = issuers
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(|issuer| self.of(issuer))
            .max()
            .unwrap_or(self.max);
        let total = longest.saturating_add(self.skew);
        let seconds = total.as_secs() + u64::from(total.subsec_nanos() > 0);
        i64::try_from(seconds).unwrap_or(i64::MAX)
    }

    fn of(&self, issuer: &str) -> Duration {
        let bare = |issuer: &str| issuer.trim_end_matches('/').to_owned();
        self.by_issuer
            .iter()
            .find(|(known, _)| bare(known) == bare(issuer))
            .map_or(self.max, |(_, lifetime)| *lifetime)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_longest_lifetime_of_the_issuers_counts() {
        let lifetimes = Lifetimes {
            max: Duration::from_secs(3600),
            by_issuer: [
                (
                    "https://a.test/oauth2/short/".to_owned(),
                    Duration::from_secs(300),
                ),
                (
                    "https://a.test/oauth2/long".to_owned(),
                    Duration::from_secs(86_400),
                ),
            ]
            .into(),
            skew: Duration::from_millis(1500),
        };
        for (issuers, expected) in [
            (json!(["https://a.test/oauth2/short"]), 302),
            (
                json!(["https://a.test/oauth2/short", "https://a.test/oauth2/long"]),
                86_402,
            ),
            (
                json!(["https://a.test/oauth2/short", "https://a.test"]),
                3602,
            ),
            (json!([]), 3602),
            (Value::Null, 3602),
        ] {
            assert_eq!(lifetimes.residual_s(&issuers), expected, "{issuers}");
        }
    }
}
