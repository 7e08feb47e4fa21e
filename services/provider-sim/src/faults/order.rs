//! The shape of a fault rule. Unknown members are refused, so that a misspelt one does not pass for ordered.

use regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Longest wait that a rule may order; a call is never left hanging longer.
pub const HANG_MS_MAX: u64 = 600_000;

/// A rule as it is ordered.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Which calls it looks at; every condition that is given must hold.
    #[serde(default)]
    pub when: Conditions,
    /// What happens to a picked call.
    pub then: Consequence,
    /// Picks nothing among the first `after` calls it looks at.
    #[serde(default)]
    pub after: u64,
    /// Of the rest, picks every n-th one (1: each).
    #[serde(default = "one")]
    pub every: u64,
    /// Fires at most this often; without it, always.
    #[serde(default)]
    pub count: Option<u64>,
    /// Fires with this probability (0 to 1), by the seed and the order of the calls.
    #[serde(default)]
    pub probability: Option<f64>,
}

/// Conditions of a rule.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Conditions {
    /// The provider, for instance `okta`.
    pub provider: Option<String>,
    /// The instance of the provider.
    pub org: Option<String>,
    /// The HTTP method.
    pub method: Option<String>,
    /// A regular expression that must be found in the path inside the instance.
    pub path: Option<String>,
    /// The endpoint family.
    pub family: Option<String>,
    /// The operation.
    pub operation: Option<String>,
    /// The id of the user that the call concerns.
    pub user: Option<String>,
    /// Whether the call is a write.
    pub write: Option<bool>,
}

/// What happens to a call. Delays go with any other effect; of the others, at most one is given.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Consequence {
    /// Waits this long before anything else, in milliseconds.
    pub latency_ms: u64,
    /// Adds a random wait of up to this long, by the seed.
    pub jitter_ms: u64,
    /// Answers this instead of doing the call.
    pub status: Option<u16>,
    /// The body for `status`; without it, the provider's own body for that status.
    pub body: Option<Value>,
    /// Extra headers for `status`.
    pub headers: Vec<(String, String)>,
    /// For status 429: the seconds until the reset that the headers tell; 1 if not given.
    pub reset_in_s: Option<u64>,
    /// Does the call before `status` or `hang_ms` has its way.
    pub after_effect: bool,
    /// Closes the connection before the call takes effect.
    pub reset: bool,
    /// Does the call, then closes the connection without an answer.
    pub answer_lost: bool,
    /// Does the call twice and answers what the second time gave.
    pub twice: bool,
    /// Gives no answer for this long, then closes the connection.
    pub hang_ms: Option<u64>,
    /// Sends the answer's body in four pieces over this many milliseconds.
    pub slow_body_ms: Option<u64>,
    /// Sends half of the answer's body, then closes the connection.
    pub half_body: bool,
}

impl Consequence {
    /// Whether anything but a delay is ordered.
    pub fn is_more_than_a_wait(&self) -> bool {
        self.ends() > 0 || self.twice || self.slow_body_ms.is_some() || self.half_body
    }

    /// How many effects are ordered of which only one is possible.
    fn ends(&self) -> usize {
        [
            self.status.is_some(),
            self.reset,
            self.answer_lost,
            self.hang_ms.is_some(),
        ]
        .iter()
        .filter(|set| **set)
        .count()
    }
}

impl Order {
    /// Refuses what cannot be done, naming the field; returns the compiled path condition.
    pub fn check(&self) -> Result<Option<Regex>, String> {
        let then = &self.then;
        if then.ends() > 1 {
            return Err("then: give only one of status, reset, answer_lost and hang_ms".into());
        }
        if then
            .status
            .is_some_and(|status| !(200..=599).contains(&status))
        {
            return Err("then.status: must be 200 to 599".into());
        }
        if then
            .latency_ms
            .saturating_add(then.jitter_ms)
            .max(then.hang_ms.unwrap_or(0))
            > HANG_MS_MAX
        {
            return Err(format!("then: no wait may be longer than {HANG_MS_MAX} ms"));
        }
        if self.every == 0 {
            return Err("every: must be at least 1".into());
        }
        if self.probability.is_some_and(|p| !(0.0..=1.0).contains(&p)) {
            return Err("probability: must be 0 to 1".into());
        }
        let path = self.when.path.as_deref().map(Regex::new).transpose();
        path.map_err(|error| format!("when.path: {error}"))
    }
}

fn one() -> u64 {
    1
}
