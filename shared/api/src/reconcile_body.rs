//! How a connection is looked at again, as a file of connections says it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sever_domain::{DriftAction, Provider, Situation};
use sever_store::reconcile_policy::{
    self, CorrelationRule, FINDINGS_MAX, FINDINGS_MIN, FINDINGS_PERCENT, ReconcilePolicy, SAMPLE,
};
use utoipa::ToSchema;

use crate::span::Span;

/// The longest time between two inventories of a connection.
const EVERY_MAX_S: i64 = 30 * 86_400;
/// The most accounts that one inventory reads one by one for what no list shows.
const SAMPLE_MAX: i32 = 10_000;
/// The most correlation rules.
const RULES_MAX: usize = 7;

/// How a connection is reconciled. What is left out has its default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReconcileBody {
    /// The time between full inventories: 1 s to 30 days.
    #[serde(default = "full_every")]
    pub full_every: Span,
    /// The time between incremental ones, which read the accounts that the provider names as changed: where it tells (`entra`), and none
    /// where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incremental_every: Option<Span>,
    /// The most findings that one inventory may open; more hold it for a person.
    #[serde(default = "findings_max")]
    pub findings_max: i64,
    /// The same in percent of the accounts seen.
    #[serde(default = "findings_percent")]
    pub findings_percent: f64,
    /// Findings that any inventory may open, however few accounts there are.
    #[serde(default = "findings_min")]
    pub findings_min: i64,
    /// Accounts that a full inventory reads one by one for what no list shows, 0 to 10,000: of those that left or are opted out, the
    /// privileged and all others alike, whoever was not read for longest.
    #[serde(default = "sample")]
    pub sample: i32,
    /// The source whose people it is the directory of: who is suspended, deactivated or gone there is a finding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "hr")]
    pub directory_of: Option<String>,
    /// When its credential runs out, as whoever made it says (RFC 3339): two weeks before, Sever asks for a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_expires: Option<Timestamp>,
    /// What is done about a situation (`report`, `repair`, `hold`), where it is not the default.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = BTreeMap<String, String>)]
    pub policy: BTreeMap<Situation, DriftAction>,
    /// Which attributes must agree for an account without a binding to count as a person's; any two where there is no rule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub correlate: Vec<CorrelationBody>,
}

/// Attributes that must agree, all of them. An e-mail alone, or a name alone, is no rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CorrelationBody {
    /// Login or e-mail.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mail: bool,
    /// The full name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub name: bool,
    /// The employee number.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub number: bool,
}

const fn full_every() -> Span {
    Span::stored(reconcile_policy::FULL_EVERY_S)
}

const fn findings_max() -> i64 {
    FINDINGS_MAX
}

const fn findings_percent() -> f64 {
    FINDINGS_PERCENT
}

const fn findings_min() -> i64 {
    FINDINGS_MIN
}

const fn sample() -> i32 {
    SAMPLE
}

impl Default for ReconcileBody {
    fn default() -> Self {
        ReconcilePolicy::default().into()
    }
}

impl ReconcileBody {
    /// The first key that cannot be taken at a connection of this provider, and what is wrong with it.
    #[must_use]
    pub fn fault(&self, provider: Provider) -> Option<(&'static str, &'static str)> {
        if self.incremental_every.is_some() && !provider.tells_changes() {
            return Some((
                "incremental_every",
                "must be left out: this provider does not tell what changed, so that only full inventories can be made (full_every)",
            ));
        }
        self.fault_anywhere()
    }

