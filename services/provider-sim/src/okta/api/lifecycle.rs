//! `/users/{user}/lifecycle/...` and the deletion of users: the state machine of a user.

use serde_json::json;

use crate::exchange::Reply;
use crate::okta::call::Call;
use crate::okta::error::{ApiError, Code};
use crate::okta::state::{Org, Status, Transition};

/// `POST .../suspend`: only for an active user.
pub fn suspend(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let id = org.user_in(call, 0)?;
    if org.user(&id)?.status() != Status::Active {
        return Err(wrong_state(org, "Cannot suspend a user that is not active"));
    }
    org.suspend(&id, call.now_ms);
    org.log(call, "user.lifecycle.suspend", vec![org.user_target(&id)]);
    Ok(org.bare_200())
}

/// `POST .../unsuspend`: only for a suspended user.
pub fn unsuspend(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let id = org.user_in(call, 0)?;
    if org.user(&id)?.status() != Status::Suspended {
        return Err(wrong_state(
            org,
            "Cannot unsuspend a user that is not suspended",
        ));
    }
    org.set_status(&id, Status::Active, call.now_ms);
    org.log(call, "user.lifecycle.unsuspend", vec![org.user_target(&id)]);
    Ok(org.bare_200())
}

/// `POST .../deactivate`: any status but DEPROVISIONED, which is answered with 404 although the user exists.
pub fn deactivate(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let id = org.user_in(call, 0)?;
    if org.user(&id)?.status() == Status::Deprovisioned {
        return Err(ApiError::not_found(&id, "User"));
    }
    begin_deactivation(org, call, &id);
    Ok(org.bare_200())
}

/// `DELETE /users/{user}`: deactivates at first, deletes the second time.
pub fn delete(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let id = org.user_in(call, 0)?;
    if org.user(&id)?.status() != Status::Deprovisioned {
        begin_deactivation(org, call, &id);
        return Ok(Reply::empty(204));
    }
    let target = org.user_target(&id);
    org.delete_user(&id, call.now_ms);
    org.log(
        call,
        "user.lifecycle.delete.initiated",
        vec![target.clone()],
    );
    org.log(call, "user.lifecycle.delete.completed", vec![target]);
    Ok(Reply::empty(204))
}

/// `POST .../activate`: from STAGED or DEPROVISIONED; without a password the user waits in PROVISIONED.
pub fn activate(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let id = org.user_in(call, 0)?;
    let user = org.user(&id)?;
    if !matches!(user.status(), Status::Staged | Status::Deprovisioned) {
        return Err(Code::AlreadyActive.into());
    }
    let status = if user.core.password_changed.is_some() {
        Status::Active
    } else {
        Status::Provisioned
    };
    org.set_status(&id, status, call.now_ms);
    org.log(call, "user.lifecycle.activate", vec![org.user_target(&id)]);
    Ok(activation(org, call))
}

/// `POST .../reactivate`: sends the welcome anew; not the way back from a deactivation.
pub fn reactivate(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let id = org.user_in(call, 0)?;
    if !matches!(
        org.user(&id)?.status(),
        Status::Provisioned | Status::Recovery
    ) {
        return Err(Code::WrongUserStatus.into());
    }
    org.log(
        call,
        "user.lifecycle.reactivate",
        vec![org.user_target(&id)],
    );
    Ok(activation(org, call))
}

/// `POST .../unlock`: only for a locked user.
pub fn unlock(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let id = org.user_in(call, 0)?;
    if org.user(&id)?.status() != Status::LockedOut {
        return Err(Code::NotLocked.into());
    }
    org.set_status(&id, Status::Active, call.now_ms);
    org.log(call, "user.account.unlock", vec![org.user_target(&id)]);
    Ok(org.bare_200())
}

/// `POST .../expire_password`: only for an active user.
pub fn expire_password(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let id = org.user_in(call, 0)?;
    if org.user(&id)?.status() != Status::Active {
        return Err(Code::WrongUserStatus.into());
    }
    org.set_status(&id, Status::PasswordExpired, call.now_ms);
    org.log(
        call,
        "user.account.expire_password",
        vec![org.user_target(&id)],
    );
    Ok(Reply::json(
        200,
        &super::users::to_json(call, org.user(&id)?),
    ))
}

/// Deactivates now, or after as many reads as the settings or `Prefer: respond-async` want.
fn begin_deactivation(org: &mut Org, call: &Call, id: &str) {
    let asked_async = call
        .header("prefer")
        .is_some_and(|prefer| prefer.contains("respond-async"));
    let polls_left = org.settings.deactivate_polls.max(u32::from(asked_async));
    if polls_left == 0 {
        org.deactivate(id, call.now_ms);
    } else if let Ok(user) = org.user_mut(id) {
        user.transition.get_or_insert(Transition { polls_left });
    }
    org.log(call, "user.lifecycle.deactivate", vec![org.user_target(id)]);
}

fn wrong_state(org: &Org, cause: &str) -> ApiError {
    match org.settings.unconfirmed.suspend_wrong_state {
        403 => Code::WrongUserStatus.into(),
        _ => ApiError::validation("lifecycle", cause),
    }
}

fn activation(org: &mut Org, call: &Call) -> Reply {
    let token = org.request_dice.text(20);
    Reply::json(
        200,
        &json!({ "activationUrl": call.url(&format!("/welcome/{token}")), "activationToken": token }),
    )
}
