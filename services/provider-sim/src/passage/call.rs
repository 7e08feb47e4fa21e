//! One call: the request, who makes it, and when.

use bytes::Bytes;
use hyper::header::HeaderMap;
use url::form_urlencoded;

use crate::exchange::Incoming;

/// A call that a handler answers.
#[derive(Debug)]
pub struct Call {
    /// The HTTP method.
    pub method: String,
    /// The path inside the instance, as sent.
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
    /// The instance's address as this caller reached it, without a slash at the end.
    pub base: String,
    /// The moment of the call, in milliseconds since the Unix epoch.
    pub now_ms: i64,
    /// The provider's id of the exchange.
    pub request_id: String,
    /// The name of the credential; empty until one was accepted.
    pub principal: String,
}

impl Call {
    /// The call in `incoming`, whose path inside the instance is `path`.
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
            principal: String::new(),
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

    /// The value of header `name`, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The secret of an `Authorization: Bearer` header (RFC 6750 section 2.1).
    pub fn bearer(&self) -> Option<&str> {
        let (scheme, secret) = self.header("authorization")?.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then_some(secret.trim())
    }

    /// The body's pairs, where it is a form.
    pub fn form(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(&self.body).into_owned().collect()
    }
}
