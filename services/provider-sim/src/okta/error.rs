//! Okta's error answers: code, status and body (core API reference, "Errors"; error code list).

use serde_json::{Value, json};

use crate::exchange::Reply;

/// The codes that the simulator answers with. Only the code is a contract; summaries may change at Okta.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// E0000001, 400: validation failed.
    Validation,
    /// E0000003, 400: the body is not well formed.
    Malformed,
    /// E0000006, 403: no permission.
    Forbidden,
    /// E0000007, 404: no such object.
    NotFound,
    /// E0000008, 404: no such path.
    NoSuchPath,
    /// E0000009, 500: internal error.
    Internal,
    /// E0000010, 503: read-only mode.
    ReadOnly,
    /// E0000011, 401: invalid token.
    InvalidToken,
    /// E0000015, 401: the organization lacks a feature.
    FeatureMissing,
    /// E0000016, 403: the user is already active.
    AlreadyActive,
    /// E0000022, 405: the path exists, the method does not.
    WrongMethod,
    /// E0000031, 400: bad search criteria.
    BadSearch,
    /// E0000032, 403: unlock of a user who is not locked.
    NotLocked,
    /// E0000033, 400: search and filter in one request.
    SearchAndFilter,
    /// E0000038, 403: not allowed in the user's current status.
    WrongUserStatus,
    /// E0000046, 403: an application cannot be unassigned while a group grants it.
    GrantedByGroup,
    /// E0000047, 429: too many requests.
    TooManyRequests,
    /// E0000056, 403: deletion of an application is forbidden.
    DeleteAppForbidden,
    /// E0000060, 501: unsupported operation.
    Unsupported,
    /// E0000062, 409: already assigned to the application.
    AlreadyAssigned,
    /// E0000090, 409: role already assigned.
    RoleAlreadyAssigned,
    /// E0000117, 403: applications cannot be assigned to an inactive user.
    InactiveUser,
}

impl Code {
    /// The code as it is written, and the status that goes with it.
    pub fn parts(self) -> (&'static str, u16) {
        match self {
            Self::Validation => ("E0000001", 400),
            Self::Malformed => ("E0000003", 400),
            Self::Forbidden => ("E0000006", 403),
            Self::NotFound => ("E0000007", 404),
            Self::NoSuchPath => ("E0000008", 404),
            Self::Internal => ("E0000009", 500),
            Self::ReadOnly => ("E0000010", 503),
            Self::InvalidToken => ("E0000011", 401),
            Self::FeatureMissing => ("E0000015", 401),
            Self::AlreadyActive => ("E0000016", 403),
            Self::WrongMethod => ("E0000022", 405),
            Self::BadSearch => ("E0000031", 400),
            Self::NotLocked => ("E0000032", 403),
            Self::SearchAndFilter => ("E0000033", 400),
            Self::WrongUserStatus => ("E0000038", 403),
            Self::GrantedByGroup => ("E0000046", 403),
            Self::TooManyRequests => ("E0000047", 429),
            Self::DeleteAppForbidden => ("E0000056", 403),
            Self::Unsupported => ("E0000060", 501),
            Self::AlreadyAssigned => ("E0000062", 409),
            Self::RoleAlreadyAssigned => ("E0000090", 409),
            Self::InactiveUser => ("E0000117", 403),
        }
    }

    fn summary(self) -> &'static str {
        match self {
            Self::Validation => "Api validation failed",
            Self::Malformed => "The request body was not well-formed.",
            Self::Forbidden => "You do not have permission to perform the requested action",
            Self::NotFound => "Not found: Resource not found",
            Self::NoSuchPath => "The requested path was not found",
            Self::Internal => "Internal Server Error",
            Self::ReadOnly => "Service is in read only mode",
            Self::InvalidToken => "Invalid token provided",
            Self::FeatureMissing => {
                "You do not have permission to access the feature you are requesting"
            }
            Self::AlreadyActive => "Activation failed because the user is already active",
            Self::WrongMethod => "The endpoint does not support the provided HTTP method",
            Self::BadSearch => "Invalid search criteria.",
            Self::NotLocked => "Unlock is not allowed for this user.",
            Self::SearchAndFilter => {
                "Invalid Search Criteria: only one of search and filter may be given."
            }
            Self::WrongUserStatus => "This operation is not allowed in the user's current status.",
            Self::GrantedByGroup => {
                "This application cannot be unassigned while a group grants it."
            }
            Self::TooManyRequests => "API call exceeded rate limit due to too many requests.",
            Self::DeleteAppForbidden => "Delete application forbidden.",
            Self::Unsupported => "Unsupported operation.",
            Self::AlreadyAssigned => "The user is already assigned to the application.",
            Self::RoleAlreadyAssigned => "The role specified is already assigned to the user.",
            Self::InactiveUser => "Applications cannot be assigned to an inactive user.",
        }
    }
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// Which one.
    pub code: Code,
    /// Replaces the summary that goes with the code.
    pub summary: Option<String>,
    /// What `errorCauses` lists.
    pub causes: Vec<String>,
}

impl ApiError {
    /// `code` with its own summary and no causes.
    pub fn new(code: Code) -> Self {
        Self {
            code,
            summary: None,
            causes: Vec::new(),
        }
    }

    /// Nothing of type `kind` has this `id`.
    pub fn not_found(id: &str, kind: &str) -> Self {
        Self {
            summary: Some(format!("Not found: Resource not found: {id} ({kind})")),
            ..Self::new(Code::NotFound)
        }
    }

    /// Validation of `what` failed because of `cause`.
    pub fn validation(what: &str, cause: &str) -> Self {
        Self {
            code: Code::Validation,
            summary: Some(format!("Api validation failed: {what}")),
            causes: vec![cause.to_owned()],
        }
    }

    /// `code`, with `cause` listed.
    pub fn because(code: Code, cause: &str) -> Self {
        Self {
            causes: vec![cause.to_owned()],
            ..Self::new(code)
        }
    }

    /// The answer. `causes_as_object` gives the shape that some documented examples have.
    pub fn reply(&self, error_id: &str, causes_as_object: bool) -> Reply {
        let (code, status) = self.code.parts();
        let causes: Vec<Value> = self
            .causes
            .iter()
            .map(|cause| json!({ "errorSummary": cause }))
            .collect();
        let causes = match causes.first() {
            Some(first) if causes_as_object => first.clone(),
            _ => Value::Array(causes),
        };
        let body = json!({
            "errorCode": code,
            "errorSummary": self.summary.as_deref().unwrap_or_else(|| self.code.summary()),
            "errorLink": code,
            "errorId": error_id,
            "errorCauses": causes,
        });
        Reply::json(status, &body).unchanged()
    }
}

impl From<Code> for ApiError {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_has_the_documented_members() {
        let error = ApiError::validation("suspend", "The user is not active.");
        let body: Value = serde_json::from_slice(&error.reply("oaeX", false).body).unwrap();
        assert_eq!(
            body,
            json!({
                "errorCode": "E0000001", "errorSummary": "Api validation failed: suspend", "errorLink": "E0000001",
                "errorId": "oaeX", "errorCauses": [{ "errorSummary": "The user is not active." }],
            })
        );
        let body: Value = serde_json::from_slice(&error.reply("oaeX", true).body).unwrap();
        assert_eq!(
            body["errorCauses"],
            json!({ "errorSummary": "The user is not active." })
        );
    }
}
