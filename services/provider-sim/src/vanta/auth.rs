//! Who calls, and whether they may: one live token for each application, scopes by the application's type.

use crate::vanta::call::Call;
use crate::vanta::error::ApiError;
use crate::vanta::state::Tenant;

impl Tenant {
    /// The id of the application whose token `call` carries.
    ///
    /// # Errors
    /// 401 for a token that is missing, unknown, expired or displaced, or whose application was deleted.
    pub fn authenticate(&self, call: &Call) -> Result<String, ApiError> {
        let header = call.header("authorization").unwrap_or_default();
        let secret = header.strip_prefix("Bearer ").unwrap_or_default().trim();
        let token = self
            .tokens
            .get(secret)
            .filter(|token| call.now_ms < token.expires_at)
            .ok_or_else(ApiError::unauthorized)?;
        let known = self.application(&token.client_id).is_some();
        known
            .then(|| token.client_id.clone())
            .ok_or_else(ApiError::unauthorized)
    }

    /// Whether the token of `call` has `scope`.
    ///
    /// # Errors
    /// 403.
    pub fn authorize(&self, call: &Call, scope: &str) -> Result<(), ApiError> {
        let header = call.header("authorization").unwrap_or_default();
        let secret = header.strip_prefix("Bearer ").unwrap_or_default().trim();
        let held = self.tokens.get(secret).map(|token| &token.scopes);
        match held.is_some_and(|held| held.iter().any(|held| held == scope)) {
            true => Ok(()),
            false => Err(ApiError::forbidden()),
        }
    }
}
