//! `/users/{user}/sessions`: ending Okta sessions. No endpoint lists them.

use crate::exchange::Reply;
use crate::okta::call::Call;
use crate::okta::error::{ApiError, Code};
use crate::okta::state::{Org, Status};

/// `DELETE /users/{user}/sessions?oauthTokens=&forgetDevices=`: a repeat is 204 like the first time.
pub fn clear(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let id = org.user_in(call, 0)?;
    let oauth_tokens = call.flag("oauthTokens", false)?;
    let forget_devices = call.flag("forgetDevices", true)?;
    if org.user(&id)?.status() == Status::Deprovisioned {
        match org.settings.unconfirmed.sessions_delete_on_deprovisioned {
            404 => return Err(ApiError::not_found(&id, "User")),
            403 => return Err(Code::WrongUserStatus.into()),
            _ => {}
        }
    }
    let mut changed = org.end_sessions(&id);
    org.log(call, "user.session.clear", vec![org.user_target(&id)]);
    if oauth_tokens && org.revoke_oauth(&id) {
        changed = true;
        org.log(
            call,
            "app.oauth2.token.revoke.implicit.user",
            vec![org.user_target(&id)],
        );
    }
    if forget_devices {
        changed |= std::mem::take(&mut org.user_mut(&id)?.remembered_devices) > 0;
    }
    let reply = Reply::empty(204);
    Ok(if changed { reply } else { reply.unchanged() })
}
