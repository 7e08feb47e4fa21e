//! One call to an org: the request, who makes it, and when.

use bytes::Bytes;
use hyper::header::HeaderMap;
use serde::de::DeserializeOwned;

use crate::exchange::Incoming;
use crate::okta::error::{ApiError, Code};

/// A call that a handler answers.
#[derive(Debug)]
pub struct Call {
    /// The HTTP method.
    pub method: String,
    /// The path inside the org, as sent.
    pub path: String,
    /// The query, as sent.
    pub query_text: String,
    /// The query's pairs, decoded.
    pub query: Vec<(String, String)>,
    /// The variable segments of the path, decoded, in order.
    pub arguments: Vec<String>,
    /// All headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The org's address as this caller reached it, without a slash at the end.
    pub base: String,
    /// The moment of the call.
    pub now_ms: i64,
    /// The value of `X-Okta-Request-Id`.
    pub request_id: String,
    /// Who makes it; set once the credential was accepted.
    pub principal: Principal,
}

/// Whose credential a call carries.
#[derive(Debug, Clone, Default)]
pub struct Principal {
    /// The name of the token or the id of the service app.
    pub name: String,
    /// The actor's id in the System Log.
    pub actor_id: String,
    /// The actor's type in the System Log.
    pub actor_kind: &'static str,
    /// The id of the SSWS token.
    pub token_id: Option<String>,
    /// The scopes of an access token; `None`: an SSWS token, which needs none.
    pub scopes: Option<Vec<String>>,
}

impl Call {
    /// The call in `incoming`, whose path inside the org is `path`.
    pub fn new(
        incoming: Incoming,
        path: String,
        base: String,
        arguments: Vec<String>,
        now_ms: i64,
    ) -> Self {
        Self {
            method: incoming.method.as_str().to_owned(),
            path,
            query: incoming.query(),
            query_text: incoming.query_text,
            arguments,
            headers: incoming.headers,
            body: incoming.body,
            base,
            now_ms,
            request_id: String::new(),
            principal: Principal::default(),
        }
    }

    /// The variable segment number `index` of the path.
    pub fn argument(&self, index: usize) -> &str {
        &self.arguments[index]
    }

    /// The first value of query parameter `name`.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The boolean query parameter `name`.
    pub fn flag(&self, name: &str, default: bool) -> Result<bool, ApiError> {
        match self.parameter(name) {
            None => Ok(default),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(_) => Err(ApiError::validation(
                name,
                &format!("{name}: must be true or false"),
            )),
        }
    }

    /// The value of header `name`, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        serde_json::from_slice(&self.body).map_err(|_| Code::Malformed.into())
    }

    /// The absolute address of `path` in this org.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}
