//! Errors as clients see them: RFC 9457 problem details.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use sever_accept::AcceptError;
use sever_store::StoreError;
use sever_telemetry::chain;
use utoipa::ToSchema;
use uuid::Uuid;

/// Seconds after which a client may try again when the database was away.
const RETRY_AFTER_S: u32 = 2;

macro_rules! kinds {
    ($($(#[$meta:meta])* $variant:ident = $status:ident $word:literal $title:literal),+ $(,)?) => {
        /// What is wrong, as far as a client acts on it. Each kind has one `type`, one status and one title.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum ProblemKind { $($(#[$meta])* $variant),+ }

        impl ProblemKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The last part of the `type`, after `urn:sever:problem:`. Stable.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The status that goes with it.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status),+ }
            }

            /// One sentence that is the same for every problem of the kind.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),+ }
            }
        }
    };
}

kinds! {
    /// The body is no JSON, or not of the documented shape.
    MalformedBody = BAD_REQUEST "malformed-body" "The body is not of the documented shape.",
    /// A field, parameter or header has a value that cannot be taken.
    InvalidField = BAD_REQUEST "invalid-field" "A value cannot be taken.",
    /// The `Idempotency-Key` header is missing or no such key.
    IdempotencyKey = BAD_REQUEST "idempotency-key" "The Idempotency-Key header is missing or wrong.",
    /// No token, or none that works.
    Unauthenticated = UNAUTHORIZED "unauthenticated" "A bearer token that works is needed.",
    /// The token lacks a scope.
    MissingScope = FORBIDDEN "missing-scope" "The token lacks a scope.",
    /// The token speaks for no source.
    MissingSource = FORBIDDEN "missing-source" "The token speaks for no source.",
    /// The bearer may not decide on what they asked for themselves.
    SamePerson = FORBIDDEN "same-person" "Another person must decide.",
    /// Nothing has this name or id.
    NotFound = NOT_FOUND "not-found" "There is no such thing.",
    /// The path does not know the method.
    MethodNotAllowed = METHOD_NOT_ALLOWED "method-not-allowed" "The path does not know this method.",
    /// The key was used with another body.
    KeyReused = CONFLICT "idempotency-key-reused" "The idempotency key was used with another body.",
    /// The thing is in a state that does not allow it.
    StateConflict = CONFLICT "state-conflict" "The state does not allow this.",
    /// The integration has no id where it is to be removed.
    NotBound = UNPROCESSABLE_ENTITY "not-bound" "The integration has no id there.",
    /// The body is over the bound.
    BodyTooLarge = PAYLOAD_TOO_LARGE "body-too-large" "The body is too large.",
    /// The body is of a media type that nobody reads here.
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE "unsupported-media-type" "The media type is not supported.",
    /// A fault of the service; the id finds it in the log.
    Internal = INTERNAL_SERVER_ERROR "internal" "The service failed.",
    /// Passing: try again.
    Unavailable = SERVICE_UNAVAILABLE "unavailable" "The service cannot answer now.",
}

/// One problem, on its way to a client.
///
/// The detail is outside text: it never holds a cause, a secret or personal data of somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    kind: ProblemKind,
    detail: String,
    field: Option<String>,
    challenge: Option<String>,
}

/// The JSON of a problem (`application/problem+json`, RFC 9457 section 3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// Which kind of problem; stable, and not to be fetched.
    #[schema(example = "urn:sever:problem:invalid-field")]
    pub r#type: String,
    /// The kind in one sentence.
    #[schema(example = "A value cannot be taken.")]
    pub title: String,
    /// The HTTP status.
    #[schema(example = 400)]
    pub status: u16,
    /// What was wrong this time, and what to do.
    pub detail: String,
    /// The faulty field as a JSON pointer into the body (RFC 6901), or the name of a header or parameter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "/person/external_id")]
    pub field: Option<String>,
}

