//! How requests add up: pure decisions over what stands and what is asked.
//!
//! The scope is the union; per connection the intent and the urgency are the strongest and the time the
//! earliest of the requests that name it. None of this depends on the order in which requests come.

use jiff::Timestamp;
use sever_domain::opt_out::strongest;
use sever_domain::{ConnectionId, JobState};
use sever_store::opt_out::OptOutTerms;
use sever_store::opt_out_job::{JobTerms, LockedJob, StrongerJob};

/// The terms of an opt-out after a further request.
pub(crate) fn opt_out_terms(standing: &OptOutTerms, asked: &OptOutTerms) -> OptOutTerms {
    let scope = match (&standing.scope, &asked.scope) {
        (Some(standing), Some(asked)) => {
            let mut union: Vec<ConnectionId> = standing.iter().chain(asked).copied().collect();
            union.sort_unstable();
            union.dedup();
            Some(union)
        }
        (None, _) | (_, None) => None,
    };
    OptOutTerms {
        intent: strongest(standing.intent, asked.intent),
        urgency: strongest(standing.urgency, asked.urgency),
        scope,
        effective_at: standing.effective_at.min(asked.effective_at),
    }
}

/// The terms of a job after a further request that names its connection.
pub(crate) fn job_terms(standing: &JobTerms, asked: &JobTerms) -> JobTerms {
    JobTerms {
        intent: strongest(standing.intent, asked.intent),
        urgency: strongest(standing.urgency, asked.urgency),
        effective_at: standing.effective_at.min(asked.effective_at),
    }
}

/// What becomes of the newest job at a connection that a further request names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It does already what is asked.
    Enough,
    /// It gets stronger terms.
    Stronger(StrongerJob),
    /// A new job is needed.
    New,
}

/// Decides that. `again` says that the request wants the work done again even where a job is done.
pub(crate) fn outcome(
    job: Option<&LockedJob>,
    asked: &JobTerms,
    again: bool,
    now: Timestamp,
) -> Outcome {
    let Some(job) = job else {
        return Outcome::New;
    };
    let standing = JobTerms {
        intent: job.intent,
        urgency: job.urgency,
        effective_at: job.effective_at,
    };
    let terms = job_terms(&standing, asked);
    match job.state {
        JobState::Cancelled | JobState::Replaced => Outcome::New,
        JobState::Done if again || terms.intent != job.intent => Outcome::New,
        JobState::Done => Outcome::Enough,
        JobState::Waiting
        | JobState::Running
        | JobState::Held
        | JobState::Parked
        | JobState::Dead => {
            if terms == standing {
                Outcome::Enough
            } else {
                Outcome::Stronger(StrongerJob {
                    id: job.id,
                    expected: job.state,
                    terms,
                    due_at: due_at(job, &standing, &terms, now),
                })
            }
        }
    }
}

