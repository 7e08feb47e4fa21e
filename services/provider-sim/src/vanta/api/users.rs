//! `/users`: logins to Vanta itself. The list has active ones only.

use serde_json::{Value, json};

use crate::exchange::Reply;
use crate::vanta::api::bulk;
use crate::vanta::call::Call;
use crate::vanta::error::ApiError;
use crate::vanta::page::page;
use crate::vanta::settings::{Afterwards, Repeat};
use crate::vanta::state::{Managed, Tenant, User};

/// The cap is not documented; this one is that of the other bulk calls.
const ITEMS_MAX: usize = 100;

/// `GET /users`.
pub fn list(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let users = tenant.users.iter().filter(|(_, user)| user.active);
    page(call, &tenant.settings, users, |user| to_json(user))
}

/// `GET /users/{user}`.
pub fn get(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    let user = tenant.users.get(call.argument(0));
    let shown = tenant.settings.unconfirmed.deactivated_user == Afterwards::Shown;
    let user = user.filter(|user| user.active || shown);
    let user = user.ok_or_else(|| ApiError::not_found("User"))?;
    Ok(Reply::json(200, &to_json(user)))
}

/// `POST /users/deactivate`: refuses those that an identity provider provisions, and the last active administrator.
pub fn deactivate(tenant: &mut Tenant, call: &Call) -> Result<Reply, ApiError> {
    bulk::each(tenant, call, ITEMS_MAX, |tenant, update| {
        let repeat = tenant.settings.unconfirmed.repeat_deactivate;
        let mut users = tenant.users.values();
        let other_admin = users.any(|user| user.admin && user.active && user.id != update.id);
        let user = tenant.users.get_mut(&update.id).ok_or("no such user")?;
        if !user.active {
            return match repeat {
                Repeat::Success => Ok(false),
                Repeat::Error => Err("the user is not active"),
            };
        }
        if user.managed == Managed::Scim {
            return Err("the user is provisioned by an identity provider");
        }
        if user.admin && !other_admin {
            return Err("the user is the last active administrator");
        }
        user.active = false;
        Ok(true)
    })
}

fn to_json(user: &User) -> Value {
    json!({ "id": user.id, "email": user.email, "displayName": user.name, "isActive": user.active })
}
