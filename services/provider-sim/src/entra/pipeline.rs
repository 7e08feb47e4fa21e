//! The way of a call through a tenant: route, faults, limits, token, permission, handler, journal.

use std::time::Duration;

use hyper::header::{DATE, HeaderName, HeaderValue};
use serde_json::json;
use tokio::time::sleep;

use crate::clock::{http_date, iso};
use crate::entra::batch;
use crate::entra::call::Call;
use crate::entra::error::ApiError;
use crate::entra::ordered;
use crate::entra::routes::{self, Found};
use crate::entra::site::Site;
use crate::entra::state::{Replica, Tenant, guid};
use crate::entra::target::target;
use crate::exchange::{Incoming, Outcome, Reply};
use crate::faults::{Consequence, Facts, Verdict};
use crate::journal::{Effect, Ending, Entry};
use crate::simulation::Simulation;

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
/// What Azure Resource Manager calls it.
const AZURE_REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-request-id");
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");

/// Answers a request below `/entra`; `segments` starts with the name of the tenant.
pub async fn serve(
    simulation: &Simulation,
    incoming: Incoming,
    mut segments: Vec<String>,
) -> Outcome {
    let name = segments.remove(0);
    let Some(site) = simulation.entra_tenant(&name) else {
        let error = format!("no such tenant {name:?}: create it with PUT /control/entra/{name}");
        return Reply::json(404, &json!({ "error": error })).into();
    };
    let prefix = format!("/entra/{name}");
    let host = incoming.header("host").unwrap_or("localhost");
    let base = format!("http://{host}{prefix}");
    let path = incoming.path.strip_prefix(&prefix);
    let path = path.unwrap_or_default().to_owned();
    let passage = Passage {
        simulation,
        site: &site,
        name: &name,
        arrived_us: simulation.clock.monotonic_us(),
    };
    let call = Call::new(incoming, path, base, simulation.clock.now_ms());
    passage.run(call, &segments).await
}

/// One call on its way.
pub struct Passage<'a> {
    simulation: &'a Simulation,
    site: &'a Site,
    name: &'a str,
    arrived_us: u64,
}

/// What the journal says of how a call ended.
#[derive(Clone, Copy)]
struct Mark {
    ending: Ending,
    effect: Effect,
    fault: Option<u64>,
}

/// A call with its endpoint and the principal that it concerns.
struct Step<'a> {
    found: &'a Found,
    user: Option<String>,
}

