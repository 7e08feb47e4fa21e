//! The way of a call through a tenant: route, faults, limits, token, scope, handler, journal.

use std::time::Duration;

use hyper::header::{DATE, HeaderValue, RETRY_AFTER};
use serde_json::json;
use tokio::time::sleep;

use crate::clock::{http_date, iso};
use crate::exchange::{Incoming, Outcome, Reply};
use crate::faults::{Consequence, Facts, Verdict};
use crate::journal::{Effect, Ending, Entry};
use crate::simulation::Simulation;
use crate::vanta::call::Call;
use crate::vanta::error::ApiError;
use crate::vanta::follow;
use crate::vanta::ordered;
use crate::vanta::routes::{self, Api, Found};
use crate::vanta::state::Tenant;
use crate::vanta::target::target_person;
use crate::vanta::tenants::Site;

/// Answers a request below `/vanta`; `segments` starts with the name of the tenant.
pub async fn serve(
    simulation: &Simulation,
    incoming: Incoming,
    mut segments: Vec<String>,
) -> Outcome {
    let name = segments.remove(0);
    let Some(site) = simulation.vanta.find(&name) else {
        let error = format!("no such tenant {name:?}: create it with PUT /control/vanta/{name}");
        return Reply::json(404, &json!({ "error": error })).into();
    };
    let path = incoming
        .path
        .strip_prefix(&format!("/vanta/{name}"))
        .unwrap_or_default()
        .to_owned();
    let passage = Passage {
        simulation,
        site: &site,
        tenant: &name,
        arrived_us: simulation.clock.monotonic_us(),
    };
    let now_ms = simulation.clock.now_ms();
    let found = routes::find(&site.lock().settings, incoming.method.as_str(), &segments);
    match found {
        Ok(mut found) => {
            let arguments = std::mem::take(&mut found.arguments);
            let call = Call::new(incoming, path, arguments, now_ms);
            passage.run(&found, call).await
        }
        Err(error) => passage.refuse_path(Call::new(incoming, path, vec![], now_ms), &error),
    }
}

/// One call on its way.
struct Passage<'a> {
    simulation: &'a Simulation,
    site: &'a Site,
    tenant: &'a str,
    arrived_us: u64,
}

/// What the journal says of how a call ended.
#[derive(Clone, Copy)]
struct Mark {
    ending: Ending,
    effect: Effect,
    fault: Option<u64>,
}

const PLAIN: Mark = Mark {
    ending: Ending::Answered,
    effect: Effect::None,
    fault: None,
};

