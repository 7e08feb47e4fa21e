//! One call on its way.

use std::time::Duration;

use hyper::header::{DATE, HeaderValue};
use serde_json::json;
use tokio::time::sleep;

use super::instances::{Instances, Site};
use super::route::find;
use super::{Call, Instance, Route, ordered};
use crate::clock::{http_date, iso};
use crate::exchange::{Incoming, Outcome, Reply};
use crate::faults::{Consequence, Facts, Verdict};
use crate::journal::{Effect, Ending, Entry};
use crate::simulation::Simulation;

/// Answers a request below the provider's path; `segments` starts with the name of the instance.
pub async fn serve<S: Instance>(
    simulation: &Simulation,
    instances: &Instances<S>,
    incoming: Incoming,
    mut segments: Vec<String>,
) -> Outcome {
    let name = segments.remove(0);
    let Some(site) = instances.get(&name) else {
        let provider = S::PROVIDER;
        let error = format!("no such instance {name:?}: PUT /control/{provider}/{name} creates it");
        return Reply::json(404, &json!({ "error": error })).into();
    };
    let prefix = format!("/{}/{name}", S::PROVIDER);
    let host = incoming.header("host").unwrap_or("localhost").to_owned();
    let base = format!("http://{host}{prefix}");
    let path = incoming
        .path
        .strip_prefix(&prefix)
        .unwrap_or_default()
        .to_owned();
    let passage = Passage {
        simulation,
        site: &site,
        name: &name,
        arrived_us: simulation.clock.monotonic_us(),
    };
    let method = incoming.method.as_str().to_owned();
    let mut call = Call::new(incoming, path, base, simulation.clock.now_ms());
    let routes = {
        let mut instance = site.lock();
        call.request_id = instance.next_request_id();
        instance.routes()
    };
    match find(routes, &method, &segments) {
        Ok((route, arguments)) => {
            call.arguments = arguments;
            passage.run(route, call).await
        }
        Err(status) => passage.refuse_path(&call, status),
    }
}

/// One call on its way.
struct Passage<'a, S: Instance> {
    simulation: &'a Simulation,
    site: &'a Site<S>,
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

impl Mark {
    const fn without_effect(ending: Ending, fault: Option<u64>) -> Self {
        Self {
            ending,
            effect: Effect::None,
            fault,
        }
    }
}

impl<S: Instance> Passage<'_, S> {
    async fn run(&self, route: &Route<S>, mut call: Call) -> Outcome {
        let user = self.site.lock().target(route, &call);
        let user = user.as_deref();
        let Verdict { wait, effect } = self
            .simulation
            .faults
            .decide(&self.facts(route, &call, user));
        if !wait.is_zero() {
            sleep(wait).await;
            call.now_ms = self.simulation.clock.now_ms();
        }
        match effect {
            None => {
                let mark = Mark::without_effect(Ending::Answered, None);
                self.apply(route, &mut call, user, mark, 1).into()
            }
            Some((id, order)) => self.run_faulty(route, call, user, id, &order).await,
        }
    }

    async fn run_faulty(
        &self,
        route: &Route<S>,
        mut call: Call,
        user: Option<&str>,
        id: u64,
        order: &Consequence,
    ) -> Outcome {
        let mark = |ending| Mark::without_effect(ending, Some(id));
        let hangs = order.hang_ms.is_some();
        let names = (route.family, route.operation);
        if order.answer_lost || (order.after_effect && hangs) {
            let ending = if hangs { Ending::Hung } else { Ending::Lost };
            self.apply(route, &mut call, user, mark(ending), 1);
        } else if order.reset || hangs {
            let ending = if hangs { Ending::Hung } else { Ending::Reset };
            let silence = Reply::empty(0).unchanged();
            self.record(names, &call, user, &silence, mark(ending));
        } else if let Some(status) = order.status {
            if order.after_effect {
                self.apply(route, &mut call, user, mark(Ending::Answered), 1);
            }
            let instance = self.site.lock();
            let reply = ordered::reply(&*instance, status, order).unchanged();
            let reply = self.dressed(&instance, reply, &call);
            if !order.after_effect {
                self.record(names, &call, user, &reply, mark(Ending::Answered));
            }
            return Outcome::Answer(reply, ordered::pace(order));
        } else {
            let times = if order.twice { 2 } else { 1 };
            let reply = self.apply(route, &mut call, user, mark(Ending::Answered), times);
            return Outcome::Answer(reply, ordered::pace(order));
        }
        sleep(Duration::from_millis(order.hang_ms.unwrap_or(0))).await;
        Outcome::Cut
    }

    /// Lets the call take effect `times` times; the journal gets an entry for each, in the order of the effects.
    fn apply(
        &self,
        route: &Route<S>,
        call: &mut Call,
        user: Option<&str>,
        mark: Mark,
        times: usize,
    ) -> Reply {
        let mut instance = self.site.lock();
        let mut reply = Reply::empty(500);
        for _ in 0..times {
            let admitted = instance.admit(route, call);
            let answer = admitted.and_then(|()| route.handle(&mut instance, call));
            reply = answer.unwrap_or_else(|refusal| instance.answer_of(&refusal).unchanged());
            let effect = match reply.status {
                400.. => Effect::None,
                _ if route.is_write => Effect::Write,
                _ => Effect::Read,
            };
            let names = (route.family, route.operation);
            self.record(names, call, user, &reply, Mark { effect, ..mark });
        }
        self.dressed(&instance, reply, call)
    }

    fn refuse_path(&self, call: &Call, status: u16) -> Outcome {
        let instance = self.site.lock();
        let reply = instance.answer_of(&S::refusal(status)).unchanged();
        let mark = Mark::without_effect(Ending::Answered, None);
        self.record(("none", "none"), call, None, &reply, mark);
        self.dressed(&instance, reply, call).into()
    }

    fn facts<'b>(&'b self, route: &Route<S>, call: &'b Call, user: Option<&'b str>) -> Facts<'b> {
        Facts {
            provider: S::PROVIDER,
            org: self.name,
            method: &call.method,
            path: &call.path,
            family: route.family,
            operation: route.operation,
            user,
            write: route.is_write,
        }
    }

    fn record(
        &self,
        (family, operation): (&'static str, &'static str),
        call: &Call,
        user: Option<&str>,
        reply: &Reply,
        mark: Mark,
    ) {
        let monotonic_us = self.simulation.clock.monotonic_us();
        let name = &call.principal;
        self.simulation.journal.record(Entry {
            seq: 0,
            at: iso(self.simulation.clock.now_ms()),
            monotonic_us,
            took_us: monotonic_us.saturating_sub(self.arrived_us),
            provider: S::PROVIDER,
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
        });
    }

    /// `reply` with the headers that every answer has.
    fn dressed(&self, instance: &S, mut reply: Reply, call: &Call) -> Reply {
        // The HTTP library writes the real date; a clock that was moved must show in it.
        if self.simulation.clock.offset_ms() != 0
            && let Ok(date) = HeaderValue::from_str(&http_date(call.now_ms))
        {
            reply.headers.push((DATE, date));
        }
        instance.dressed(reply, call)
    }
}
