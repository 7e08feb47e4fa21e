//! Replays: dead letters go back to work, first one, then in steps that double, and stop by themselves.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::employment::EmploymentEvent;
use crate::job::JobState;
use crate::text_enum::text_enum;

text_enum! {
    /// The life of a replay.
    pub enum ReplayState {
        /// The first one is out.
        Canary = "canary",
        /// It came back well; the others follow in steps.
        Ramping = "ramping",
        /// Every member has its outcome.
        Done = "done",
        /// It was stopped before the end; what was not released is a dead letter as before.
        Stopped = "stopped",
    }
}

impl ReplayState {
    /// Whether it goes on.
    #[must_use]
    pub const fn is_running(self) -> bool {
        matches!(self, Self::Canary | Self::Ramping)
    }
}

text_enum! {
    /// What became of a member of a replay.
    pub enum MemberState {
        /// It waits for its step.
        Queued = "queued",
        /// Its job is at work.
        Released = "released",
        /// Its job came to a good end, or waits for something that is no failure.
        Done = "done",
        /// Its job gave up again, or its connection was parked.
        Failed = "failed",
        /// A hold stops its job.
        Held = "held",
        /// It was closed otherwise, or the replay stopped first.
        Skipped = "skipped",
    }
}

/// What the reasons of a waiting job say of its replay: it got further than a failure, and somebody or some time must
/// pass before its end.
const GOT_FURTHER: [&str; 2] = ["task", "fence"];

/// What the state of a released job says; `None` while it is at work.
#[must_use]
pub fn outcome(state: JobState, reason: Option<&str>) -> Option<MemberState> {
    match state {
        JobState::Done => Some(MemberState::Done),
        JobState::Waiting if reason.is_some_and(|reason| GOT_FURTHER.contains(&reason)) => {
            Some(MemberState::Done)
        }
        JobState::Waiting | JobState::Running => None,
        JobState::Dead | JobState::Parked => Some(MemberState::Failed),
        JobState::Held => Some(MemberState::Held),
        JobState::Cancelled | JobState::Replaced => Some(MemberState::Skipped),
    }
}

/// An employment event, and when it was recorded here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recorded {
    /// The event.
    pub event: EmploymentEvent,
    /// When it was recorded.
    pub at: Timestamp,
}

/// The event that stops the replay of a removal: newer than every leaver event that the removal rests on, contradicting
/// them, and recorded after a person last said that the removal goes on nevertheless (`released_at`). A removal that
/// rests on no leaver event is never overruled by one.
#[must_use]
pub fn overruled(
    leavers: &[EmploymentEvent],
    known: &[Recorded],
    released_at: Option<Timestamp>,
) -> Option<EmploymentEvent> {
    if leavers.is_empty() {
        return None;
    }
    let contradicts = |recorded: &&Recorded| {
        recorded.event.kind.contradicts_leaver()
            && leavers
                .iter()
                .all(|leaver| recorded.event.is_newer_than(leaver))
            && released_at.is_none_or(|released| recorded.at > released)
    };
    known
        .iter()
        .find(contradicts)
        .map(|recorded| recorded.event)
}

/// What is known of a running replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RampFacts {
    /// The present step; 0 before the canary.
    pub step: i32,
    /// When it was released.
    pub step_at: Option<Timestamp>,
    /// No step is larger.
    pub step_size_max: i32,
    /// Percent of a step that may fail.
    pub failed_percent_max: i32,
    /// How long a step may take.
    pub patience: Duration,
    /// Members that wait for their step.
    pub queued: i64,
    /// Members of any step that are at work.
    pub released: i64,
    /// Members of the present step.
    pub in_step: i64,
    /// Members of the present step that failed.
    pub failed_in_step: i64,
    /// Members of the present step that tell whether the work succeeds: done or failed.
    pub told_in_step: i64,
    /// The database's clock.
    pub now: Timestamp,
}

/// What to do with a running replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RampDecision {
    /// Let so many more go, as the next step.
    Release(i64),
    /// Nothing now.
    Wait,
    /// It stops here.
    Stop(String),
    /// Every member has its outcome.
    Done,
}

/// Decides the next move. The canary is alone until it has told; a member that a hold stopped, or that was closed
/// otherwise, tells nothing, and another one takes its place.
#[must_use]
pub fn ramp(facts: &RampFacts) -> RampDecision {
    if facts.failed_in_step > 0 && is_canary(facts.step) {
        return RampDecision::Stop("the canary failed".to_owned());
    }
    let judged = facts.in_step.max(1);
    if facts.failed_in_step * 100 > i64::from(facts.failed_percent_max) * judged {
        return RampDecision::Stop(format!(
            "{} of {} failed in step {}",
            facts.failed_in_step, facts.in_step, facts.step
        ));
    }
    if facts.released > 0 {
        return if is_late(facts) {
            RampDecision::Stop(format!(
                "step {} did not come to its end within {} s",
                facts.step,
                facts.patience.as_secs()
            ))
        } else {
            RampDecision::Wait
        };
    }
    if facts.queued == 0 {
        return RampDecision::Done;
    }
    RampDecision::Release(next_size(facts).min(facts.queued))
}

const fn is_canary(step: i32) -> bool {
    step <= 1
}

fn is_late(facts: &RampFacts) -> bool {
    let patience = SignedDuration::try_from(facts.patience).unwrap_or(SignedDuration::MAX);
    facts
        .step_at
        .is_some_and(|since| facts.now.duration_since(since) > patience)
}

