//! One call to a tenant: the request, who makes it, and when.

use bytes::Bytes;
use hyper::header::HeaderMap;
use serde::de::DeserializeOwned;

use crate::exchange::Incoming;
use crate::vanta::error::ApiError;

/// A call that a handler answers.
#[derive(Debug)]
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
    /// The moment of the call.
    pub now_ms: i64,
    /// The id in the journal; Vanta documents no such header, so none is sent.
    pub request_id: String,
    /// The application that calls; set once its token was accepted.
    pub client_id: Option<String>,
}

impl Call {
    /// The call in `incoming`, whose path inside the tenant is `path`.
    pub fn new(incoming: Incoming, path: String, arguments: Vec<String>, now_ms: i64) -> Self {
        Self {
            method: incoming.method.as_str().to_owned(),
            path,
            query: incoming.query(),
            query_text: incoming.query_text,
            arguments,
            headers: incoming.headers,
            body: incoming.body,
            now_ms,
            request_id: String::new(),
            client_id: None,
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

    /// Every value of query parameter `name`, with or without brackets after it.
    pub fn parameters(&self, name: &str) -> Vec<&str> {
        let named = |key: &str| key == name || key.strip_suffix("[]") == Some(name);
        self.query
            .iter()
            .filter(|(key, _)| named(key))
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// The value of header `name`, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        serde_json::from_slice(&self.body)
            .map_err(|error| ApiError::invalid("body", &error.to_string()))
    }
}
