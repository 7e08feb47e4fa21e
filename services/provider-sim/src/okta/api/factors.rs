//! Enrolled factors of a user.

use serde_json::{Value, json};

use crate::exchange::Reply;
use crate::okta::call::Call;
use crate::okta::error::{ApiError, Code};
use crate::okta::page::whole;
use crate::okta::state::{Factor, Org, Status};

/// `GET /users/{user}/factors`.
pub fn list(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let user = org.user(&org.user_in(call, 0)?)?;
    let items: Vec<Value> = user.factors.values().map(to_json).collect();
    Ok(whole(call, &items))
}

/// `GET /users/{user}/factors/{factor}`.
pub fn get(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let user = org.user(&org.user_in(call, 0)?)?;
    let factor = user.factors.get(call.argument(1));
    let factor = factor.ok_or_else(|| ApiError::not_found(call.argument(1), "UserFactor"))?;
    Ok(Reply::json(200, &to_json(factor)))
}

/// `DELETE /users/{user}/factors/{factor}`: 404 for what is not enrolled.
pub fn unenroll(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let user = org.user_in(call, 0)?;
    let removed = org.user_mut(&user)?.factors.remove(call.argument(1));
    removed.ok_or_else(|| ApiError::not_found(call.argument(1), "UserFactor"))?;
    org.log(
        call,
        "user.mfa.factor.deactivate",
        vec![org.user_target(&user)],
    );
    Ok(Reply::empty(204))
}

/// `POST /users/{user}/lifecycle/reset_factors`: all at once; the status stays.
pub fn reset(org: &mut Org, call: &Call) -> Result<Reply, ApiError> {
    let id = org.user_in(call, 0)?;
    let user = org.user(&id)?;
    let open = &org.settings.unconfirmed;
    if user.status() == Status::Deprovisioned {
        match open.reset_factors_on_deprovisioned {
            404 => return Err(ApiError::not_found(&id, "User")),
            403 => return Err(Code::WrongUserStatus.into()),
            _ => {}
        }
    }
    if user.factors.is_empty() {
        return match open.reset_factors_without_factors {
            400 => Err(ApiError::validation(
                "factors",
                "The user has no factors enrolled",
            )),
            _ => Ok(org.bare_200().unchanged()),
        };
    }
    org.user_mut(&id)?.factors.clear();
    org.log(
        call,
        "user.mfa.factor.reset_all",
        vec![org.user_target(&id)],
    );
    Ok(org.bare_200())
}

fn to_json(factor: &Factor) -> Value {
    json!({
        "id": factor.id,
        "factorType": factor.kind,
        "provider": factor.provider,
        "vendorName": factor.provider,
        "status": "ACTIVE",
    })
}
