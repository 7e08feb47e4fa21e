//! One call to a tenant: the request, who makes it, and when.

use bytes::Bytes;
use hyper::header::HeaderMap;
use serde_json::Value;
use url::form_urlencoded;

use crate::entra::error::ApiError;
use crate::exchange::Incoming;

/// A call that a handler answers.
#[derive(Debug, Clone)]
pub struct Call {
    /// The HTTP method.
    pub method: String,
    /// The path inside the tenant, as sent.
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
    /// The tenant's address as this caller reached it, without a slash at the end.
    pub base: String,
    /// The moment of the call.
    pub now_ms: i64,
    /// The value of `request-id`.
    pub request_id: String,
    /// Who makes it; set once the token was accepted.
    pub principal: Principal,
}

/// Whose token a call carries.
#[derive(Debug, Clone, Default)]
pub struct Principal {
    /// The application's name, for the journal.
    pub name: String,
    /// Its service principal's id.
    pub object_id: String,
    /// Its permissions; `None`: all.
    pub permissions: Option<Vec<String>>,
    /// The directory roles that it holds.
    pub directory_roles: Vec<String>,
    /// It may work on Azure role assignments.
    pub azure: bool,
}

impl Call {
    /// The call in `incoming`, whose path inside the tenant is `path`.
    pub fn new(incoming: Incoming, path: String, base: String, now_ms: i64) -> Self {
        Self {
            method: incoming.method.as_str().to_owned(),
            path,
            query: incoming.query(),
            query_text: incoming.query_text,
            arguments: Vec::new(),
            headers: incoming.headers,
            body: incoming.body,
            base,
            now_ms,
            request_id: String::new(),
            principal: Principal::default(),
        }
    }

    /// A call inside this one, a batch: `url` is relative to the version.
    pub fn inner(&self, method: &str, url: &str, headers: HeaderMap, body: Bytes) -> Self {
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        Self {
            method: method.to_owned(),
            path: format!("/graph/v1.0/{}", path.trim_start_matches('/')),
            query: form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
            query_text: query.to_owned(),
            arguments: Vec::new(),
            headers,
            body,
            base: self.base.clone(),
            now_ms: self.now_ms,
            request_id: String::new(),
            principal: Principal::default(),
        }
    }

    /// The variable segment number `index` of the path.
    pub fn argument(&self, index: usize) -> &str {
        self.arguments.get(index).map_or("", String::as_str)
    }

    /// The first value of query parameter `name`.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The value of header `name`, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Whether it is an advanced query, answered from the index.
    pub fn is_eventual(&self) -> bool {
        self.header("consistencylevel")
            .is_some_and(|level| level.eq_ignore_ascii_case("eventual"))
    }

    /// The body as a JSON object.
    pub fn json(&self) -> Result<serde_json::Map<String, Value>, ApiError> {
        let is_json = self
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("application/json"));
        if !self.body.is_empty() && !is_json {
            return Err(ApiError::bad_request(
                "Write requests (excluding DELETE) must contain the Content-Type header declaration.",
            ));
        }
        serde_json::from_slice(&self.body).map_err(|_| {
            ApiError::new(
                400,
                "BadRequest",
                "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.",
            )
        })
    }

    /// The absolute address of `path` in this tenant.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// What `@odata.context` says of `what`.
    pub fn context(&self, what: &str) -> String {
        format!("{}/graph/v1.0/$metadata#{what}", self.base)
    }
}
