//! What came in over HTTP, and what goes out, without the HTTP library's types in every handler.

use bytes::Bytes;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::form_urlencoded;

/// A request whose body has been read.
#[derive(Debug)]
pub struct Incoming {
    /// The HTTP method.
    pub method: Method,
    /// The path as sent, percent-encoding included.
    pub path: String,
    /// The query as sent, without the question mark.
    pub query_text: String,
    /// All headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Incoming {
    /// The path's segments, percent-decoded.
    pub fn segments(&self) -> Vec<String> {
        self.path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(percent_decoded)
            .collect()
    }

    /// The query's pairs, decoded, in order.
    pub fn query(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(self.query_text.as_bytes())
            .into_owned()
            .collect()
    }

    /// The value of header `name`, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body read as JSON; the error says where and what.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, String> {
        let bytes: &[u8] = if self.body.is_empty() {
            b"{}"
        } else {
            &self.body
        };
        serde_json::from_slice(bytes)
            .map_err(|error| format!("reading the body of {}: {error}", self.path))
    }
}

/// An answer: status, headers and a complete body.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status line's code.
    pub status: u16,
    /// Extra headers; one with the same name may appear several times.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body; JSON unless a header says otherwise.
    pub body: Bytes,
    /// False where the call was accepted but altered nothing.
    pub changed: bool,
}

impl Reply {
    /// An answer without a body.
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Bytes::new(),
            changed: true,
        }
    }

    /// An answer with `value` as its JSON body.
    pub fn json(status: u16, value: &impl Serialize) -> Self {
        let body = serde_json::to_vec(value).expect("answers are plain data with text keys");
        Self {
            body: Bytes::from(body),
            ..Self::empty(status)
        }
    }

    /// The same answer, marked as having altered nothing.
    pub fn unchanged(mut self) -> Self {
        self.changed = false;
        self
    }

    /// Adds a header; a value that HTTP cannot carry is left out.
    pub fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// The status as the HTTP library wants it; 500 for a number that is no status.
    pub fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// What becomes of a request.
#[derive(Debug)]
pub enum Outcome {
    /// It is answered, with the body sent as `pace` says.
    Answer(Reply, crate::pace::Pace),
    /// The connection is closed with a TCP reset and no answer.
    Cut,
}

impl From<Reply> for Outcome {
    fn from(reply: Reply) -> Self {
        Self::Answer(reply, crate::pace::Pace::AtOnce)
    }
}

/// RFC 3986 section 2.1; a `%` that starts no valid triplet stays as it is.
pub fn percent_decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let triplet = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match triplet.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_segments_are_decoded_and_a_broken_triplet_survives() {
        for (sent, wanted) in [
            ("jan%40example.com", "jan@example.com"),
            ("a+b", "a+b"),
            ("50%", "50%"),
            ("%zz", "%zz"),
            ("%2F", "/"),
        ] {
            assert_eq!(percent_decoded(sent), wanted);
        }
    }
}