impl Passage<'_> {
    async fn run(&self, found: &Found, mut call: Call) -> Outcome {
        let person = {
            let mut tenant = self.site.lock();
            call.request_id = format!("req{}", tenant.request_dice.text(20));
            target_person(&tenant, found, &call)
        };
        let person = person.as_deref();
        let facts = self.facts(found, &call, person);
        let Verdict { wait, effect } = self.simulation.faults.decide(&facts);
        if !wait.is_zero() {
            sleep(wait).await;
            call.now_ms = self.simulation.clock.now_ms();
        }
        match effect {
            None => self.apply(found, &mut call, person, PLAIN, 1).into(),
            Some((id, order)) => self.run_faulty(found, call, person, id, &order).await,
        }
    }

    async fn run_faulty(
        &self,
        found: &Found,
        mut call: Call,
        person: Option<&str>,
        id: u64,
        order: &Consequence,
    ) -> Outcome {
        let mark = |ending| Mark {
            ending,
            fault: Some(id),
            ..PLAIN
        };
        let hangs = order.hang_ms.is_some();
        if order.answer_lost || (order.after_effect && hangs) {
            let ending = if hangs { Ending::Hung } else { Ending::Lost };
            self.apply(found, &mut call, person, mark(ending), 1);
        } else if order.reset || hangs {
            let ending = if hangs { Ending::Hung } else { Ending::Reset };
            let nothing = Reply::empty(0).unchanged();
            self.record(names(found), &call, person, &nothing, mark(ending));
        } else if let Some(status) = order.status {
            let answered = mark(Ending::Answered);
            if order.after_effect {
                self.apply(found, &mut call, person, answered, 1);
            }
            let reply = ordered::reply(&self.site.lock().settings, status, order);
            if !order.after_effect {
                let unchanged = reply.clone().unchanged();
                self.record(names(found), &call, person, &unchanged, answered);
            }
            return Outcome::Answer(self.dated(reply, &call), ordered::pace(order));
        } else {
            let times = if order.twice { 2 } else { 1 };
            let reply = self.apply(found, &mut call, person, mark(Ending::Answered), times);
            return Outcome::Answer(reply, ordered::pace(order));
        }
        sleep(Duration::from_millis(order.hang_ms.unwrap_or(0))).await;
        Outcome::Cut
    }

    /// Lets the call take effect `times` times; the journal gets an entry for each, in the order of the effects.
    fn apply(
        &self,
        found: &Found,
        call: &mut Call,
        person: Option<&str>,
        mark: Mark,
        times: usize,
    ) -> Reply {
        let mut tenant = self.site.lock();
        follow::refresh(self.simulation, &mut tenant, call.now_ms);
        let mut reply = Reply::empty(500);
        for _ in 0..times {
            reply = answer(&mut tenant, found, call);
            let effect = match reply.status {
                400.. => Effect::None,
                _ if found.route.is_write() => Effect::Write,
                _ => Effect::Read,
            };
            let name = self.principal(&tenant, call);
            self.record_as(
                names(found),
                call,
                person,
                &reply,
                Mark { effect, ..mark },
                name,
            );
        }
        self.dated(reply, call)
    }

    fn refuse_path(&self, mut call: Call, error: &ApiError) -> Outcome {
        let mut tenant = self.site.lock();
        call.request_id = format!("req{}", tenant.request_dice.text(20));
        let reply = error.reply(tenant.settings.unconfirmed.error_body);
        self.record(("none", "none"), &call, None, &reply, PLAIN);
        self.dated(reply, &call).into()
    }

    fn facts<'b>(&'b self, found: &Found, call: &'b Call, person: Option<&'b str>) -> Facts<'b> {
        Facts {
            provider: "vanta",
            org: self.tenant,
            method: &call.method,
            path: &call.path,
            family: found.route.family,
            operation: found.route.operation,
            user: person,
            write: found.route.is_write(),
        }
    }

    /// The name of the application that calls.
    fn principal(&self, tenant: &Tenant, call: &Call) -> Option<String> {
        let application = tenant.application(call.client_id.as_deref()?)?;
        Some(application.title().to_owned())
    }

    fn record(
        &self,
        names: (&'static str, &'static str),
        call: &Call,
        person: Option<&str>,
        reply: &Reply,
        mark: Mark,
    ) {
        self.record_as(names, call, person, reply, mark, None);
    }

    fn record_as(
        &self,
        (family, operation): (&'static str, &'static str),
        call: &Call,
        person: Option<&str>,
        reply: &Reply,
        mark: Mark,
        principal: Option<String>,
    ) {
        let monotonic_us = self.simulation.clock.monotonic_us();
        self.simulation.journal.record(Entry {
            seq: 0,
            at: iso(self.simulation.clock.now_ms()),
            monotonic_us,
            took_us: monotonic_us.saturating_sub(self.arrived_us),
            provider: "vanta",
            org: self.tenant.to_owned(),
            method: call.method.clone(),
            path: call.path.clone(),
            query: call.query_text.clone(),
            family,
            operation,
            user: person.map(str::to_owned),
            effect: mark.effect,
            changed: mark.effect == Effect::Write && reply.changed,
            ending: mark.ending,
            status: reply.status,
            request_id: call.request_id.clone(),
            principal,
            fault: mark.fault,
        });
    }

    /// `reply` with the moved date, where the clock was moved: the HTTP library writes the real one.
    fn dated(&self, mut reply: Reply, call: &Call) -> Reply {
        if self.simulation.clock.offset_ms() != 0
            && let Ok(date) = HeaderValue::from_str(&http_date(call.now_ms))
        {
            reply.headers.push((DATE, date));
        }
        reply
    }
}

fn names(found: &Found) -> (&'static str, &'static str) {
    (found.route.family, found.route.operation)
}

/// Token, limits, scope, then the handler.
fn answer(tenant: &mut Tenant, found: &Found, call: &mut Call) -> Reply {
    let shape = tenant.settings.unconfirmed.error_body;
    let authenticated = match found.route.scope() {
        Some(_) => tenant.authenticate(call).map(Some),
        None => Ok(None),
    };
    let caller = authenticated.as_ref().ok().cloned().flatten();
    if let Err(left_s) = counted(tenant, found.route.api, caller.as_deref(), call.now_ms) {
        let reply = ApiError::too_many().reply(shape);
        return match tenant.settings.unconfirmed.retry_after {
            true => reply.with_header(RETRY_AFTER, &left_s.to_string()),
            false => reply,
        };
    }
    let handled = authenticated.and_then(|client_id| {
        call.client_id = client_id;
        if let Some(scope) = found.route.scope() {
            tenant.authorize(call, scope)?;
        }
        found.route.handle(tenant, call)
    });
    handled.unwrap_or_else(|error| error.reply(shape))
}

/// Counts the call against the limit of its API: the token endpoint's is shared by all, the others are each
/// application's own.
fn counted(tenant: &mut Tenant, api: Api, caller: Option<&str>, now_ms: i64) -> Result<(), i64> {
    let settings = &tenant.settings;
    let named = |name: &str| settings.rate_limits.get(name).copied();
    let (name, limit) = match api {
        Api::Token => ("token", settings.token_rate_limit),
        Api::Manage => ("manage", named("manage").unwrap_or(settings.rate_limit)),
        Api::Build => ("build", named("build").unwrap_or(settings.rate_limit)),
    };
    let bucket = format!("{name} {}", caller.unwrap_or_default());
    let window_s = settings.rate_window_s;
    tenant.limiter.count(bucket, limit, window_s, now_ms)
}
