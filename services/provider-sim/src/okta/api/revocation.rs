//! Global token revocation, known as universal logout.

use serde_json::Value;

use crate::exchange::Reply;
use crate::okta::call::Call;
use crate::okta::error::{ApiError, Code};
use crate::okta::state::Org;

/// `POST /oauth2/v1/global-token-revocation`: sessions, OAuth tokens and SSWS tokens of one user.
pub fn revoke_everything(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    match org.settings.unconfirmed.global_token_revocation {
        400 => {
            return Err(ApiError::validation(
                "sub_id",
                "Universal Logout is not available in this org",
            ));
        }
        403 => return Err(Code::Forbidden.into()),
        _ => {}
    }
    let body: Value = call.json()?;
    let subject = &body["sub_id"];
    let name = match subject["format"].as_str() {
        Some("opaque") => subject["id"].as_str(),
        Some("iss_sub") if subject["iss"].as_str() == Some(call.base.as_str()) => {
            subject["sub"].as_str()
        }
        _ => None,
    };
    let name = name.ok_or_else(|| {
        ApiError::validation(
            "sub_id",
            "sub_id: opaque with id, or iss_sub with iss and sub",
        )
    })?;
    let id = org
        .find_user(name)
        .ok_or_else(|| ApiError::not_found(name, "User"))?;
    let changed = [
        org.end_sessions(&id),
        org.revoke_oauth(&id),
        org.drop_api_tokens(&id),
    ]
    .contains(&true);
    org.log(
        call,
        "user.authentication.universal_logout",
        vec![org.user_target(&id)],
    );
    Ok(if changed {
        Reply::empty(204)
    } else {
        Reply::empty(204).unchanged()
    })
}
