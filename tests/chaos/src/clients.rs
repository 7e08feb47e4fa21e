//! The upstreams: an HR system over AMQP and HTTP, somebody who asks for opt-outs, and somebody who looks at the
//! console. They retry until they are answered, as they must.

mod amqp;
mod http;

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub(crate) use self::amqp::HrSystem;
pub(crate) use self::http::Http;
use crate::crowd::external_id;
use crate::promises::{Promises, Way};

/// One in this many asks a second time, in another way; the second request attaches to the first.
const TWICE_EVERY: u32 = 10;
/// How often the console is asked.
const CONSOLE_EVERY: Duration = Duration::from_millis(500);

/// Where the clients go.
pub(crate) struct Doors {
    pub(crate) intake: [String; 2],
    pub(crate) console: [String; 2],
    pub(crate) token: String,
    /// When everybody's employment ends, as the events say: the same at every repetition.
    pub(crate) effective_at: String,
}

/// Sends everything, evenly over `over`; returns when all of it is accepted, or `give_up` is cancelled.
pub(crate) async fn load(
    doors: &Doors,
    hr: HrSystem,
    promises: Promises,
    (leavers, over, seed): (usize, Duration, u64),
    give_up: CancellationToken,
) -> anyhow::Result<()> {
    let mut dice = StdRng::seed_from_u64(seed ^ 0x10AD);
    let http = Arc::new(Http::new(doors, promises.clone(), give_up.clone())?);
    let watching = tokio::spawn(watch_console(Arc::clone(&http), seed));
    let (start, mut under_way) = (Instant::now(), JoinSet::new());
    for person in 0..leavers {
        let due = over.mul_f64(person as f64 / leavers as f64);
        tokio::time::sleep_until(start + due).await;
        let first = draw(&mut dice);
        send(&mut under_way, &http, &hr, &promises, person, first);
        if dice.random_ratio(1, TWICE_EVERY) {
            let second = draw(&mut dice);
            if second != first {
                send(&mut under_way, &http, &hr, &promises, person, second);
            }
        }
        while under_way.try_join_next().is_some() {}
    }
    while under_way.join_next().await.is_some() {}
    hr.all_accepted(&give_up).await;
    watching.abort();
    Ok(())
}

fn draw(dice: &mut StdRng) -> Way {
    match dice.random_range(0..10) {
        0..5 => Way::Amqp,
        5..8 => Way::LeaverEvent,
        _ => Way::OptOut,
    }
}

/// The key of a request, the same whenever it is sent.
pub(crate) fn key(person: usize, way: Way) -> String {
    match way {
        Way::Amqp => format!("amqp-{person}"),
        Way::LeaverEvent => format!("event-{person}"),
        Way::OptOut => format!("ask-{person}"),
    }
}

/// A CloudEvents message about a leaver; the same for the same person and way.
fn event(person: usize, way: Way, effective_at: &str) -> String {
    let (id, external_id) = (key(person, way), external_id(person));
    serde_json::json!({
        "specversion": "1.0", "id": id, "source": "urn:hr", "type": "sever.employment.leaver.v1",
        "datacontenttype": "application/json",
        "data": {"person": {"external_id": external_id}, "employment_version": 1, "effective_at": effective_at},
    })
    .to_string()
}

fn send(
    under_way: &mut JoinSet<()>,
    http: &Arc<Http>,
    hr: &HrSystem,
    promises: &Promises,
    person: usize,
    way: Way,
) {
    promises.record().named.insert(person);
    if way == Way::Amqp {
        hr.publish(person);
    } else {
        let http = Arc::clone(http);
        under_way.spawn(async move { http.until_accepted(person, way).await });
    }
}

async fn watch_console(http: Arc<Http>, seed: u64) {
    let mut dice = StdRng::seed_from_u64(seed ^ 0xC0);
    loop {
        tokio::time::sleep(CONSOLE_EVERY).await;
        http.ask_console(&mut dice).await;
    }
}
