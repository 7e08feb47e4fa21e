//! Bodies: bounded bytes, and JSON whose faults name the field.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;

use crate::problem::{Problem, ProblemKind};

/// The bytes of a JSON body, at most the frame's bound.
///
/// Media types: `application/json` and everything that ends in `+json` (RFC 6839).
#[derive(Debug, Clone)]
pub struct RawBody(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for RawBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::new(
                ProblemKind::UnsupportedMediaType,
                "send 'Content-Type: application/json'",
            )
            .field("Content-Type"));
        }
        let read = Bytes::from_request(request, state).await;
        read.map(Self).map_err(|rejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                Problem::new(
                    ProblemKind::BodyTooLarge,
                    "the body is over the bound; nothing of it was read",
                )
            } else {
                Problem::new(ProblemKind::MalformedBody, "the body broke off")
            }
        })
    }
}

/// A JSON body of the shape `T`.
#[derive(Debug, Clone)]
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let RawBody(bytes) = RawBody::from_request(request, state).await?;
        parse_json(&bytes).map(Self)
    }
}

/// Reads JSON.
///
/// # Errors
/// A 400 problem whose field is the JSON pointer (RFC 6901) of what is wrong.
pub fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    sever_accept::parse_json(bytes).map_err(|fault| {
        if fault.field.is_empty() {
            Problem::new(ProblemKind::MalformedBody, fault.to_string())
        } else {
            Problem::new(ProblemKind::MalformedBody, fault.problem).field(fault.field)
        }
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(text)) = headers
        .get(header::CONTENT_TYPE)
        .map(|value| value.to_str())
    else {
        return false;
    };
    let essence = text
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[expect(dead_code, reason = "only its parsing is tested")]
        inner: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    struct Inner {
        #[expect(dead_code, reason = "only its parsing is tested")]
        n: u8,
    }

    fn field_of(text: &str) -> Option<String> {
        parse_json::<Outer>(text.as_bytes())
            .unwrap_err()
            .body()
            .field
    }

    #[test]
    fn a_fault_names_its_field_by_pointer() {
        assert_eq!(
            field_of(r#"{"inner":[{"n":1},{"n":300}]}"#).unwrap(),
            "/inner/1/n"
        );
        assert_eq!(field_of(r#"{"inner":[],"other":1}"#).unwrap(), "/other");
        assert_eq!(field_of("{"), None);
        assert_eq!(field_of(r#"{"inner":[]} x"#), None);
    }

    #[test]
    fn json_and_its_relatives_are_read() {
        for (text, expected) in [
            ("application/json", true),
            ("application/cloudevents+json; charset=utf-8", true),
            ("Application/JSON", true),
            ("text/plain", false),
            ("application/x-www-form-urlencoded", false),
        ] {
            let headers: HeaderMap = [(header::CONTENT_TYPE, text.parse().unwrap())]
                .into_iter()
                .collect();
            assert_eq!(is_json(&headers), expected, "{text}");
        }
    }
}
