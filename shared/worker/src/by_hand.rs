//! A dead job that a person says was done by hand: everything is read again, and nothing is written at the provider.

use serde_json::{Value, json};
use sever_domain::closing::{Closing, Verdict, verdict};
use sever_provider::Connector;
use sever_store::job::{DeadLetter, Settlement};

use crate::epoch::{End, Epoch};

impl<C: Connector> Epoch<'_, C> {
    /// Decides by a closing inspection. Whatever would need a person keeps the job dead, and says what was seen.
    pub(crate) async fn look_only(&mut self) -> Result<Settlement, End> {
        let settlement = match self.looked().await {
            Ok(settlement) | Err(End::Settle(settlement)) => settlement,
            Err(end) => return Err(end),
        };
        Ok(match settlement {
            Settlement::Held(hold) => self.stays_dead(format!(
                "a person must look: {} {}",
                hold.reason, hold.detail
            )),
            Settlement::StoppedByHold => self.stays_dead("a hold stops it".to_owned()),
            other => other,
        })
    }

    async fn looked(&mut self) -> Result<Settlement, End> {
        self.resolve().await?;
        if let Some(wait) = self.too_early() {
            return Ok(wait);
        }
        let (_, closings) = self.judged_at_the_end().await?;
        Ok(match verdict(&closings) {
            Verdict::NothingLive => Settlement::Done,
            Verdict::Unread => self.unread(&closings),
            Verdict::Live | Verdict::NeedsPerson => self.stays_dead(remaining(&closings)),
            Verdict::Asked => self.stays_dead("tasks of it are not confirmed yet".to_owned()),
        })
    }

    /// The letter stands already: the fingerprint counts only where it does not.
    fn stays_dead(&self, finding: String) -> Settlement {
        Settlement::Dead(DeadLetter {
            fingerprint: format!("{}:resolve:permanent:still_live", self.claimed.provider),
            reason: finding,
        })
    }
}

/// What is live or refused, by kind and provider's key, and what no read shows and no rule covers.
fn remaining(closings: &[Closing]) -> String {
    let there: Vec<_> = closings
        .iter()
        .flat_map(|closing| closing.live.iter().chain(&closing.blocked))
        .map(|remaining| json!([remaining.kind, remaining.provider_key]))
        .collect();
    let unproven: Vec<_> = closings
        .iter()
        .flat_map(|closing| &closing.unproven)
        .map(|unproven| json!([unproven.family, unproven.result, unproven.detail]))
        .collect();
    let parts = [("still there", there), ("not proven", unproven)];
    let said: Vec<String> = parts
        .into_iter()
        .filter(|(_, list)| !list.is_empty())
        .map(|(what, list)| format!("{what}: {}", Value::Array(list)))
        .collect();
    said.join("; ")
}
