//! Reading accounts one by one: all of an incremental run, and the last part of a full one.

use sever_domain::{OutcomeClass, RunKind};
use sever_provider::{CallError, Connector, InventoryPage};
use sever_store::StoreError;
use sever_store::inventory;

use super::progress::Progress;
use super::read::Reading;
use super::subjects::{self, Subjects};

impl Reading<'_> {
    /// Asks what changed, and reads whom the provider names. Says whether the run goes on as a full one, because what changed cannot be
    /// told.
    pub(super) async fn incremental<C: Connector>(
        &mut self,
        connector: &C,
        progress: &mut Progress,
    ) -> Result<bool, StoreError> {
        if progress.subjects.is_none() {
            let changed = match self.claimed.mark.clone() {
                None => Ok(None),
                Some(mark) => subjects::changed(connector, mark).await,
            };
            match changed {
                Ok(Some(changed)) => {
                    progress.mark = Some(changed.mark);
                    progress.subjects = Some(Subjects::of(changed.accounts));
                }
                Ok(None) => {
                    tracing::info!(run = %self.claimed.lease.run, "what changed cannot be told; everything is read");
                    inventory::become_full(&self.context.store, &self.claimed.lease).await?;
                    self.kind = RunKind::Full;
                    return Ok(true);
                }
                Err(error) => {
                    self.stop(&error).await?;
                    return Ok(false);
                }
            }
        }
        let progress = std::mem::take(progress);
        Box::pin(self.closely(connector, progress)).await?;
        Ok(false)
    }

    /// Reads accounts one by one. Of those that the lists of a full run have shown, only what no list shows is taken.
    pub(super) async fn closely<C: Connector>(
        &mut self,
        connector: &C,
        mut progress: Progress,
    ) -> Result<(), StoreError> {
        let unlisted = connector.read_closely();
        let mut subjects = progress.subjects.take().unwrap_or_default();
        while let Some(id) = subjects.next().map(str::to_owned) {
            if self.must_stop() {
                progress.subjects = Some(subjects);
                return self.drain(&progress).await;
            }
            if self.is_long() {
                progress.subjects = Some(subjects);
                return self.pause(&progress).await;
            }
            // Taken before the answer, so that a sight never seems newer than it is.
            let seen_at = self.clock.now();
            match subjects::read(connector, &id).await {
                Ok(read) => {
                    subjects.note(&read.reading);
                    let listed = self.kind == RunKind::Incremental;
                    let kept = read.kept(seen_at, listed, unlisted);
                    self.batch.readings.push(kept);
                    if listed {
                        let page = InventoryPage {
                            entitlements: read.listed(unlisted),
                            accounts: vec![read.account],
                            ..InventoryPage::default()
                        };
                        self.add(page, seen_at);
                    }
                }
                // One account that cannot be read keeps no others from being read.
                Err(error) if is_the_accounts(&error) => {
                    tracing::warn!(run = %self.claimed.lease.run, error = %error, "an account cannot be read; it is left out");
                    subjects.leave_out();
                }
                Err(error) => {
                    progress.subjects = Some(subjects);
                    self.write(&progress).await?;
                    return self.stop(&error).await;
                }
            }
            if self.is_full() {
                progress.subjects = Some(subjects);
                self.write(&progress).await?;
                subjects = progress.subjects.take().unwrap_or_default();
            }
        }
        progress.subjects = Some(subjects);
        self.write(&progress).await?;
        self.finish(progress, unlisted).await
    }
}

/// Whether an error is about the account that was read, and not about the provider.
const fn is_the_accounts(error: &CallError) -> bool {
    matches!(
        error.class,
        OutcomeClass::NeedsPerson | OutcomeClass::Permanent
    )
}
