//! How long the database may be silent.
//!
//! PostgreSQL ends a statement at its own timeout and says so. A connection whose peer is gone without a word, or whose
//! way is half open, says nothing: the kernel acknowledges what is sent and no answer comes. So every statement has a
//! deadline of its own, a little above the server's, and a connection that was silent is never used again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::error::StoreError;

/// What the way to the server and back may add to the server's own timeout.
const WAY: Duration = Duration::from_secs(2);

/// A statement that was given up by its caller after this long leaves a connection that may be silent.
const SUSPECT_AFTER: Duration = Duration::from_secs(1);

/// The deadline of statements, and whether one of this connection went unanswered. Clones share the latter.
#[derive(Debug, Clone)]
pub(crate) struct Patience {
    limit: Duration,
    silent: Arc<AtomicBool>,
}

impl Patience {
    /// For a connection on which the server ends statements after `statement_timeout`.
    pub(crate) fn beyond(statement_timeout: Duration) -> Self {
        Self {
            limit: statement_timeout + WAY,
            silent: Arc::new(AtomicBool::new(false)),
        }
    }

    /// The same deadline for another connection.
    pub(crate) fn afresh(&self) -> Self {
        Self {
            limit: self.limit,
            silent: Arc::new(AtomicBool::new(false)),
        }
    }

    /// More or less of it for the same connection, after the server's own timeout was changed to this.
    pub(crate) fn changed_to(&self, statement_timeout: Duration) -> Self {
        Self {
            limit: statement_timeout + WAY,
            silent: Arc::clone(&self.silent),
        }
    }

    /// Whether a statement went unanswered: the connection must not be used again.
    pub(crate) fn is_over(&self) -> bool {
        self.silent.load(Ordering::Relaxed)
    }

    /// Waits for an answer. A caller who gives up after a while spoils the connection as the deadline does.
    ///
    /// # Errors
    /// [`StoreError::Silent`], or the statement's own.
    pub(crate) fn answer<'a, T: 'a>(
        &'a self,
        doing: &'static str,
        call: impl Future<Output = Result<T, tokio_postgres::Error>> + 'a,
    ) -> impl Future<Output = Result<T, StoreError>> + 'a {
        // On the heap, so that a transaction of many statements stays a small future.
        let call = Box::pin(call);
        async move {
            let mut unanswered = Unanswered {
                since: Instant::now(),
                silent: Some(&self.silent),
            };
            match tokio::time::timeout(self.limit, call).await {
                Ok(answer) => {
                    unanswered.silent = None;
                    answer.map_err(StoreError::statement(doing))
                }
                Err(_) => Err(StoreError::Silent {
                    doing,
                    within: self.limit,
                }),
            }
        }
    }
}

/// A statement under way; dropped before its answer, it says how long it had waited.
struct Unanswered<'a> {
    since: Instant,
    silent: Option<&'a AtomicBool>,
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        if let Some(silent) = self.silent
            && self.since.elapsed() >= SUSPECT_AFTER
        {
            silent.store(true, Ordering::Relaxed);
        }
    }
}