/// A job that no worker has touched is due when it takes effect; one under way is due at once when its
/// plan must change, and else keeps the time that its wait or retry named.
fn due_at(
    job: &LockedJob,
    standing: &JobTerms,
    terms: &JobTerms,
    now: Timestamp,
) -> Option<Timestamp> {
    if job.state != JobState::Waiting {
        None
    } else if !job.started {
        Some(terms.effective_at.max(now))
    } else {
        (terms.intent != standing.intent).then_some(now)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use sever_domain::{Intent, JobId, Provider, Urgency};
    use uuid::Uuid;

    use super::*;

    const CONNECTIONS: u128 = 4;

    fn now() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    fn asked() -> impl Strategy<Value = OptOutTerms> {
        let scope = proptest::option::of(proptest::collection::btree_set(0..CONNECTIONS, 1..4));
        let intent = proptest::sample::select(Intent::ALL);
        let urgency = proptest::sample::select(Urgency::ALL);
        (scope, intent, urgency, -100i64..100).prop_map(|(scope, intent, urgency, hours)| {
            OptOutTerms {
                intent,
                urgency,
                scope: scope.map(|ids| {
                    ids.into_iter()
                        .map(|id| ConnectionId(Uuid::from_u128(id)))
                        .collect()
                }),
                effective_at: now() + jiff::SignedDuration::from_hours(hours),
            }
        })
    }

    /// What stands after some requests, as accept writes it: the opt-out and a job for each connection.
    fn stand(requests: &[OptOutTerms]) -> (OptOutTerms, BTreeMap<ConnectionId, JobTerms>) {
        let mut whole = requests[0].clone();
        let mut jobs: BTreeMap<ConnectionId, LockedJob> = BTreeMap::new();
        for request in requests {
            whole = opt_out_terms(&whole, request);
            let terms = JobTerms {
                intent: request.intent,
                urgency: request.urgency,
                effective_at: request.effective_at,
            };
            for id in (0..CONNECTIONS).map(|id| ConnectionId(Uuid::from_u128(id))) {
                if request
                    .scope
                    .as_ref()
                    .is_some_and(|scope| !scope.contains(&id))
                {
                    continue;
                }
                match outcome(jobs.get(&id), &terms, false, now()) {
                    Outcome::Enough => {}
                    Outcome::New => drop(jobs.insert(id, job(id, &terms))),
                    Outcome::Stronger(stronger) => drop(jobs.insert(id, job(id, &stronger.terms))),
                }
            }
        }
        let terms = |job: &LockedJob| JobTerms {
            intent: job.intent,
            urgency: job.urgency,
            effective_at: job.effective_at,
        };
        (
            whole,
            jobs.iter().map(|(id, job)| (*id, terms(job))).collect(),
        )
    }

    fn job(connection: ConnectionId, terms: &JobTerms) -> LockedJob {
        LockedJob {
            id: JobId::generate(),
            connection,
            provider: Provider::Okta,
            state: JobState::Waiting,
            intent: terms.intent,
            urgency: terms.urgency,
            effective_at: terms.effective_at,
            started: false,
        }
    }

    proptest! {
        /// Scope, intent, urgency and time of the whole and of each job are the same in every order.
        #[test]
        fn the_order_of_requests_does_not_count(
            (requests, shuffled) in proptest::collection::vec(asked(), 1..6)
                .prop_flat_map(|requests| (Just(requests.clone()), Just(requests).prop_shuffle()))
        ) {
            prop_assert_eq!(stand(&requests), stand(&shuffled));
        }

        /// A request that is asked twice changes nothing.
        #[test]
        fn the_same_request_again_changes_nothing(request in asked()) {
            prop_assert_eq!(stand(std::slice::from_ref(&request)), stand(&[request.clone(), request]));
        }
    }

    fn terms(intent: Intent, effective_at: Timestamp) -> JobTerms {
        JobTerms {
            intent,
            urgency: Urgency::Ordinary,
            effective_at,
        }
    }

    #[test]
    fn a_waiting_job_is_pulled_forward_and_one_under_way_only_for_a_stronger_intent() {
        let later = now() + jiff::SignedDuration::from_hours(24);
        let id = ConnectionId(Uuid::nil());
        let waiting = job(id, &terms(Intent::Disable, later));
        let started = LockedJob {
            started: true,
            ..waiting
        };
        let due = |job: &LockedJob, asked: JobTerms| match outcome(Some(job), &asked, false, now())
        {
            Outcome::Stronger(stronger) => stronger.due_at,
            Outcome::Enough | Outcome::New => None,
        };
        assert_eq!(due(&waiting, terms(Intent::Disable, now())), Some(now()));
        assert_eq!(due(&started, terms(Intent::Disable, now())), None);
        assert_eq!(due(&started, terms(Intent::Remove, later)), Some(now()));
        assert_eq!(due(&waiting, terms(Intent::Remove, later)), Some(later));
    }

    #[test]
    fn a_done_job_gets_a_new_one_only_when_more_or_again_is_asked() {
        let id = ConnectionId(Uuid::nil());
        let done = LockedJob {
            state: JobState::Done,
            ..job(id, &terms(Intent::Disable, now()))
        };
        assert_eq!(
            outcome(Some(&done), &terms(Intent::Disable, now()), false, now()),
            Outcome::Enough
        );
        assert_eq!(
            outcome(Some(&done), &terms(Intent::Disable, now()), true, now()),
            Outcome::New
        );
        assert_eq!(
            outcome(Some(&done), &terms(Intent::Remove, now()), false, now()),
            Outcome::New
        );
    }
}
