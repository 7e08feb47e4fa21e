//! An answer of the provider, whole and bounded.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde::de::DeserializeOwned;

/// The longest body that is read, decompressed: 8 MiB. A page of 200 users is under 1 MiB.
pub const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// An answer with its body. Any status but 429, which the policy turns into an error.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; may hold personal data, never logged.
    pub body: Vec<u8>,
}

impl Reply {
    /// A header as text, where it is present and readable.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON; unknown fields are the type's to ignore.
    ///
    /// # Errors
    /// The parser's, whose text names a position and a field, never a value of ours.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }
}
