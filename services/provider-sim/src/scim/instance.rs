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
            "patch_group" => self.concerned(call),
            "replace_group" => {
                let body: Value = serde_json::from_slice(&call.body).ok()?;
                self.left_out(call, body.get("members")?)
            }
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

impl App {
    /// Whom a PATCH takes out of a group or puts into it, where it is one.
    fn concerned(&self, call: &Call) -> Option<String> {
        let body: Value = serde_json::from_slice(&call.body).ok()?;
        let operation = body.get("Operations")?.get(0)?;
        let op = operation.get("op")?.as_str()?;
        let path = operation.get("path").and_then(Value::as_str);
        if let Some((_, filter)) = path.and_then(|path| path.split_once('[')) {
            let filter = Filter::parse(filter.strip_suffix(']')?).ok()?;
            return filter.equals("value").map(str::to_owned);
        }
        let value = operation.get("value")?;
        let members = value.get("members").unwrap_or(value);
        if op.eq_ignore_ascii_case("replace") {
            return self.left_out(call, members);
        }
        let first = members.get(0)?.get("value")?;
        first.as_str().map(str::to_owned)
    }

    /// Whom a list of the members who stay leaves out, where it is one.
    fn left_out(&self, call: &Call, kept: &Value) -> Option<String> {
        let kept = kept.as_array()?;
        let is_kept = |id: &str| kept.iter().any(|one| one["value"] == id);
        let group = self.groups.get(call.argument(0))?;
        let left: Vec<&str> = group.members().filter(|id| !is_kept(id)).collect();
        match left[..] {
            [one] => Some(one.to_owned()),
            _ => None,
        }
    }
}
