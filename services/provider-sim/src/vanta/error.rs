//! Vanta's error answers. The status is documented, the body is not: its shape is a switch.

use serde_json::json;

use crate::exchange::Reply;
use crate::vanta::settings::ErrorBody;

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// What was wrong.
    pub message: String,
    /// The member that was wrong.
    pub field: Option<String>,
}

impl ApiError {
    /// `status` with `message`.
    pub fn new(status: u16, message: &str) -> Self {
        Self {
            status,
            message: message.to_owned(),
            field: None,
        }
    }

    /// 400: `field` is wrong because of `message`.
    pub fn invalid(field: &str, message: &str) -> Self {
        Self {
            field: Some(field.to_owned()),
            ..Self::new(400, message)
        }
    }

    /// 401: the token is missing, unknown, expired or was displaced by a newer one.
    pub fn unauthorized() -> Self {
        Self::new(401, "Unauthorized")
    }

    /// 403: the token lacks a scope.
    pub fn forbidden() -> Self {
        Self::new(403, "Forbidden")
    }

    /// 404: no such `kind`.
    pub fn not_found(kind: &str) -> Self {
        Self::new(404, &format!("{kind} not found"))
    }

    /// 429.
    pub fn too_many() -> Self {
        Self::new(429, "Too many requests")
    }

    /// The answer, in the shape that `body` names.
    pub fn reply(&self, body: ErrorBody) -> Reply {
        let message = &self.message;
        let value = match body {
            ErrorBody::Empty => return Reply::empty(self.status).unchanged(),
            ErrorBody::Message => json!({ "message": message }),
            ErrorBody::Error => json!({ "error": message }),
            ErrorBody::Errors => {
                json!({ "errors": [{ "field": self.field, "message": message }] })
            }
        };
        Reply::json(self.status, &value).unchanged()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_the_same_in_every_shape() {
        let error = ApiError::invalid("endDate", "is not a date");
        for (shape, wanted) in [
            (ErrorBody::Message, r#"{"message":"is not a date"}"#),
            (ErrorBody::Error, r#"{"error":"is not a date"}"#),
            (
                ErrorBody::Errors,
                r#"{"errors":[{"field":"endDate","message":"is not a date"}]}"#,
            ),
            (ErrorBody::Empty, ""),
        ] {
            let reply = error.reply(shape);
            assert_eq!((reply.status, &reply.body[..]), (400, wanted.as_bytes()));
        }
    }
}
