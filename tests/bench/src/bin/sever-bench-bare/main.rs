//! For each opt-out only the irreducible work: 1 accept commit, 1 confirmed publish in batches as a relay
//! makes them, 1 consume, 8 worker commits of rows as wide as Sever's, the calls of the fixed person from the
//! committed script in the same waves, 1 ack.
//!
//! It decides nothing, reads nothing back, survives nothing. Ends with one line of JSON.

#![expect(clippy::print_stdout, reason = "the driver reads the result")]

use std::collections::HashMap;
use std::pin::pin;
use std::time::Instant;

use anyhow::Context as _;
use bytes::Bytes;
use clap::Parser;
use futures::future::try_join_all;
use futures::stream::{self, Stream, StreamExt as _, TryStreamExt as _};
use serde_json::json;
use sever_bench::broker::{Broker, Delivered};
use sever_bench::calls::{Part, script};
use sever_bench::database::{BareOptOut, Rows};
use sever_bench::http_client::HttpClient;
use sever_bench::person::{SCRIPT, user_id};
use sever_bench::processes::{cpu_seconds, own_cpu_seconds};
use tokio::sync::mpsc;
use uuid::Uuid;

/// The relay's batch, as Sever's.
const BATCH_MAX: usize = 256;
/// Accept commits at once, as many as the driver sends to Sever.
const ACCEPTED_AT_ONCE: usize = 16;

/// The bare program of the benchmark.
#[derive(Debug, Parser)]
struct Flags {
    /// PostgreSQL.
    #[arg(long)]
    database: String,
    /// RabbitMQ.
    #[arg(long)]
    broker: String,
    /// The stub, as host:port.
    #[arg(long)]
    stub: String,
    /// The number of the first person.
    #[arg(long)]
    first_person: usize,
    /// How many opt-outs.
    #[arg(long)]
    opt_outs: usize,
    /// Of them, those before the clock starts: connections open, statements and plans are cached as in a service that runs.
    #[arg(long, default_value_t = 0)]
    warm_up: usize,
    /// Processes whose processor time is told beside the own one, which comes last.
    #[arg(long, value_delimiter = ',')]
    watch: Vec<u32>,
    /// Opt-outs, and calls at the provider, under way at once.
    #[arg(long, default_value_t = 64)]
    in_flight: usize,
    /// Connections to PostgreSQL.
    #[arg(long, default_value_t = 32)]
    connections: usize,
}

struct Bare {
    pool: Pool,
    http: HttpClient,
    script: Vec<Part>,
    in_flight: usize,
}

/// Connections that are taken in turn.
struct Pool {
    free: mpsc::Sender<Rows>,
    taken: tokio::sync::Mutex<mpsc::Receiver<Rows>>,
}

impl Pool {
    async fn commit(&self, name: &str, opt_out: &BareOptOut) -> anyhow::Result<()> {
        let rows = self.taken.lock().await.recv().await;
        let rows = rows.context("taking a connection")?;
        let done = rows.commit(name, opt_out).await;
        self.free
            .send(rows)
            .await
            .context("giving a connection back")?;
        done
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let flags = Flags::parse();
    let last = flags.first_person + flags.opt_outs;
    let opt_outs: Vec<BareOptOut> = (flags.first_person..last)
        .map(|number| BareOptOut::new(user_id(number)))
        .collect();
    let (free, taken) = mpsc::channel(flags.connections);
    for _ in 0..flags.connections {
        let rows = Rows::connect(&flags.database).await?;
        free.send(rows).await.context("filling the pool")?;
    }
    let first = Rows::connect(&flags.database).await?;
    first.prepare(&opt_outs).await?;
    let broker = Broker::connect(&flags.broker).await?;
    let bare = Bare {
        pool: Pool {
            free,
            taken: tokio::sync::Mutex::new(taken),
        },
        http: HttpClient::new(&flags.stub, "SSWS recorded", flags.in_flight)?,
        script: script(SCRIPT),
        in_flight: flags.in_flight,
    };
    let prefetch = u16::try_from(flags.in_flight).unwrap_or(u16::MAX);
    let mut messages = pin!(broker.consume(prefetch).await?);
    let (warm_up, counted) = opt_outs.split_at(flags.warm_up.min(opt_outs.len()));
    bare.all(&broker, messages.as_mut(), warm_up).await?;
    let cpu = || {
        let watched = flags.watch.iter().map(|pid| cpu_seconds(*pid));
        watched.chain([own_cpu_seconds()]).collect::<Vec<f64>>()
    };
    let (start, before) = (Instant::now(), cpu());
    bare.all(&broker, messages.as_mut(), counted).await?;
    let (seconds, after) = (start.elapsed().as_secs_f64(), cpu());
    let used: Vec<f64> = after
        .iter()
        .zip(before)
        .map(|(after, before)| after - before)
        .collect();
    println!(
        "{}",
        json!({"opt_outs": counted.len(), "seconds": seconds, "cpu_s": used})
    );
    Ok(())
}

/// Publishes what was accepted, as much at once as there is.
async fn relay(broker: &Broker, mut fresh: mpsc::Receiver<Uuid>) -> anyhow::Result<()> {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while fresh.recv_many(&mut batch, BATCH_MAX).await > 0 {
        broker.publish(&batch).await?;
        batch.clear();
    }
    Ok(())
}

impl Bare {
    async fn all(
        &self,
        broker: &Broker,
        messages: impl Stream<Item = anyhow::Result<Delivered>>,
        opt_outs: &[BareOptOut],
    ) -> anyhow::Result<()> {
        let (accepted, fresh) = mpsc::channel(BATCH_MAX);
        tokio::try_join!(
            self.accept(opt_outs, accepted),
            relay(broker, fresh),
            self.work(messages, opt_outs)
        )
        .map(drop)
    }

    async fn accept(
        &self,
        opt_outs: &[BareOptOut],
        accepted: mpsc::Sender<Uuid>,
    ) -> anyhow::Result<()> {
        let accepted = &accepted;
        stream::iter(opt_outs.iter().map(Ok))
            .try_for_each_concurrent(ACCEPTED_AT_ONCE, |opt_out| async move {
                self.pool.commit("accept", opt_out).await?;
                accepted.send(opt_out.job).await.context("handing on")
            })
            .await
    }

    async fn work(
        &self,
        messages: impl Stream<Item = anyhow::Result<Delivered>>,
        opt_outs: &[BareOptOut],
    ) -> anyhow::Result<()> {
        let by_job: HashMap<Uuid, &BareOptOut> = opt_outs.iter().map(|it| (it.job, it)).collect();
        let by_job = &by_job;
        messages
            .take(opt_outs.len())
            .try_for_each_concurrent(self.in_flight, |delivered| async move {
                let opt_out = by_job.get(&delivered.job()?);
                self.one(opt_out.context("finding the job of a message")?)
                    .await?;
                delivered.ack().await
            })
            .await
    }

    async fn one(&self, opt_out: &BareOptOut) -> anyhow::Result<()> {
        for part in &self.script {
            match part {
                Part::Commit(name) => self.pool.commit(name, opt_out).await?,
                Part::Calls(calls) => {
                    let calls = calls.iter().map(|call| async {
                        let path = call.path_of(&opt_out.account);
                        self.http
                            .call(call.method.clone(), &path, Bytes::new())
                            .await
                    });
                    try_join_all(calls).await?;
                }
            }
        }
        Ok(())
    }
}