    fn fault_anywhere(&self) -> Option<(&'static str, &'static str)> {
        let every = |span: &Span| (1..=EVERY_MAX_S).contains(&span.as_seconds());
        if !every(&self.full_every) {
            return Some(("full_every", "must be 1s to 30d"));
        }
        if self
            .incremental_every
            .as_ref()
            .is_some_and(|span| !every(span))
        {
            return Some(("incremental_every", "must be 1s to 30d"));
        }
        if self.findings_max < 1 {
            return Some(("findings_max", "must be at least 1"));
        }
        if !(0.0..=100.0).contains(&self.findings_percent) {
            return Some(("findings_percent", "must be 0 to 100"));
        }
        if self.findings_min < 0 {
            return Some(("findings_min", "must not be negative"));
        }
        if !(0..=SAMPLE_MAX).contains(&self.sample) {
            return Some(("sample", "must be 0 to 10000"));
        }
        let unrepairable = |(situation, action): (&Situation, &DriftAction)| {
            *action == DriftAction::Repair
                && (!situation.repairable() || *situation == Situation::GoneAtSource)
        };
        if self.policy.iter().any(unrepairable) {
            return Some((
                "policy",
                "may say 'repair' of residual, resurrected and integration_residue only: nothing else has a subject of whom it is known \
                 that the access is to go",
            ));
        }
        let rules: Vec<CorrelationRule> =
            self.correlate.iter().map(|rule| (*rule).into()).collect();
        if rules.len() > RULES_MAX || !rules.iter().all(|rule| rule.suffices()) {
            return Some((
                "correlate",
                "must have at most 7 rules, each with the employee number, or with e-mail and name together",
            ));
        }
        None
    }
}

impl From<CorrelationBody> for CorrelationRule {
    fn from(body: CorrelationBody) -> Self {
        Self {
            mail: body.mail,
            name: body.name,
            number: body.number,
        }
    }
}

impl From<ReconcileBody> for ReconcilePolicy {
    fn from(body: ReconcileBody) -> Self {
        Self {
            full_every_s: body.full_every.as_seconds(),
            incremental_every_s: body.incremental_every.map(Span::as_seconds),
            findings_max: body.findings_max,
            findings_percent: body.findings_percent,
            findings_min: body.findings_min,
            sample: body.sample,
            directory_of: body.directory_of,
            credential_expires_at: body.credential_expires,
            actions: body.policy,
            rules: body.correlate.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<ReconcilePolicy> for ReconcileBody {
    fn from(policy: ReconcilePolicy) -> Self {
        let rule = |rule: CorrelationRule| CorrelationBody {
            mail: rule.mail,
            name: rule.name,
            number: rule.number,
        };
        Self {
            full_every: Span::stored(policy.full_every_s),
            incremental_every: policy.incremental_every_s.map(Span::stored),
            findings_max: policy.findings_max,
            findings_percent: policy.findings_percent,
            findings_min: policy.findings_min,
            sample: policy.sample,
            directory_of: policy.directory_of,
            credential_expires: policy.credential_expires_at,
            policy: policy.actions,
            correlate: policy.rules.into_iter().map(rule).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> ReconcileBody {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn what_is_left_out_is_the_tables_default() {
        let policy = ReconcilePolicy::from(read("{}"));
        assert_eq!(policy, ReconcilePolicy::default());
        assert_eq!(ReconcileBody::from(policy), read("{}"));
    }

    #[test]
    fn what_cannot_be_taken_is_named() {
        let of = |text: &str| read(text).fault(Provider::Entra);
        assert_eq!(of("{}"), None);
        for (text, key) in [
            (r#"{"full_every": "31d"}"#, "full_every"),
            (r#"{"incremental_every": 0}"#, "incremental_every"),
            (r#"{"findings_max": 0}"#, "findings_max"),
            (r#"{"findings_percent": 101}"#, "findings_percent"),
            (r#"{"findings_min": -1}"#, "findings_min"),
            (r#"{"sample": 10001}"#, "sample"),
            (r#"{"policy": {"orphan_account": "repair"}}"#, "policy"),
            (r#"{"correlate": [{"mail": true}]}"#, "correlate"),
        ] {
            assert_eq!(of(text).map(|fault| fault.0), Some(key));
        }
        assert_eq!(of(r#"{"policy": {"residual": "hold"}}"#), None);
        let incremental = r#"{"incremental_every": "5m"}"#;
        assert_eq!(of(incremental), None);
        for provider in Provider::ALL.iter().filter(|known| !known.tells_changes()) {
            let fault = read(incremental).fault(*provider);
            assert_eq!(
                fault.map(|fault| fault.0),
                Some("incremental_every"),
                "{provider}"
            );
        }
    }
}
