//! Plans: graphs of steps, stored before any of them runs.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::entitlement::EntitlementKind;
use crate::ids::BindingId;
use crate::step::{Action, Grade, Reversibility, StepClass, StepState};

/// What the plan says of a step before anything is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// It must go, by the step's action.
    MustGo,
    /// It stays and cannot act while the account's verified state holds.
    Inert {
        /// The named rule.
        rule: String,
    },
    /// No call of ours can take it.
    Blocked {
        /// Why, in plain words.
        reason: String,
    },
    /// No call can take it, and a person can.
    Manual {
        /// What the person is asked.
        task: ManualTask,
    },
}

/// What a person is asked to do where the provider has no call for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManualTask {
    /// Who is asked: a role of the organisation, such as `vanta-admin`; never a person's name.
    pub asked_of: String,
    /// What to do, in plain words, without personal data.
    pub what: String,
    /// Where to do it.
    pub link: Option<String>,
    /// What shows that it was done, in plain words.
    pub evidence: String,
    /// Seconds from the asking until it is overdue.
    pub due_s: i64,
}

/// One step as a connector plans it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// The account it hangs on.
    pub binding: BindingId,
    /// What it does.
    pub action: Action,
    /// What it is for.
    pub class: StepClass,
    /// The kind of the entitlement that it ends.
    pub target_kind: EntitlementKind,
    /// The entitlement's key, as read.
    pub target_key: String,
    /// Whether the entitlement is privileged.
    pub privileged: bool,
    /// Whether it can be taken back.
    pub reversibility: Reversibility,
    /// The best evidence that can be had for it.
    pub grade: Grade,
    /// The named rule, where the grade is `implied`.
    pub rule: Option<String>,
    /// What is to become of it.
    pub disposition: Disposition,
    /// How long what it ended can still work after the proving read, in seconds, skew included.
    pub residual_s: Option<i64>,
    /// Positions of the steps of this plan that must have been answered first; each lower than its own.
    pub needs: Vec<usize>,
    /// The allow-list of facts that its call needs besides the target.
    pub facts: serde_json::Value,
}

impl PlannedStep {
    /// Whether the connection's fence stands before it: it cannot be taken back, and it is neither a session nor a
    /// token, which nobody misses for long.
    #[must_use]
    pub fn is_fenced(&self) -> bool {
        self.reversibility == Reversibility::OneWay
            && self.class != StepClass::CutSessions
            && self.action != Action::Leave
    }
}

/// Why a plan cannot be stored.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PlanError {
    /// A need points at the step itself or at a later one, so the graph could have a cycle.
    #[error("step {step} of the plan needs step {needs}, which does not come before it")]
    NeedNotEarlier {
        /// The position of the step.
        step: usize,
        /// The position it names.
        needs: usize,
    },
    /// A step of the first halves waits for one that ends the account.
    #[error("step {step} of the plan is not final and needs the final step {needs}")]
    NeedsFinal {
        /// The position of the step.
        step: usize,
        /// The position of the final step.
        needs: usize,
    },
    /// A step whose proof is a rule does not name it.
    #[error("step {step} of the plan is proven by a rule and names none")]
    RuleMissing {
        /// The position of the step.
        step: usize,
    },
    /// The plan is larger than any real subject's.
    #[error("the plan has {steps} steps; at most {PLAN_STEPS_MAX} are taken")]
    TooLarge {
        /// How many steps it has.
        steps: usize,
    },
}

/// The fact of a step that brings an account back as it was before: disabled. Whoever reads the account sees such a step
/// done while the account is live or contained.
pub const STAYS_DISABLED: &str = "stays_disabled";

/// The fact of a step that gives something back under an id that the provider makes anew: an object of facts, by which the
/// entitlement is recognised in a reading whatever its key is now.
pub const KNOWN_BY: &str = "known_by";

/// The most steps that one plan may have.
pub const PLAN_STEPS_MAX: usize = 50_000;

/// Checks the graph: needs point backwards only, nothing but a session cut waits for a final step,
/// every implied proof names its rule.
///
/// # Errors
/// [`PlanError`], by the first fault found.
pub fn check(steps: &[PlannedStep]) -> Result<(), PlanError> {
    if steps.len() > PLAN_STEPS_MAX {
        return Err(PlanError::TooLarge { steps: steps.len() });
    }
    for (position, step) in steps.iter().enumerate() {
        if step.grade == Grade::Implied && step.rule.is_none() {
            return Err(PlanError::RuleMissing { step: position });
        }
        for needs in &step.needs {
            if *needs >= position {
                return Err(PlanError::NeedNotEarlier {
                    step: position,
                    needs: *needs,
                });
            }
            let after_the_end = matches!(step.class, StepClass::Final | StepClass::CutSessions);
            if steps[*needs].class == StepClass::Final && !after_the_end {
                return Err(PlanError::NeedsFinal {
                    step: position,
                    needs: *needs,
                });
            }
        }
    }
    Ok(())
}

