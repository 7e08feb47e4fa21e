//! What the endpoints do, one family in each file.

pub mod app_roles;
pub mod applications;
pub mod audits;
pub mod azure;
pub mod azure_pim;
pub mod credentials;
pub mod deleted;
pub mod delta;
pub mod devices;
pub mod grants;
pub mod groups;
pub mod licences;
pub mod members;
pub mod methods;
pub mod owners;
pub mod pim;
pub mod pim_groups;
pub mod roles;
pub mod service_principals;
pub mod users;

use serde_json::{Map, Value};

use crate::entra::error::ApiError;

/// A member of a body that must be text.
fn wanted<'a>(body: &'a Map<String, Value>, name: &str) -> Result<&'a str, ApiError> {
    body.get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| {
            ApiError::bad_request(&format!("A value is required for property '{name}'."))
        })
}