impl Passage<'_> {
    async fn run(&self, mut call: Call, segments: &[String]) -> Outcome {
        call.request_id = guid(&mut self.site.lock().request_dice);
        let mut found = match routes::find(&call.method, segments) {
            Ok(found) => found,
            Err(error) => return self.refuse_path(&call, &error),
        };
        call.arguments = std::mem::take(&mut found.arguments);
        let is_batch = found.route.operation == "batch";
        let outcome = self.run_found(&found, call.clone()).await;
        match outcome {
            Outcome::Answer(reply, pace) if is_batch && reply.status == 200 => {
                match Box::pin(batch::serve(self, &call)).await {
                    Outcome::Answer(gathered, _) => {
                        Outcome::Answer(self.dressed(gathered, &call), pace)
                    }
                    Outcome::Cut => Outcome::Cut,
                }
            }
            outcome => outcome,
        }
    }

    /// Runs a call that came inside a batch.
    pub async fn run_inner(&self, call: Call) -> Outcome {
        let path = call.path.clone();
        let segments: Vec<String> = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(crate::exchange::percent_decoded)
            .collect();
        self.run(call, &segments).await
    }

    async fn run_found(&self, found: &Found, mut call: Call) -> Outcome {
        let user = target(&self.site.lock(), found.route, &call);
        let step = Step { found, user };
        let Verdict { wait, effect } = self.simulation.faults.decide(&self.facts(&step, &call));
        if !wait.is_zero() {
            sleep(wait).await;
            call.now_ms = self.simulation.clock.now_ms();
        }
        let Some((id, order)) = effect else {
            let mark = Mark {
                ending: Ending::Answered,
                effect: Effect::None,
                fault: None,
            };
            return self.apply(&step, &mut call, mark, 1).into();
        };
        self.run_faulty(&step, call, id, &order).await
    }

    async fn run_faulty(
        &self,
        step: &Step<'_>,
        mut call: Call,
        id: u64,
        order: &Consequence,
    ) -> Outcome {
        let mark = |ending| Mark {
            ending,
            effect: Effect::None,
            fault: Some(id),
        };
        let hangs = order.hang_ms.is_some();
        if order.answer_lost || (order.after_effect && hangs) {
            let ending = if hangs { Ending::Hung } else { Ending::Lost };
            self.apply(step, &mut call, mark(ending), 1);
        } else if order.reset || hangs {
            let ending = if hangs { Ending::Hung } else { Ending::Reset };
            self.record(step, &call, &Reply::empty(0).unchanged(), mark(ending));
        } else if let Some(status) = order.status {
            if order.after_effect {
                self.apply(step, &mut call, mark(Ending::Answered), 1);
            }
            let reply = ordered::reply(&self.site.lock().settings, &call, status, order);
            let reply = self.dressed(reply, &call);
            if !order.after_effect {
                self.record(
                    step,
                    &call,
                    &reply.clone().unchanged(),
                    mark(Ending::Answered),
                );
            }
            return Outcome::Answer(reply, ordered::pace(order));
        } else {
            let times = if order.twice { 2 } else { 1 };
            let reply = self.apply(step, &mut call, mark(Ending::Answered), times);
            return Outcome::Answer(reply, ordered::pace(order));
        }
        sleep(Duration::from_millis(order.hang_ms.unwrap_or(0))).await;
        Outcome::Cut
    }

    /// Lets the call take effect `times` times; the journal gets an entry for each, in the order of the effects.
    fn apply(&self, step: &Step<'_>, call: &mut Call, mark: Mark, times: usize) -> Reply {
        let mut tenant = self.site.lock();
        let mut reply = Reply::empty(500);
        for _ in 0..times {
            let answered = answer(&mut tenant, step.found, call);
            let mut mark = mark;
            mark.effect = match (answered.status < 400, step.found.route.is_write()) {
                (true, true) => Effect::Write,
                (true, false) => Effect::Read,
                (false, _) => Effect::None,
            };
            self.record(step, call, &answered, mark);
            reply = answered;
        }
        self.dressed(reply, call)
    }

    fn refuse_path(&self, call: &Call, error: &ApiError) -> Outcome {
        let reply = error.reply(&self.site.lock().settings, call);
        let mark = Mark {
            ending: Ending::Answered,
            effect: Effect::None,
            fault: None,
        };
        let entry = self.entry(("none", "none"), call, None, &reply, mark);
        self.simulation.journal.record(entry);
        self.dressed(reply, call).into()
    }

    fn facts<'b>(&'b self, step: &'b Step<'_>, call: &'b Call) -> Facts<'b> {
        Facts {
            provider: "entra",
            org: self.name,
            method: &call.method,
            path: &call.path,
            family: step.found.route.family,
            operation: step.found.route.operation,
            user: step.user.as_deref(),
            write: step.found.route.is_write(),
        }
    }

    fn record(&self, step: &Step<'_>, call: &Call, reply: &Reply, mark: Mark) {
        let names = (step.found.route.family, step.found.route.operation);
        let entry = self.entry(names, call, step.user.as_deref(), reply, mark);
        self.simulation.journal.record(entry);
    }

    fn entry(
        &self,
        (family, operation): (&'static str, &'static str),
        call: &Call,
        user: Option<&str>,
        reply: &Reply,
        mark: Mark,
    ) -> Entry {
        let monotonic_us = self.simulation.clock.monotonic_us();
        let name = &call.principal.name;
        Entry {
            seq: 0,
            at: iso(self.simulation.clock.now_ms()),
            monotonic_us,
            took_us: monotonic_us.saturating_sub(self.arrived_us),
            provider: "entra",
            org: self.name.to_owned(),
            method: call.method.clone(),
            path: call.path.clone(),
            query: call.query_text.clone(),
            family,
            operation,
            user: user.map(str::to_owned),
            effect: mark.effect,
            changed: mark.effect == Effect::Write && reply.changed,
            ending: mark.ending,
            status: reply.status,
            request_id: call.request_id.clone(),
            principal: (!name.is_empty()).then(|| name.clone()),
            fault: mark.fault,
        }
    }

    /// `reply` with the headers that every answer has.
    fn dressed(&self, mut reply: Reply, call: &Call) -> Reply {
        // The HTTP library writes the real date; a clock that was moved must show in it.
        if self.simulation.clock.offset_ms() != 0
            && let Ok(date) = HeaderValue::from_str(&http_date(call.now_ms))
        {
            reply.headers.push((DATE, date));
        }
        if let Some(id) = call.header("client-request-id") {
            reply = reply.with_header(CLIENT_REQUEST_ID, id);
        }
        let name = match call.path.starts_with("/arm") {
            true => AZURE_REQUEST_ID,
            false => REQUEST_ID,
        };
        reply.with_header(name, &call.request_id)
    }
}

/// Token, limits, permission, then the handler, seen by the replica that answers.
fn answer(tenant: &mut Tenant, found: &Found, call: &mut Call) -> Reply {
    let route = found.route;
    let authenticated = tenant.authenticate(route, call);
    if let Ok(principal) = &authenticated {
        call.principal = principal.clone();
    }
    let settings = tenant.settings.clone();
    let name = call.principal.name.clone();
    let charge = tenant.limiter.count(&settings, route, call, &name);
    let answered = match charge.refusal(&settings) {
        Some(refusal) => Err(refusal),
        None => authenticated.and_then(|principal| {
            tenant.authorize(&principal, route)?;
            handled(tenant, found, call)
        }),
    };
    let reply = answered.unwrap_or_else(|error| error.reply(&settings, call));
    charge.on(reply, route, call)
}

fn handled(tenant: &mut Tenant, found: &Found, call: &Call) -> Result<Reply, ApiError> {
    let lag = tenant.settings.lag();
    tenant.store.begin(Replica::Primary, lag, call.now_ms);
    tenant.purge(call.now_ms);
    let replica = match (found.route.is_write(), call.is_eventual()) {
        (true, _) => Replica::Primary,
        (false, true) => Replica::Index(call.now_ms),
        (false, false) => Replica::Secondary(call.now_ms),
    };
    tenant.store.begin(replica, lag, call.now_ms);
    let answered = found.route.handle(tenant, call);
    tenant.store.end();
    answered
}
