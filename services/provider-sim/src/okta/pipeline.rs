//! The way of a call through an org: route, faults, limits, credential, scope, handler, journal.

use std::time::Duration;

use hyper::header::{DATE, HeaderName, HeaderValue};
use serde_json::json;
use tokio::time::sleep;

use crate::clock::{http_date, iso};
use crate::exchange::{Incoming, Outcome, Reply};
use crate::faults::{Consequence, Facts, Verdict};
use crate::journal::{Effect, Ending, Entry};
use crate::okta::call::{Call, Principal};
use crate::okta::error::{ApiError, Code};
use crate::okta::ordered;
use crate::okta::rate::Quota;
use crate::okta::routes::{self, Found};
use crate::okta::site::Site;
use crate::okta::state::Org;
use crate::okta::target::target_user;
use crate::simulation::Simulation;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-okta-request-id");

/// Answers a request below `/okta`; `segments` starts with the name of the org.
pub async fn serve(
    simulation: &Simulation,
    incoming: Incoming,
    mut segments: Vec<String>,
) -> Outcome {
    let name = segments.remove(0);
    let Some(site) = simulation.okta_org(&name) else {
        let error = format!("no such org {name:?}: create it with PUT /control/okta/{name}");
        return Reply::json(404, &json!({ "error": error })).into();
    };
    let prefix = format!("/okta/{name}");
    let base = format!(
        "http://{}{prefix}",
        incoming.header("host").unwrap_or("localhost")
    );
    let path = incoming
        .path
        .strip_prefix(&prefix)
        .unwrap_or_default()
        .to_owned();
    let arrived_us = simulation.clock.monotonic_us();
    let passage = Passage {
        simulation,
        site: &site,
        org: &name,
        arrived_us,
    };
    match routes::find(incoming.method.as_str(), &segments) {
        Ok(mut found) => {
            let arguments = std::mem::take(&mut found.arguments);
            let call = Call::new(incoming, path, base, arguments, simulation.clock.now_ms());
            passage.run(&found, call).await
        }
        Err(error) => passage.refuse_path(
            Call::new(incoming, path, base, vec![], simulation.clock.now_ms()),
            &error,
        ),
    }
}

/// One call on its way.
struct Passage<'a> {
    simulation: &'a Simulation,
    site: &'a Site,
    org: &'a str,
    arrived_us: u64,
}

/// What the journal says of how a call ended.
#[derive(Clone, Copy)]
struct Mark {
    ending: Ending,
    effect: Effect,
    fault: Option<u64>,
}

