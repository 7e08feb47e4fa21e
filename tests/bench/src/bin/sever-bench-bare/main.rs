//! For each opt-out only the irreducible work: 1 accept commit, 1 confirmed publish in batches as a relay
//! makes them, 1 consume, 8 worker commits of rows as wide as Sever's, the calls of the fixed person from the
//! committed script in the same waves, 1 ack.
//!
//! It decides nothing, reads nothing back, survives nothing. Ends with one line of JSON.

#![expect(clippy::print_stdout, reason = "the driver reads the result")]

use std::collections::HashMap;
use std::time::Instant;

use anyhow::Context as _;
use bytes::Bytes;
use clap::Parser;
use futures::future::try_join_all;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use sever_bench::broker::Broker;
use sever_bench::calls::{Part, script};
use sever_bench::database::{BareOptOut, Rows};
use sever_bench::http_client::HttpClient;
use sever_bench::person::{SCRIPT, user_id};
use sever_bench::processes::own_cpu_seconds;
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
    opt_outs: HashMap<Uuid, BareOptOut>,
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
    let opt_outs: Vec<BareOptOut> = (0..flags.opt_outs)
        .map(|number| BareOptOut::new(user_id(flags.first_person + number)))
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
        opt_outs: opt_outs
            .iter()
            .map(|opt_out| (opt_out.job, opt_out.clone()))
            .collect(),
    };
    let (start, cpu) = (Instant::now(), own_cpu_seconds());
    let (accepted, fresh) = mpsc::channel(BATCH_MAX);
    tokio::try_join!(
        bare.accept(&opt_outs, accepted),
        relay(&broker, fresh),
        bare.work(&broker, flags.in_flight)
    )?;
    let (seconds, cpu) = (start.elapsed().as_secs_f64(), own_cpu_seconds() - cpu);
    println!(
        r#"{{"opt_outs":{},"seconds":{seconds:.4},"cpu_s":{cpu:.2}}}"#,
        flags.opt_outs
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

    async fn work(&self, broker: &Broker, in_flight: usize) -> anyhow::Result<()> {
        let prefetch = u16::try_from(in_flight).unwrap_or(u16::MAX);
        broker
            .consume(prefetch)
            .await?
            .take(self.opt_outs.len())
            .try_for_each_concurrent(in_flight, |delivered| async {
                let delivered = delivered;
                let opt_out = self.opt_outs.get(&delivered.job()?);
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
