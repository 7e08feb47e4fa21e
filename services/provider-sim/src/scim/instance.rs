//! An application as the passage of calls sees it.

use hyper::header::HeaderName;
use serde_json::Value;

use super::error::Refusal;
use super::filter::Filter;
use super::routes::ROUTES;
use super::state::App;
use crate::exchange::Reply;
use crate::passage::{Call, Instance, Route};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

impl Instance for App {
    const PROVIDER: &'static str = "scim";
    type Refusal = Refusal;

    fn routes(&self) -> &'static [Route<Self>] {
        ROUTES
    }

    fn next_request_id(&mut self) -> String {
        self.new_request_id()
    }

    fn target(&self, route: &Route<Self>, call: &Call) -> Option<String> {
        if let Some(id) = route.named(call, "{user}") {
            return Some(id.to_owned());
        }
        match route.operation {
            "patch_group" => removed_member(call),
            "replace_group" => self.left_out(call),
            "list_users" | "list_groups" => {
                let filter = Filter::parse(call.parameter("filter")?).ok()?;
                let named = ["members.value", "members", "id"];
                let id = named.iter().find_map(|name| filter.equals(name));
                let id = id.map(str::to_owned);
                id.or_else(|| self.find_user(filter.equals("userName")?))
            }
            _ => None,
        }
    }

    fn admit(&mut self, route: &Route<Self>, call: &mut Call) -> Result<(), Refusal> {
        let secret = call.bearer().unwrap_or_default();
        let mut tokens = self.settings.tokens.iter();
        let token = tokens.find(|token| token.token == secret);
        let token = token.ok_or_else(|| Refusal::new(401, "the token is missing or not known"))?;
        call.principal.clone_from(&token.name);
        if let Err(seconds) = self.window.count(self.settings.rate_limit, call.now_ms) {
            return Err(Refusal {
                retry_after_s: Some(seconds),
                ..Self::refusal(429)
            });
        }
        if route.method == "PATCH"
            && let Some(status) = self.settings.patch.missing_status
        {
            return Err(Self::refusal(status));
        }
        if route.method == "PUT" && !self.settings.put {
            return Err(Self::refusal(501));
        }
        Ok(())
    }

    fn refusal(status: u16) -> Refusal {
        let detail = match status {
            401 => "the token is missing or not known",
            403 => "the token may not do this",
            404 => "no such endpoint",
            405 => "the endpoint does not support the method",
            429 => "too many requests",
            501 => "not implemented",
            _ => "the request could not be answered",
        };
        Refusal::new(status, detail)
    }

    fn answer_of(&self, refusal: &Refusal) -> Reply {
        refusal.reply(&self.settings)
    }

    fn dressed(&self, reply: Reply, call: &Call) -> Reply {
        reply.with_header(REQUEST_ID, &call.request_id)
    }
}

/// Whom a PATCH takes out of a group, where it is one.
fn removed_member(call: &Call) -> Option<String> {
    let body: Value = serde_json::from_slice(&call.body).ok()?;
    let operation = body.get("Operations")?.get(0)?;
    if let Some(id) = operation.pointer("/value/0/value").and_then(Value::as_str) {
        return Some(id.to_owned());
    }
    let path = operation.get("path")?.as_str()?;
    let (_, filter) = path.split_once('[')?;
    let filter = Filter::parse(filter.strip_suffix(']')?).ok()?;
    filter.equals("value").map(str::to_owned)
}

impl App {
    /// Whom a PUT of a group leaves out, where it is one.
    fn left_out(&self, call: &Call) -> Option<String> {
        let body: Value = serde_json::from_slice(&call.body).ok()?;
        let kept = body.get("members").and_then(Value::as_array);
        let is_kept = |id: &str| kept.is_some_and(|kept| kept.iter().any(|one| one["value"] == id));
        let group = self.groups.get(call.argument(0))?;
        let left: Vec<&str> = group.members().filter(|id| !is_kept(id)).collect();
        match left[..] {
            [one] => Some(one.to_owned()),
            _ => None,
        }
    }
}