/// One until a canary has told, then twice the step before, up to the bound.
fn next_size(facts: &RampFacts) -> i64 {
    let nobody_told = facts.step == 0 || (is_canary(facts.step) && facts.told_in_step == 0);
    if nobody_told {
        return 1;
    }
    let doublings = u32::try_from(facts.step).unwrap_or(0).min(30);
    (1_i64 << doublings).min(i64::from(facts.step_size_max))
}

/// The number of the step that a release makes: a canary that told nothing is repeated.
#[must_use]
pub const fn next_step(facts: &RampFacts) -> i32 {
    if facts.step == 1 && facts.told_in_step == 0 {
        1
    } else {
        facts.step.saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn facts() -> RampFacts {
        RampFacts {
            step: 0,
            step_at: None,
            step_size_max: 64,
            failed_percent_max: 10,
            patience: Duration::from_secs(900),
            queued: 100,
            released: 0,
            in_step: 0,
            failed_in_step: 0,
            told_in_step: 0,
            now: "2026-11-22T12:00:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn one_canary_then_two_four_eight_up_to_the_bound() {
        let mut sizes = vec![ramp(&facts())];
        for (step, in_step) in [(1, 1), (2, 2), (3, 4), (6, 32), (7, 64), (40, 64)] {
            let told = RampFacts {
                step,
                in_step,
                told_in_step: in_step,
                ..facts()
            };
            sizes.push(ramp(&told));
            assert_eq!(next_step(&told), step + 1);
        }
        let expected = [1, 2, 4, 8, 64, 64, 64].map(RampDecision::Release);
        assert_eq!(sizes, expected);
    }

    #[test]
    fn a_canary_that_fails_stops_everything_and_one_that_tells_nothing_is_replaced() {
        let failed = RampFacts {
            step: 1,
            in_step: 1,
            failed_in_step: 1,
            told_in_step: 1,
            ..facts()
        };
        assert!(matches!(ramp(&failed), RampDecision::Stop(_)));
        let generous = RampFacts {
            failed_percent_max: 100,
            ..failed
        };
        assert!(
            matches!(ramp(&generous), RampDecision::Stop(_)),
            "whatever the bound"
        );
        let held = RampFacts {
            step: 1,
            in_step: 1,
            ..facts()
        };
        assert_eq!(
            (ramp(&held), next_step(&held)),
            (RampDecision::Release(1), 1)
        );
    }

    #[test]
    fn a_step_that_fails_too_often_or_takes_too_long_stops() {
        let step = RampFacts {
            step: 5,
            in_step: 20,
            told_in_step: 20,
            ..facts()
        };
        assert_eq!(
            ramp(&RampFacts {
                failed_in_step: 2,
                ..step
            }),
            RampDecision::Release(32)
        );
        assert!(matches!(
            ramp(&RampFacts {
                failed_in_step: 3,
                ..step
            }),
            RampDecision::Stop(_)
        ));
        let out = RampFacts {
            released: 4,
            step_at: Some(step.now),
            ..step
        };
        assert_eq!(ramp(&out), RampDecision::Wait);
        let late = RampFacts {
            step_at: Some(step.now - SignedDuration::from_secs(901)),
            ..out
        };
        assert!(matches!(ramp(&late), RampDecision::Stop(_)));
    }

    #[test]
    fn what_waits_for_a_person_or_a_date_is_no_failure_and_a_parked_connection_is_one() {
        use JobState as S;
        for (state, reason, expected) in [
            (S::Done, None, Some(MemberState::Done)),
            (S::Waiting, Some("task"), Some(MemberState::Done)),
            (S::Waiting, Some("rate"), None),
            (S::Running, None, None),
            (S::Dead, None, Some(MemberState::Failed)),
            (S::Parked, None, Some(MemberState::Failed)),
            (S::Held, Some("fence"), Some(MemberState::Held)),
            (S::Cancelled, None, Some(MemberState::Skipped)),
        ] {
            assert_eq!(outcome(state, reason), expected, "{state} {reason:?}");
        }
    }

    #[test]
    fn a_rehire_after_every_leaver_event_stops_the_replay_unless_a_person_released_it() {
        use crate::employment::EmploymentEventKind as K;
        let hr = crate::ids::SourceId::generate();
        let at = |second| Timestamp::from_second(second).unwrap();
        let event = |kind, version| EmploymentEvent {
            source: hr,
            kind,
            version,
            occurred_at: at(version),
        };
        let leaver = event(K::Leaver, 3);
        let rehired = Recorded {
            event: event(K::Rehired, 4),
            at: at(100),
        };
        assert_eq!(overruled(&[leaver], &[rehired], None), Some(rehired.event));
        assert_eq!(
            overruled(&[leaver], &[rehired], Some(at(101))),
            None,
            "released since"
        );
        assert_eq!(
            overruled(&[leaver], &[rehired], Some(at(99))),
            Some(rehired.event)
        );
        assert_eq!(
            overruled(&[leaver, event(K::Leaver, 5)], &[rehired], None),
            None,
            "left again"
        );
        assert_eq!(overruled(&[], &[rehired], None), None, "an operator asked");
    }

    proptest! {
        /// Nothing is released while a step is out, after a failed canary, or beyond what is queued.
        #[test]
        fn a_release_is_always_bounded(step in 0i32..50, queued in 0i64..5000, released in 0i64..3, failed in 0i64..70, told in 0i64..70) {
            let facts = RampFacts { step, queued, released, in_step: 64, failed_in_step: failed, told_in_step: told.max(failed), ..facts() };
            if let RampDecision::Release(n) = ramp(&facts) {
                prop_assert!(n >= 1 && n <= queued && n <= 64 && released == 0);
                prop_assert!(failed == 0 || (step > 1 && failed <= 6));
                prop_assert!(told > 0 || step > 1 || n == 1);
            }
        }
    }
}
