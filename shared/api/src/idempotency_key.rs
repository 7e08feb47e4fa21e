//! The `Idempotency-Key` header.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::problem::{Problem, ProblemKind};

const HEADER: &str = "idempotency-key";

/// The longest key, in bytes.
const KEY_BYTES_MAX: usize = 255;

/// The key by which a repeated request is known: 1 to 255 visible ASCII characters, chosen by the
/// client. As an extractor it is required.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Takes a key.
    ///
    /// # Errors
    /// A 400 problem when it is empty, too long, or has other than visible ASCII characters.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let usable = (1..=KEY_BYTES_MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        if usable {
            Ok(Self(text.to_owned()))
        } else {
            Err(wrong("must be 1 to 255 visible ASCII characters"))
        }
    }

    /// The key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all(HEADER).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => Self::parse(value.to_str().unwrap_or_default()),
            (None, _) => Err(wrong(
                "is missing; send one key per request, and the same when you repeat it",
            )),
            (Some(_), Some(_)) => Err(wrong("was sent twice")),
        }
    }
}

fn wrong(detail: &str) -> Problem {
    Problem::new(ProblemKind::IdempotencyKey, detail).field("Idempotency-Key")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_bounded_and_visible() {
        assert_eq!(
            IdempotencyKey::parse("a-1/ü").unwrap_err().body().status,
            400
        );
        assert!(IdempotencyKey::parse("").is_err() && IdempotencyKey::parse("a b").is_err());
        assert!(IdempotencyKey::parse(&"k".repeat(255)).is_ok());
        assert!(IdempotencyKey::parse(&"k".repeat(256)).is_err());
    }
}
