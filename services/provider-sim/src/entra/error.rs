//! Error answers of Graph and of Azure Resource Manager.

use hyper::header::RETRY_AFTER;
use serde_json::json;

use crate::clock::iso;
use crate::entra::call::Call;
use crate::entra::settings::Settings;
use crate::exchange::Reply;

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// `error.code`.
    pub code: &'static str,
    /// `error.message`.
    pub message: String,
    /// `Retry-After`, as it is written.
    pub retry_after: Option<String>,
}

/// What Graph says of an object whose master is a local directory.
const ON_PREMISES: &str = "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration.";

impl ApiError {
    /// A refusal with this status, code and message.
    pub fn new(status: u16, code: &'static str, message: &str) -> Self {
        Self {
            status,
            code,
            message: message.to_owned(),
            retry_after: None,
        }
    }

    /// 404: `id` does not exist, or what was asked of it does not.
    pub fn not_found(id: &str) -> Self {
        let message = format!(
            "Resource '{id}' does not exist or one of its queried reference-property objects are not present."
        );
        Self::new(404, "Request_ResourceNotFound", &message)
    }

    /// 400 with this message.
    pub fn bad_request(message: &str) -> Self {
        Self::new(400, "Request_BadRequest", message)
    }

    /// 403.
    pub fn denied() -> Self {
        let message = "Insufficient privileges to complete the operation.";
        Self::new(403, "Authorization_RequestDenied", message)
    }

    /// 401 of Graph.
    pub fn invalid_token(message: &str) -> Self {
        Self::new(401, "InvalidAuthenticationToken", message)
    }

    /// 400: the master is a local directory.
    pub fn on_premises() -> Self {
        Self::bad_request(ON_PREMISES)
    }

    /// 400: an advanced query without its header.
    pub fn unsupported_query() -> Self {
        let message = "Unsupported or invalid query filter clause specified for property. Advanced query capabilities need the ConsistencyLevel header and $count=true.";
        Self::new(400, "Request_UnsupportedQuery", message)
    }

    /// The answer to `call`.
    pub fn reply(&self, settings: &Settings, call: &Call) -> Reply {
        let body = if call.path.starts_with("/arm") {
            json!({ "error": { "code": self.code, "message": self.message } })
        } else {
            let inner = json!({
                "date": iso(call.now_ms),
                "request-id": call.request_id,
                "client-request-id": call.header("client-request-id").unwrap_or(&call.request_id),
            });
            let mut error = json!({ "code": self.code, "message": self.message });
            error[settings.unconfirmed.inner_error.as_str()] = inner;
            json!({ "error": error })
        };
        let reply = Reply::json(self.status, &body).unchanged();
        match &self.retry_after {
            Some(seconds) => reply.with_header(RETRY_AFTER, seconds),
            None => reply,
        }
    }
}
