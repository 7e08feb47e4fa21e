//! Faults on request: rules that pick calls, and what happens to a picked call.
//!
//! Rules are the same for every provider. They are tried in the order in which they were given; delays of all rules that
//! fire add up, and of the other effects the first one wins.

mod order;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use regex::Regex;
use serde::Serialize;

use crate::dice::Dice;
pub use order::{Consequence, Order};

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
        let path = order.check()?;
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

#[cfg(test)]
mod tests {
    use serde_json::Value;

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
