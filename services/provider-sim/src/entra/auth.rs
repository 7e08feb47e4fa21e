//! Who calls, and whether they may: access tokens, audiences, permissions.

use crate::entra::call::{Call, Principal};
use crate::entra::error::ApiError;
use crate::entra::routes::{Route, Service};
use crate::entra::state::{Audience, Tenant};

impl Tenant {
    /// The principal whose access token `call` carries.
    ///
    /// # Errors
    /// 401 for a token that is missing, unknown, expired, or for the other API.
    pub fn authenticate(&self, route: &Route, call: &Call) -> Result<Principal, ApiError> {
        let audience = match route.service {
            Service::Login => return Ok(Principal::default()),
            Service::Graph => Audience::Graph,
            Service::Arm => Audience::Arm,
        };
        let header = call.header("authorization").unwrap_or_default();
        let secret = header.strip_prefix("Bearer ").unwrap_or_default().trim();
        let token = self
            .access_tokens
            .get(secret)
            .ok_or_else(|| refused(audience, "Access token is empty or not valid."))?;
        if call.now_ms >= token.expires_at {
            return Err(refused(
                audience,
                "Lifetime validation failed, the token is expired.",
            ));
        }
        if token.audience != audience {
            return Err(match audience {
                Audience::Graph => ApiError::invalid_token("Invalid audience."),
                Audience::Arm => ApiError::new(
                    401,
                    "InvalidAuthenticationTokenAudience",
                    "The access token has been obtained for wrong audience or resource.",
                ),
            });
        }
        let app = self
            .settings
            .apps
            .iter()
            .find(|app| app.client_id == token.client_id);
        Ok(match app {
            Some(app) => Principal {
                name: app.name.clone(),
                object_id: app.service_principal_id(),
                permissions: token.permissions.clone(),
                directory_roles: app.directory_roles.clone(),
                azure: app.azure,
            },
            None => Principal {
                name: token.client_id.clone(),
                permissions: Some(Vec::new()),
                ..Principal::default()
            },
        })
    }

    /// Whether `principal` may use `route`.
    ///
    /// # Errors
    /// 403.
    pub fn authorize(&self, principal: &Principal, route: &Route) -> Result<(), ApiError> {
        let families = &self.settings.forbidden_families;
        if families.iter().any(|family| family == route.family) {
            return Err(ApiError::denied());
        }
        match route.service {
            Service::Login => Ok(()),
            Service::Arm if principal.azure => Ok(()),
            Service::Arm => Err(ApiError::new(
                403,
                "AuthorizationFailed",
                "The client does not have authorization to perform this action over the scope.",
            )),
            Service::Graph if principal.holds(route.permissions) => Ok(()),
            Service::Graph => Err(ApiError::denied()),
        }
    }
}

impl Principal {
    /// Whether it holds one of `permissions`; an empty list needs none.
    pub fn holds(&self, permissions: &[&str]) -> bool {
        let Some(held) = &self.permissions else {
            return true;
        };
        permissions.is_empty() || held.iter().any(|held| permissions.contains(&held.as_str()))
    }
}

fn refused(audience: Audience, message: &str) -> ApiError {
    match audience {
        Audience::Graph => ApiError::invalid_token(message),
        Audience::Arm => ApiError::new(401, "InvalidAuthenticationToken", message),
    }
}
