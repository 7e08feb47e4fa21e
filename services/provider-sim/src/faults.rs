//! Faults on request: rules that pick calls, and what happens to a picked call.
//!
//! Rules are the same for every provider. They are tried in the order in which they were given; delays of all rules that
//! fire add up, and of the other effects the first one wins.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::dice::Dice;

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

/// A rule as it is shown: the order, and what came of it.
#[derive(Debug, Clone, Serialize)]
pub struct Shown {
    /// The rule's number.
    pub id: u64,
    /// The order.
    #[serde(flatten)]
    pub order: Order,
    /// How many calls met the conditions.
    pub seen: u64,
    /// How often it fired.
    pub fired: u64,
}

/// What is known about a call when the rules look at it.
#[derive(Debug)]
pub struct Facts<'a> {
    /// The provider.
    pub provider: &'a str,
    /// The instance.
    pub org: &'a str,
    /// The HTTP method.
    pub method: &'a str,
    /// The path inside the instance.
    pub path: &'a str,
    /// The endpoint family.
    pub family: &'a str,
    /// The operation.
    pub operation: &'a str,
    /// The user's id.
    pub user: Option<&'a str>,
    /// Whether the call is a write.
    pub write: bool,
}

/// What the rules decided about one call.
#[derive(Debug, Default)]
pub struct Verdict {
    /// The wait before anything else.
    pub wait: Duration,
    /// The rule and its effect, if any but a wait.
    pub effect: Option<(u64, Consequence)>,
}

/// All rules of a simulation.
#[derive(Debug)]
pub struct Faults {
    seed: u64,
    rules: Mutex<Rules>,
}

#[derive(Debug, Default)]
struct Rules {
    list: Vec<Rule>,
    last_id: u64,
}

#[derive(Debug)]
struct Rule {
    shown: Shown,
    path: Option<Regex>,
    dice: Dice,
}

fn one() -> u64 {
    1
}

impl Faults {
    /// No rules yet; probabilities will follow `seed`.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            rules: Mutex::default(),
        }
    }

    /// Adds a rule and returns its number; the error names what is wrong with the order.
    pub fn add(&self, order: Order) -> Result<u64, String> {
        let path = check(&order)?;
        let mut rules = self.lock();
        rules.last_id += 1;
        let id = rules.last_id;
        let dice = Dice::new(self.seed, &format!("fault {id}"));
        rules.list.push(Rule {
            shown: Shown {
                id,
                order,
                seen: 0,
                fired: 0,
            },
            path,
            dice,
        });
        Ok(id)
    }

    /// Removes rule `id`, or all; returns how many went.
    pub fn remove(&self, id: Option<u64>) -> usize {
        let mut rules = self.lock();
        let before = rules.list.len();
        rules
            .list
            .retain(|rule| id.is_some_and(|id| id != rule.shown.id));
        before - rules.list.len()
    }

    /// The rules with their hits.
    pub fn list(&self) -> Vec<Shown> {
        self.lock()
            .list
            .iter()
            .map(|rule| rule.shown.clone())
            .collect()
    }

    /// What happens to the call that `facts` describe; counts it.
    pub fn decide(&self, facts: &Facts<'_>) -> Verdict {
        let mut verdict = Verdict::default();
        for rule in &mut self.lock().list {
            if !rule.fires(facts) {
                continue;
            }
            let consequence = &rule.shown.order.then;
            let jitter = rule
                .dice
                .below(usize::try_from(consequence.jitter_ms).unwrap_or(usize::MAX))
                as u64;
            verdict.wait += Duration::from_millis(consequence.latency_ms + jitter);
            if verdict.effect.is_none() && consequence.is_more_than_a_wait() {
                verdict.effect = Some((rule.shown.id, consequence.clone()));
            }
        }
        verdict
    }

    fn lock(&self) -> MutexGuard<'_, Rules> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rule {
    fn fires(&mut self, facts: &Facts<'_>) -> bool {
        if !self.meets(facts) {
            return false;
        }
        let shown = &mut self.shown;
        shown.seen += 1;
        let order = &shown.order;
        let turn = shown
            .seen
            .checked_sub(order.after + 1)
            .is_some_and(|rest| (rest + 1) % order.every == 0);
        let left = order.count.is_none_or(|count| shown.fired < count);
        let fires = turn && left && order.probability.is_none_or(|p| self.dice.chance(p));
        shown.fired += u64::from(fires);
        fires
    }

    fn meets(&self, facts: &Facts<'_>) -> bool {
        let when = &self.shown.order.when;
        let same = |wanted: &Option<String>, found: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == found)
        };
        same(&when.provider, facts.provider)
            && same(&when.org, facts.org)
            && same(&when.method, facts.method)
            && same(&when.family, facts.family)
            && same(&when.operation, facts.operation)
            && when
                .user
                .as_deref()
                .is_none_or(|user| facts.user == Some(user))
            && when.write.is_none_or(|write| write == facts.write)
            && self
                .path
                .as_ref()
                .is_none_or(|path| path.is_match(facts.path))
    }
}