impl Passage<'_> {
    async fn run(&self, found: &Found, mut call: Call) -> Outcome {
        let in_flight = self.site.enter();
        let (user, concurrency) = {
            let mut org = self.site.lock();
            call.request_id = format!("req{}", org.request_dice.text(20));
            (
                target_user(&org, found, &call),
                org.settings.concurrency_limit,
            )
        };
        if in_flight.count > concurrency {
            return self.too_many_at_once(found, &call, user.as_deref());
        }
        let Verdict { wait, effect } =
            self.simulation
                .faults
                .decide(&self.facts(found, &call, user.as_deref()));
        if !wait.is_zero() {
            sleep(wait).await;
            call.now_ms = self.simulation.clock.now_ms();
        }
        match effect {
            None => {
                let mark = Mark {
                    ending: Ending::Answered,
                    effect: Effect::None,
                    fault: None,
                };
                self.apply(found, &mut call, user.as_deref(), mark, 1)
                    .into()
            }
            Some((id, order)) => {
                self.run_faulty(found, call, user.as_deref(), id, &order)
                    .await
            }
        }
    }

    async fn run_faulty(
        &self,
        found: &Found,
        mut call: Call,
        user: Option<&str>,
        id: u64,
        order: &Consequence,
    ) -> Outcome {
        let mark = |ending| Mark {
            ending,
            effect: Effect::None,
            fault: Some(id),
        };
        let hangs = order.hang_ms.is_some();
        let silent_ending = if hangs { Ending::Hung } else { Ending::Reset };
        if order.answer_lost || (order.after_effect && hangs) {
            let ending = if hangs { Ending::Hung } else { Ending::Lost };
            self.apply(found, &mut call, user, mark(ending), 1);
        } else if order.reset || hangs {
            self.record(
                found,
                &call,
                user,
                &Reply::empty(0).unchanged(),
                mark(silent_ending),
            );
        } else if let Some(status) = order.status {
            if order.after_effect {
                self.apply(found, &mut call, user, mark(Ending::Answered), 1);
            }
            let reply = self.dressed(
                ordered::reply(&self.site.lock(), &call, status, order),
                &call,
            );
            if !order.after_effect {
                self.record(
                    found,
                    &call,
                    user,
                    &reply.clone().unchanged(),
                    mark(Ending::Answered),
                );
            }
            return Outcome::Answer(reply, ordered::pace(order));
        } else {
            let times = if order.twice { 2 } else { 1 };
            let reply = self.apply(found, &mut call, user, mark(Ending::Answered), times);
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
        user: Option<&str>,
        mark: Mark,
        times: usize,
    ) -> Reply {
        let mut org = self.site.lock();
        let mut reply = Reply::empty(500);
        for _ in 0..times {
            let (answer, quota) = answer(&mut org, found, call);
            let mut mark = mark;
            mark.effect = match &answer {
                Ok(reply) if reply.status < 400 && found.route.is_write() => Effect::Write,
                Ok(reply) if reply.status < 400 => Effect::Read,
                _ => Effect::None,
            };
            let plain = answer.unwrap_or_else(|error| refusal(&mut org, &error));
            self.record(found, call, user, &plain, mark);
            reply = quota.on(plain);
        }
        self.dressed(reply, call)
    }

    fn too_many_at_once(&self, found: &Found, call: &Call, user: Option<&str>) -> Outcome {
        let mut org = self.site.lock();
        let reply = refusal(&mut org, &Code::TooManyRequests.into());
        self.record(
            found,
            call,
            user,
            &reply,
            Mark {
                ending: Ending::Answered,
                effect: Effect::None,
                fault: None,
            },
        );
        self.dressed(Quota::of_concurrency(call.now_ms).on(reply), call)
            .into()
    }

    fn refuse_path(&self, mut call: Call, error: &ApiError) -> Outcome {
        let mut org = self.site.lock();
        call.request_id = format!("req{}", org.request_dice.text(20));
        let reply = refusal(&mut org, error);
        let mark = Mark {
            ending: Ending::Answered,
            effect: Effect::None,
            fault: None,
        };
        self.simulation
            .journal
            .record(self.entry(("none", "none"), &call, None, &reply, mark));
        self.dressed(reply, &call).into()
    }

    fn facts<'b>(&'b self, found: &Found, call: &'b Call, user: Option<&'b str>) -> Facts<'b> {
        Facts {
            provider: "okta",
            org: self.org,
            method: &call.method,
            path: &call.path,
            family: found.route.family,
            operation: found.route.operation,
            user,
            write: found.route.is_write(),
        }
    }

    fn record(&self, found: &Found, call: &Call, user: Option<&str>, reply: &Reply, mark: Mark) {
        let names = (found.route.family, found.route.operation);
        self.simulation
            .journal
            .record(self.entry(names, call, user, reply, mark));
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
            provider: "okta",
            org: self.org.to_owned(),
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

    /// `reply` with the headers that every answer of Okta has.
    fn dressed(&self, mut reply: Reply, call: &Call) -> Reply {
        // The HTTP library writes the real date; a clock that was moved must show in it.
        if self.simulation.clock.offset_ms() != 0
            && let Ok(date) = HeaderValue::from_str(&http_date(call.now_ms))
        {
            reply.headers.push((DATE, date));
        }
        reply.with_header(REQUEST_ID, &call.request_id)
    }
}

/// Limits, credential, scope, length, then the handler.
fn answer(org: &mut Org, found: &Found, call: &mut Call) -> (Result<Reply, ApiError>, Quota) {
    let authenticated = match found.route.scope {
        Some(_) => org.authenticate(call),
        None => Ok(call.principal.clone()),
    };
    let caller = authenticated
        .as_ref()
        .map(|principal| principal.name.clone())
        .unwrap_or_default();
    let quota = org.limiter.count(
        &org.settings,
        &call.method,
        found.bucket,
        &caller,
        call.now_ms,
    );
    if quota.exceeded {
        return (Err(Code::TooManyRequests.into()), quota);
    }
    (
        authenticated.and_then(|principal| handled(org, found, call, principal)),
        quota,
    )
}

fn handled(
    org: &mut Org,
    found: &Found,
    call: &mut Call,
    principal: Principal,
) -> Result<Reply, ApiError> {
    org.authorize(&principal, found.route.scope, found.route.is_write())?;
    call.principal = principal;
    let needs_length = matches!(call.method.as_str(), "POST" | "PUT");
    if needs_length && call.body.is_empty() && call.header("content-length") != Some("0") {
        return Ok(Reply::json(411, &json!({ "error": "Length Required" })).unchanged());
    }
    org.require_feature(found.route.family)?;
    found.route.handle(org, call)
}

fn refusal(org: &mut Org, error: &ApiError) -> Reply {
    let id = format!("oae{}", org.request_dice.text(17));
    error.reply(&id, org.settings.error_causes_as_object)
}
