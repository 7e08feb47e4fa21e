//! Error answers (RFC 7644 section 3.12), in the shapes in which they are met.

use hyper::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use serde_json::json;

use super::settings::{ErrorStyle, Settings};
use crate::exchange::Reply;

const SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// `scimType`, table 9.
    pub scim_type: Option<&'static str>,
    /// `detail`.
    pub detail: String,
    /// Seconds in `Retry-After`.
    pub retry_after_s: Option<i64>,
}

impl Refusal {
    /// A refusal with `status` and no `scimType`.
    pub fn new(status: u16, detail: impl Into<String>) -> Self {
        Self {
            status,
            scim_type: None,
            detail: detail.into(),
            retry_after_s: None,
        }
    }

    /// 400 with `scim_type`.
    pub fn bad(scim_type: &'static str, detail: impl Into<String>) -> Self {
        Self {
            scim_type: Some(scim_type),
            ..Self::new(400, detail)
        }
    }

    /// 404 of a resource.
    pub fn not_found(id: &str) -> Self {
        Self::new(404, format!("Resource {id} not found"))
    }

    /// The answer, as `settings` have it.
    pub fn reply(&self, settings: &Settings) -> Reply {
        let status = self.status;
        let body = match settings.error_style {
            ErrorStyle::StringStatus => json!({ "status": status.to_string() }),
            ErrorStyle::NumberStatus => json!({ "status": status }),
            ErrorStyle::Scim1 => {
                let error = json!({ "code": status.to_string(), "description": self.detail });
                return self.headed(Reply::json(status, &json!({ "Errors": [error] })));
            }
            ErrorStyle::Html => {
                let page = format!("<html><body><h1>{status}</h1></body></html>");
                let mut reply = Reply::empty(status).with_header(CONTENT_TYPE, "text/html");
                reply.body = page.into();
                return self.headed(reply);
            }
        };
        let mut body = body;
        body["schemas"] = json!([SCHEMA]);
        body["detail"] = json!(self.detail);
        if let Some(scim_type) = self.scim_type {
            body["scimType"] = json!(scim_type);
        }
        self.headed(Reply::json(status, &body))
    }

    fn headed(&self, reply: Reply) -> Reply {
        let reply = match self.retry_after_s {
            Some(seconds) => reply.with_header(RETRY_AFTER, &seconds.to_string()),
            None => reply,
        };
        match self.status {
            401 => reply.with_header(WWW_AUTHENTICATE, "Bearer"),
            _ => reply,
        }
        .unchanged()
    }
}