impl Problem {
    /// A problem of this kind; `detail` says what was wrong this time and what to do.
    #[must_use]
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            field: None,
            challenge: None,
        }
    }

    /// A value that cannot be taken: the field by JSON pointer or parameter name, and what is wrong.
    #[must_use]
    pub fn invalid(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::InvalidField, detail).field(field)
    }

    /// Nothing has this name or id; `what` reads like "an opt-out with this id".
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(ProblemKind::NotFound, format!("there is no {what}"))
    }

    /// Names the faulty field.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Adds a `WWW-Authenticate` challenge (RFC 6750 section 3).
    #[must_use]
    pub(crate) fn challenge(mut self, challenge: impl Into<String>) -> Self {
        self.challenge = Some(challenge.into());
        self
    }

    /// A fault of ours: the cause goes to the log under a fresh id, the client sees the id only.
    #[must_use]
    pub fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        let fault = Uuid::now_v7();
        tracing::error!(%fault, error = chain(error), "a request failed");
        Self::new(
            ProblemKind::Internal,
            format!("the fault is in the service's log under {fault}"),
        )
    }

    /// What kind it is.
    #[must_use]
    pub const fn kind(&self) -> ProblemKind {
        self.kind
    }

    /// Its JSON.
    #[must_use]
    pub fn body(&self) -> ProblemBody {
        ProblemBody {
            r#type: format!("urn:sever:problem:{}", self.kind.word()),
            title: self.kind.title().to_owned(),
            status: self.kind.status().as_u16(),
            detail: self.detail.clone(),
            field: self.field.clone(),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if error.is_transient() {
            tracing::warn!(
                error = chain(&error),
                "a request met an unavailable database"
            );
            Self::new(
                ProblemKind::Unavailable,
                "nothing was changed; send the request again with the same key",
            )
        } else {
            Self::internal(&error)
        }
    }
}

impl From<AcceptError> for Problem {
    fn from(error: AcceptError) -> Self {
        match error {
            AcceptError::Field(fault) if fault.field.is_empty() => {
                Self::new(ProblemKind::MalformedBody, fault.to_string())
            }
            AcceptError::Field(fault) => Self::invalid(fault.field, fault.problem),
            AcceptError::KeyReused { .. } => Self::new(
                ProblemKind::KeyReused,
                "send the body that was accepted under this key, or another key",
            ),
            AcceptError::UnknownPerson { field } => {
                Self::not_found("such person: import people first, or look at the id").field(field)
            }
            AcceptError::UnknownIntegration { .. } => {
                Self::not_found("such integration: apply it first, or look at the name")
                    .field("/integration")
            }
            AcceptError::NotBound { ref connections } => {
                let field = if connections.is_empty() {
                    "/integration"
                } else {
                    "/scope"
                };
                Self::new(ProblemKind::NotBound, error.to_string()).field(field)
            }
            AcceptError::NoConnection | AcceptError::NotJustified(_) => {
                Self::new(ProblemKind::StateConflict, error.to_string())
            }
            AcceptError::Store(error) => error.into(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.kind.status(), Json(self.body())).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.kind == ProblemKind::Unavailable {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_S));
        }
        if let Some(challenge) = self
            .challenge
            .and_then(|text| HeaderValue::try_from(text).ok())
        {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_media_type_and_the_field_are_those_of_rfc_9457() {
        let problem = Problem::invalid("/person/id", "is no UUID");
        assert_eq!(
            serde_json::to_value(problem.body()).unwrap(),
            serde_json::json!({
                "type": "urn:sever:problem:invalid-field", "title": "A value cannot be taken.",
                "status": 400, "detail": "is no UUID", "field": "/person/id",
            })
        );
        let response = problem.into_response();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "application/problem+json"
        );
    }

    #[test]
    fn a_passing_fault_says_when_to_come_back_and_a_lasting_one_hides_its_cause() {
        let away = StoreError::NoConnection {
            doing: "reading",
            source: "postgres://u:hunter2@db".into(),
        };
        let response = Problem::from(away).into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[header::RETRY_AFTER], "2");
        let broken = StoreError::Corrupt {
            column: "state",
            problem: "hunter2".into(),
        };
        let body = Problem::from(broken).body();
        assert_eq!(body.status, 500);
        assert!(!body.detail.contains("hunter2"), "{}", body.detail);
    }

    #[test]
    fn types_are_unique() {
        let mut words: Vec<_> = ProblemKind::ALL.iter().map(|kind| kind.word()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), ProblemKind::ALL.len());
    }
}
