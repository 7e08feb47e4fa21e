//! Refusals: of the standard endpoints (RFC 6749 section 5.2), and of the administration API.

use hyper::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use serde_json::json;

use crate::exchange::Reply;

/// A refusal; both kinds of endpoint write `error`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// `error`: a code of the standard, or Keycloak's words.
    pub error: &'static str,
    /// `error_description`.
    pub description: Option<&'static str>,
    /// Seconds in `Retry-After`.
    pub retry_after_s: Option<i64>,
}

impl Refusal {
    /// A refusal in the administration API's words.
    pub const fn new(status: u16, error: &'static str) -> Self {
        Self {
            status,
            error,
            description: None,
            retry_after_s: None,
        }
    }

    /// A refusal of a standard endpoint.
    pub const fn oauth(status: u16, error: &'static str, description: &'static str) -> Self {
        Self {
            description: Some(description),
            ..Self::new(status, error)
        }
    }

    /// 401 `invalid_client`.
    pub const fn invalid_client(description: &'static str) -> Self {
        Self::oauth(401, "invalid_client", description)
    }

    /// The answer.
    pub fn reply(&self) -> Reply {
        let mut body = json!({ "error": self.error });
        if let Some(description) = self.description {
            body["error_description"] = json!(description);
        }
        let reply = Reply::json(self.status, &body).unchanged();
        let reply = match self.retry_after_s {
            Some(seconds) => reply.with_header(RETRY_AFTER, &seconds.to_string()),
            None => reply,
        };
        match self.status {
            401 => reply.with_header(WWW_AUTHENTICATE, "Bearer realm=\"simulated\""),
            _ => reply,
        }
    }
}
