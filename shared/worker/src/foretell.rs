//! A plan that is only foretold: resolved, inspected and planned, without one write at the provider.

use sever_provider::Connector;
use sever_store::job::{InspectionPurpose, Settlement};

use crate::epoch::{End, Epoch};

impl<C: Connector> Epoch<'_, C> {
    /// Stores what a removal would do. What would stop a removal is part of the answer, not a stop.
    pub(crate) async fn foretell(&mut self) -> Result<Settlement, End> {
        let stopped_by = match self.foresee().await {
            Ok(()) => None,
            Err(End::Settle(Settlement::Held(hold))) => {
                Some(format!("held: {} {}", hold.reason, hold.detail))
            }
            Err(End::Settle(Settlement::Dead(letter))) => Some(letter.reason),
            Err(end) => return Err(end),
        };
        Ok(Settlement::Foretold { stopped_by })
    }

    async fn foresee(&mut self) -> Result<(), End> {
        self.resolve().await?;
        let inspection = self.inspect(InspectionPurpose::Opening).await?;
        let steps = self.planned(&inspection);
        let affected = self.affected(&inspection, steps.len()).await?;
        self.note_inspection(inspection, Vec::new());
        self.store_plan(1, steps, Some(affected)).await?;
        self.refuse_last_sign_in_path(&affected)
    }
}
