//! Refused access tokens: one is worth another token, two in a row are wrong credentials.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sever_domain::OutcomeClass;

/// The refusals of one client's access tokens since a call was last taken with one. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct TokenRefusals(Arc<AtomicU32>);

impl TokenRefusals {
    /// A call was taken with a token.
    pub fn worked(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// The token in use was refused, and is forgotten: `Retry` with another one where it is the first, `Credentials` where a
    /// freshly minted one was refused too. A token that is not in use any more says nothing, and is not counted.
    pub fn refused(&self) -> OutcomeClass {
        if self.0.fetch_add(1, Ordering::Relaxed) == 0 {
            OutcomeClass::Retry
        } else {
            OutcomeClass::Credentials
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_in_a_row_are_wrong_credentials_and_a_success_between_forgives() {
        let refusals = TokenRefusals::default();
        assert_eq!(refusals.refused(), OutcomeClass::Retry);
        assert_eq!(refusals.clone().refused(), OutcomeClass::Credentials);
        refusals.worked();
        assert_eq!(refusals.refused(), OutcomeClass::Retry);
    }
}
