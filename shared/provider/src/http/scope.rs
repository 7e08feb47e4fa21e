//! The job on whose behalf calls are made, known to the client without every connector handing it on.
//!
//! It follows the task: a connector that spawned another task for its calls would lose it.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sever_domain::rate::Priority;

tokio::task_local! {
    static SCOPE: JobScope;
}

/// What a call inherits from its job, and what it tells back.
#[derive(Debug, Clone)]
pub struct JobScope {
    /// The least priority of its calls.
    pub priority: Priority,
    /// Grows with every call that ended: how a supervisor sees that the job moves.
    pub progress: Arc<AtomicU64>,
}

/// Runs a future on behalf of a job.
pub async fn in_scope<F: Future>(scope: JobScope, future: F) -> F::Output {
    SCOPE.scope(scope, future).await
}

/// The priority of a call: its own or its job's, whichever may use more. Listing everything stays that, whoever asks.
pub(super) fn priority_of(own: Priority) -> Priority {
    if own == Priority::Inventory {
        return own;
    }
    let inherited = |scope: &JobScope| match scope.priority {
        Priority::Inventory => Priority::Inventory,
        Priority::Ordinary | Priority::Containing => scope.priority.max(own),
    };
    SCOPE.try_with(inherited).unwrap_or(own)
}

/// Notes that a call of the job ended.
pub(super) fn call_ended() {
    // Calls outside of a job have nobody to tell.
    let _ = SCOPE.try_with(|scope| scope.progress.fetch_add(1, Ordering::Relaxed));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_urgent_jobs_calls_may_use_everything_but_its_listings() {
        let progress = Arc::new(AtomicU64::new(0));
        let urgent = JobScope {
            priority: Priority::Containing,
            progress: Arc::clone(&progress),
        };
        let seen = in_scope(urgent, async {
            call_ended();
            [
                priority_of(Priority::Ordinary),
                priority_of(Priority::Inventory),
            ]
        })
        .await;
        assert_eq!(seen, [Priority::Containing, Priority::Inventory]);
        assert_eq!(progress.load(Ordering::Relaxed), 1);
        call_ended();
        assert_eq!(priority_of(Priority::Ordinary), Priority::Ordinary);
    }
}
