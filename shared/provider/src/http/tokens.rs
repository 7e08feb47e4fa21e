//! The tokens that this process has leased, by endpoint bucket.

use std::collections::HashMap;
use std::sync::{Mutex as Lock, PoisonError};
use std::time::{Duration, Instant};

use sever_domain::rate::Priority;
use tokio::sync::Mutex;

use super::shared::{HeardWindow, Leased, RateLedger};

/// How long a bucket counts as unbounded before the ledger is asked whether somebody heard of a window meanwhile.
const UNBOUNDED_FOR: Duration = Duration::from_secs(5);

/// The block in hand of one bucket.
#[derive(Debug, Clone, Copy)]
enum Block {
    Tokens { left: u32, ends_at: Instant },
    Unbounded { until: Instant },
}

/// The blocks in hand. The inner lock is held for arithmetic only; the outer one makes one caller lease for all.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    blocks: Lock<HashMap<(&'static str, Priority), Block>>,
    leasing: Mutex<()>,
}

impl Tokens {
    /// Takes one token, from the block in hand or from a new one.
    ///
    /// # Errors
    /// How long to wait where there is none.
    pub(super) async fn take(
        &self,
        ledger: &dyn RateLedger,
        bucket: &'static str,
        priority: Priority,
        heard: impl Fn() -> Option<HeardWindow>,
    ) -> Result<(), Duration> {
        let key = (bucket, priority);
        if self.take_in_hand(key, heard().is_some()) {
            return Ok(());
        }
        let _one_at_a_time = self.leasing.lock().await;
        let heard = heard();
        if self.take_in_hand(key, heard.is_some()) {
            return Ok(());
        }
        let now = Instant::now();
        let block = match ledger.lease(bucket, heard, priority).await {
            // Not known what others do: this process goes by its own count.
            None => return Ok(()),
            Some(Leased::Later(wait)) => return Err(wait),
            Some(Leased::Unbounded) => Block::Unbounded {
                until: now + UNBOUNDED_FOR,
            },
            Some(Leased::Block { tokens, ends_in }) => Block::Tokens {
                left: tokens.saturating_sub(1),
                ends_at: now + ends_in,
            },
        };
        self.blocks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key, block);
        Ok(())
    }

    fn take_in_hand(&self, key: (&'static str, Priority), window_known: bool) -> bool {
        let now = Instant::now();
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        match blocks.get_mut(&key) {
            Some(Block::Tokens { left, ends_at }) if *left > 0 && *ends_at > now => {
                *left -= 1;
                true
            }
            Some(Block::Unbounded { until }) => *until > now && !window_known,
            Some(Block::Tokens { .. }) | None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures::future::BoxFuture;

    use super::*;

    #[derive(Debug, Default)]
    struct Blocks(AtomicU32);

    impl RateLedger for Blocks {
        fn lease<'a>(
            &'a self,
            _bucket: &'static str,
            heard: Option<HeardWindow>,
            _priority: Priority,
        ) -> BoxFuture<'a, Option<Leased>> {
            let asked = self.0.fetch_add(1, Ordering::SeqCst);
            Box::pin(async move {
                tokio::task::yield_now().await;
                let ends_in = Duration::from_secs(60);
                match (heard, asked) {
                    (None, _) => Some(Leased::Unbounded),
                    (Some(_), 0..4) => Some(Leased::Block {
                        tokens: 10,
                        ends_in,
                    }),
                    (Some(_), _) => Some(Leased::Later(ends_in)),
                }
            })
        }

        fn refused<'a>(&'a self, _bucket: &'static str, _wait: Duration) -> BoxFuture<'a, ()> {
            Box::pin(async {})
        }

        fn take_lane<'a>(&'a self, _lease: Duration) -> BoxFuture<'a, bool> {
            Box::pin(async { true })
        }

        fn leave_lane<'a>(&'a self) -> BoxFuture<'a, ()> {
            Box::pin(async {})
        }
    }

    fn window() -> Option<HeardWindow> {
        Some(HeardWindow {
            limit: 100,
            remaining: 100,
            ends_in: Duration::from_secs(60),
            declared: false,
        })
    }

    #[tokio::test]
    async fn many_calls_at_once_lease_one_block_after_the_other() {
        let (tokens, ledger) = (Tokens::default(), Blocks::default());
        let take = || tokens.take(&ledger, "users", Priority::Ordinary, window);
        let taken = futures::future::join_all((0..41).map(|_| take())).await;
        assert_eq!(taken.iter().filter(|one| one.is_ok()).count(), 40);
        assert_eq!(ledger.0.load(Ordering::SeqCst), 5);
    }

    #[tokio::test]
    async fn unbounded_ends_when_a_window_is_heard_of() {
        let (tokens, ledger) = (Tokens::default(), Blocks::default());
        for _ in 0..50 {
            let taken = tokens.take(&ledger, "users", Priority::Ordinary, || None);
            assert_eq!(taken.await, Ok(()));
        }
        assert_eq!(ledger.0.load(Ordering::SeqCst), 1);
        let taken = tokens.take(&ledger, "users", Priority::Ordinary, window);
        assert_eq!(taken.await, Ok(()));
        assert_eq!(ledger.0.load(Ordering::SeqCst), 2);
    }
}
