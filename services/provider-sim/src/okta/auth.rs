//! Who calls, and whether they may: SSWS tokens, access tokens, scopes.

use crate::okta::call::{Call, Principal};
use crate::okta::error::{ApiError, Code};
use crate::okta::settings::{OwnerTokens, SswsToken};
use crate::okta::state::{Org, Status};

impl Org {
    /// The principal whose credential `call` carries.
    ///
    /// # Errors
    /// 401 E0000011 for a credential that is missing, unknown, expired, or whose owner may no longer act.
    pub fn authenticate(&self, call: &Call) -> Result<Principal, ApiError> {
        let header = call.header("authorization").unwrap_or_default();
        let (scheme, secret) = header.split_once(' ').unwrap_or_default();
        let secret = secret.trim();
        match scheme {
            "SSWS" => self.token_owner(secret),
            "Bearer" => self.service_app(secret, call.now_ms),
            _ => Err(Code::InvalidToken.into()),
        }
    }

    /// Whether `principal` may use an endpoint that needs `scope`, to read or to write.
    ///
    /// # Errors
    /// 403 E0000006.
    pub fn authorize(
        &self,
        principal: &Principal,
        scope: Option<&str>,
        write: bool,
    ) -> Result<(), ApiError> {
        let (Some(scope), Some(held)) = (scope, &principal.scopes) else {
            return Ok(());
        };
        let has = |verb: &str| {
            held.iter().any(|held| {
                held.strip_prefix(scope)
                    .is_some_and(|rest| rest.strip_prefix('.') == Some(verb))
            })
        };
        let admin = self
            .settings
            .oauth_clients
            .iter()
            .any(|app| app.client_id == principal.actor_id && app.admin)
            || self
                .app_of_client(&principal.actor_id)
                .is_some_and(|app| !app.client.roles.is_empty());
        // Some families have one verb only, for instance okta.universalLogout.manage and okta.logs.read.
        let allowed = match write {
            true => has("manage"),
            false => has("read") || (self.settings.manage_implies_read && has("manage")),
        };
        if allowed && admin {
            Ok(())
        } else {
            Err(Code::Forbidden.into())
        }
    }

    fn token_owner(&self, secret: &str) -> Result<Principal, ApiError> {
        if let Some(token) = self
            .settings
            .ssws_tokens
            .iter()
            .find(|token| token.token == secret)
        {
            let owner = token.user_id.as_deref();
            self.require_acting(owner)?;
            return Ok(ssws(&token.name, owner, &token.listed_id()));
        }
        let token = self
            .api_tokens
            .values()
            .find(|token| token.secret.as_deref() == Some(secret));
        let token = token.ok_or(Code::InvalidToken)?;
        self.require_acting(Some(&token.user))?;
        Ok(ssws(&token.name, Some(&token.user), &token.id))
    }

    fn require_acting(&self, owner: Option<&str>) -> Result<(), ApiError> {
        let Some(owner) = owner else { return Ok(()) };
        let suspended_may = self.settings.unconfirmed.suspended_owner_tokens == OwnerTokens::Valid;
        match self.users.get(owner).map(|user| user.status()) {
            Some(Status::Suspended) if suspended_may => Ok(()),
            Some(status) if status.can_act() => Ok(()),
            _ => Err(Code::InvalidToken.into()),
        }
    }

    fn service_app(&self, secret: &str, now_ms: i64) -> Result<Principal, ApiError> {
        let token = self
            .access_tokens
            .get(secret)
            .filter(|token| now_ms < token.expires_at);
        let token = token.ok_or(Code::InvalidToken)?;
        let settings = &self.settings;
        let mut own = settings.oauth_clients.iter();
        let known = own.any(|app| app.client_id == token.client_id);
        let app = self.app_of_client(&token.client_id);
        let outlives = settings.unconfirmed.inactive_app_access_tokens == OwnerTokens::Valid;
        if !known && !outlives && !app.is_some_and(|app| app.active) {
            return Err(Code::InvalidToken.into());
        }
        Ok(Principal {
            name: token.client_id.clone(),
            actor_id: token.client_id.clone(),
            actor_kind: "PublicClientApp",
            token_id: None,
            scopes: Some(token.scopes.clone()),
        })
    }
}

impl SswsToken {
    /// The id under which the token is listed: fixed by its name, as settings carry no ids.
    pub fn listed_id(&self) -> String {
        format!("00T{}", crate::dice::Dice::new(0, &self.name).text(17))
    }
}

fn ssws(name: &str, owner: Option<&str>, token_id: &str) -> Principal {
    Principal {
        name: name.to_owned(),
        actor_id: owner.unwrap_or("service-account").to_owned(),
        actor_kind: "User",
        token_id: Some(token_id.to_owned()),
        scopes: None,
    }
}
