//! A realm as the passage of calls sees it: credentials of the administration API, limits, targets.

use hyper::header::HeaderName;

use super::error::Refusal;
use super::routes::ROUTES;
use super::state::{Realm, TokenKind};
use crate::exchange::Reply;
use crate::passage::{Call, Instance, Route};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

impl Instance for Realm {
    const PROVIDER: &'static str = "oidc";
    type Refusal = Refusal;

    fn routes(&self) -> &'static [Route<Self>] {
        ROUTES
    }

    fn next_request_id(&mut self) -> String {
        self.new_request_id()
    }

    fn target(&self, route: &Route<Self>, call: &Call) -> Option<String> {
        let named = route.named(call, "{user}");
        if let Some(id) = named.or_else(|| route.named(call, "{client}")) {
            return Some(id.to_owned());
        }
        if let Some(id) = route.named(call, "{session}") {
            return self.sessions.get(id).map(|session| session.user.clone());
        }
        match route.operation {
            "revoke_token" | "introspect_token" | "keycloak_revoke" | "keycloak_introspect" => {
                let form = call.form();
                let (_, secret) = form.iter().find(|(name, _)| name == "token")?;
                let token = self.tokens.get(secret)?;
                token.user.clone().or_else(|| Some(token.client.clone()))
            }
            "list_users" => {
                let names = ["username", "email", "search"];
                let name = names.iter().find_map(|name| call.parameter(name))?;
                self.find_user(name)
            }
            "list_clients" => self.find_client(call.parameter("clientId")?),
            "revoke_everything" => {
                let body = serde_json::from_slice(&call.body).ok()?;
                super::protocol::subject_of(&body).and_then(|subject| self.find_user(&subject))
            }
            _ => None,
        }
    }

    fn admit(&mut self, route: &Route<Self>, call: &mut Call) -> Result<(), Refusal> {
        if let Err(seconds) = self.window.count(self.settings.rate_limit, call.now_ms) {
            return Err(Refusal {
                retry_after_s: Some(seconds),
                ..Self::refusal(429)
            });
        }
        if route
            .named(call, "{realm}")
            .is_some_and(|realm| realm != self.name)
        {
            return Err(Refusal::new(404, "Realm not found."));
        }
        if !route.pattern.starts_with("/admin/") {
            return Ok(());
        }
        if !self.settings.keycloak {
            return Err(Self::refusal(404));
        }
        call.principal = self.administrator(route, call)?;
        let mut forbidden = self.settings.forbidden_families.iter();
        match forbidden.any(|family| family == route.family) {
            true => Err(Self::refusal(403)),
            false => Ok(()),
        }
    }

    fn refusal(status: u16) -> Refusal {
        Refusal::new(
            status,
            match status {
                401 => "HTTP 401 Unauthorized",
                403 => "HTTP 403 Forbidden",
                404 => "HTTP 404 Not Found",
                405 => "HTTP 405 Method Not Allowed",
                429 => "too_many_requests",
                503 => "temporarily_unavailable",
                _ => "unknown_error",
            },
        )
    }

    fn answer_of(&self, refusal: &Refusal) -> Reply {
        refusal.reply()
    }

    fn dressed(&self, reply: Reply, call: &Call) -> Reply {
        reply.with_header(REQUEST_ID, &call.request_id)
    }
}

impl Realm {
    /// The name of the caller of the administration API, who must hold the role that the endpoint needs.
    pub fn administrator(&self, route: &Route<Self>, call: &Call) -> Result<String, Refusal> {
        let secret = call.bearer().unwrap_or_default();
        let mut fixed = self.settings.admin_tokens.iter();
        if let Some(token) = fixed.find(|token| token.token == secret) {
            return Ok(token.name.clone());
        }
        let token = self
            .tokens
            .get(secret)
            .filter(|token| token.kind == TokenKind::Access && self.works(token, call.now_ms));
        let token = token.ok_or(Self::refusal(401))?;
        let client = self.clients.get(&token.client);
        let client = client.ok_or(Self::refusal(401))?;
        let holds = |role: &str| client.admin_roles.iter().any(|held| held == role);
        // The realm names itself to whoever administers any of it.
        if route.operation == "get_realm" && !client.admin_roles.is_empty() {
            return Ok(client.client_id.clone());
        }
        let area = match route.family {
            "clients" => "clients",
            "realm" => "realm",
            _ => "users",
        };
        // A role to manage also lets its holder view.
        let manages = holds(&format!("manage-{area}"));
        match manages || (!route.is_write && holds(&format!("view-{area}"))) {
            true => Ok(client.client_id.clone()),
            false => Err(Self::refusal(403)),
        }
    }
}
