//! Readings that agree. Replicas show a change late and in any order, so that one reading proves nothing: as many
//! consecutive ones as the connection asks for must be equal. Advanced queries, whose index lags by itself, are never asked.

use sever_domain::OutcomeClass;
use sever_domain::entitlement::{AccountReading, FamilyResult};
use sever_provider::CallError;
use std::time::Duration;

use crate::options::Agreement;
use crate::service::inconsistent;

/// Readings are given up after this many times as many as must agree: replicas that quarrel for longer are asked later.
const PATIENCE: u32 = 4;
/// How soon a quarrel is looked at again.
const QUARREL_WAIT: Duration = Duration::from_secs(5);

/// Reads until enough consecutive readings are equal. A reading with a gap is handed on at once: it proves nothing anyway.
///
/// # Errors
/// As the reading; class `Wait` where replicas do not come to an agreement.
pub async fn read<F: Future<Output = Result<AccountReading, CallError>>>(
    agreement: Agreement,
    mut read: impl FnMut() -> F,
) -> Result<AccountReading, CallError> {
    let mut last = read().await?;
    let mut equal = 1;
    for _ in 1..agreement.reads.saturating_mul(PATIENCE) {
        if equal >= agreement.reads || has_gap(&last) {
            return Ok(last);
        }
        tokio::time::sleep(agreement.pause).await;
        let next = read().await?;
        equal = if next == last { equal + 1 } else { 1 };
        last = next;
    }
    if equal >= agreement.reads {
        return Ok(last);
    }
    Err(CallError {
        class: OutcomeClass::Wait,
        retry_after: Some(QUARREL_WAIT),
        ..inconsistent(
            "reading the account",
            "replicas show different states of it",
        )
    })
}

fn has_gap(reading: &AccountReading) -> bool {
    reading
        .families
        .iter()
        .any(|family| family.result == FamilyResult::Failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sever_domain::AccountState;
    use std::cell::Cell;

    fn reading(state: AccountState) -> AccountReading {
        AccountReading {
            account_state: state,
            provider_state: state.to_string(),
            families: Vec::new(),
        }
    }

    /// How many reads it took, and what was believed; `states` repeats at its end.
    async fn believed(
        reads: u32,
        states: &[AccountState],
    ) -> (usize, Result<AccountState, OutcomeClass>) {
        let agreement = Agreement {
            reads,
            pause: Duration::ZERO,
        };
        let taken = Cell::new(0);
        let result = read(agreement, || {
            let at = taken.replace(taken.get() + 1);
            let state = states[at % states.len()];
            async move { Ok(reading(state)) }
        })
        .await;
        let result = result.map(|reading| reading.account_state);
        (taken.get(), result.map_err(|error| error.class))
    }

    #[tokio::test]
    async fn consecutive_readings_must_agree() {
        use AccountState::{Contained, Live};
        assert_eq!(believed(1, &[Live]).await, (1, Ok(Live)));
        assert_eq!(believed(3, &[Contained]).await, (3, Ok(Contained)));
        let late = [
            Live, Contained, Live, Contained, Contained, Contained, Contained,
        ];
        assert_eq!(believed(3, &late).await, (6, Ok(Contained)));
        assert_eq!(
            believed(2, &[Live, Contained]).await,
            (8, Err(OutcomeClass::Wait))
        );
    }
}