/// One step of a stored plan, as much of it as the choice of the next wave needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaveStep {
    /// Where it stands.
    pub state: StepState,
    /// What it is for.
    pub class: StepClass,
    /// Positions of the steps that it needs.
    pub needs: Vec<usize>,
}

/// The positions of the steps that can go now: planned, allowed, and every need answered.
///
/// `allowed` says whether a step of this class may run (a hold may forbid it). Where containing is
/// forbidden, what waits for it does not wait: cutting sessions is worth something without it.
#[must_use]
pub fn next_wave(steps: &[WaveStep], allowed: impl Fn(StepClass) -> bool) -> Vec<usize> {
    let answered = |needs: &usize| {
        let need = &steps[*needs];
        need.state.lets_others_go()
            || (need.class == StepClass::Contain && !allowed(StepClass::Contain))
    };
    steps
        .iter()
        .enumerate()
        .filter(|(_, step)| step.state == StepState::Planned && allowed(step.class))
        .filter(|(_, step)| step.needs.iter().all(answered))
        .map(|(position, _)| position)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wave_step(class: StepClass, needs: Vec<usize>) -> WaveStep {
        WaveStep {
            state: StepState::Planned,
            class,
            needs,
        }
    }

    proptest! {
        /// Whatever the graph, answering wave after wave ends, in an order that respects every need.
        #[test]
        fn waves_end_and_respect_needs(seed in proptest::collection::vec(proptest::collection::vec(any::<proptest::sample::Index>(), 0..4), 1..40)) {
            let mut steps: Vec<WaveStep> = seed.iter().enumerate().map(|(position, needs)| {
                wave_step(StepClass::Revoke, if position == 0 { vec![] } else { needs.iter().map(|index| index.index(position)).collect() })
            }).collect();
            let mut answered = vec![];
            while answered.len() < steps.len() {
                let wave = next_wave(&steps, |_| true);
                prop_assert!(!wave.is_empty());
                for position in wave {
                    prop_assert!(steps[position].needs.iter().all(|needs| answered.contains(needs)));
                    steps[position].state = StepState::Applied;
                    answered.push(position);
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_taken_back_is_fenced_whatever_it_is_for() {
        let step = |class, reversibility, action| PlannedStep {
            binding: BindingId::generate(),
            action,
            class,
            target_kind: EntitlementKind::Account,
            target_key: "a".to_owned(),
            privileged: false,
            reversibility,
            grade: Grade::Read,
            rule: None,
            disposition: Disposition::MustGo,
            residual_s: None,
            needs: vec![],
            facts: serde_json::Value::Null,
        };
        for class in StepClass::ALL {
            let one_way = step(*class, Reversibility::OneWay, Action::DeactivateAccount);
            assert_eq!(one_way.is_fenced(), *class != StepClass::CutSessions);
            let back = step(*class, Reversibility::Reversible, Action::SuspendAccount);
            assert!(!back.is_fenced());
            let stays = step(*class, Reversibility::OneWay, Action::Leave);
            assert!(!stays.is_fenced());
        }
    }

    #[test]
    fn a_step_waits_for_an_unanswered_need() {
        let mut steps = vec![
            wave_step(StepClass::Contain, vec![]),
            wave_step(StepClass::Revoke, vec![0]),
        ];
        steps[0].state = StepState::Unknown;
        assert!(next_wave(&steps, |_| true).is_empty());
        steps[0].state = StepState::Blocked;
        assert_eq!(next_wave(&steps, |_| true), vec![1]);
    }

    #[test]
    fn a_hold_lets_only_its_classes_through() {
        let steps = vec![
            wave_step(StepClass::CutSessions, vec![]),
            wave_step(StepClass::Revoke, vec![]),
        ];
        assert_eq!(
            next_wave(&steps, |class| class == StepClass::CutSessions),
            vec![0]
        );
    }

    #[test]
    fn sessions_do_not_wait_for_a_forbidden_containment_and_do_for_an_end() {
        let steps = vec![
            wave_step(StepClass::Contain, vec![]),
            wave_step(StepClass::CutSessions, vec![0]),
            wave_step(StepClass::Final, vec![1]),
            wave_step(StepClass::CutSessions, vec![2]),
        ];
        assert_eq!(
            next_wave(&steps, |class| class == StepClass::CutSessions),
            vec![1]
        );
        assert_eq!(next_wave(&steps, |_| true), vec![0]);
    }
}