impl Consequence {
    fn is_more_than_a_wait(&self) -> bool {
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

fn check(order: &Order) -> Result<Option<Regex>, String> {
    let then = &order.then;
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
    if order.every == 0 {
        return Err("every: must be at least 1".into());
    }
    if order.probability.is_some_and(|p| !(0.0..=1.0).contains(&p)) {
        return Err("probability: must be 0 to 1".into());
    }
    let path = order.when.path.as_deref().map(Regex::new).transpose();
    path.map_err(|error| format!("when.path: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts<'a>(path: &'a str, user: Option<&'a str>) -> Facts<'a> {
        Facts {
            provider: "okta",
            org: "main",
            method: "GET",
            path,
            family: "users",
            operation: "get_user",
            user,
            write: false,
        }
    }

    fn fired(order: Value, calls: usize) -> Vec<usize> {
        let faults = Faults::new(1);
        faults.add(serde_json::from_value(order).unwrap()).unwrap();
        (1..=calls)
            .filter(|_| {
                faults
                    .decide(&facts("/api/v1/users/u1", Some("u1")))
                    .effect
                    .is_some()
            })
            .collect()
    }

    #[test]
    fn after_every_and_count_pick_the_calls_they_name() {
        let reset = serde_json::json!({ "reset": true });
        assert_eq!(
            fired(
                serde_json::json!({ "then": reset, "after": 2, "count": 1 }),
                6
            ),
            [3]
        );
        assert_eq!(
            fired(serde_json::json!({ "then": reset, "every": 3 }), 7),
            [3, 6]
        );
        assert_eq!(
            fired(
                serde_json::json!({ "then": reset, "when": { "user": "u2" } }),
                3
            ),
            [] as [usize; 0]
        );
        assert_eq!(
            fired(
                serde_json::json!({ "then": reset, "when": { "path": "^/api/v1/users/[^/]+$" } }),
                2
            ),
            [1, 2]
        );
    }

    #[test]
    fn the_same_seed_draws_the_same_calls() {
        let order = serde_json::json!({ "then": { "status": 503 }, "probability": 0.5 });
        let first = fired(order.clone(), 100);
        assert_eq!(first, fired(order, 100));
        assert!(first.len() > 25 && first.len() < 75);
    }

    #[test]
    fn an_order_that_cannot_be_is_refused_by_field() {
        for (then, field) in [
            (
                serde_json::json!({ "reset": true, "status": 500 }),
                "only one",
            ),
            (serde_json::json!({ "status": 99 }), "then.status"),
            (serde_json::json!({ "hang_ms": 9_000_000 }), "no wait"),
        ] {
            let order = serde_json::from_value(serde_json::json!({ "then": then })).unwrap();
            assert!(Faults::new(1).add(order).unwrap_err().contains(field));
        }
    }
}
