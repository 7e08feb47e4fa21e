//! `make bench`: Sever beside a bare program that does for each opt-out only the irreducible work.
//!
//! It starts a private PostgreSQL (every commit on the disk) and RabbitMQ, the recorded-answer stub, intake
//! and the Okta worker, measures both sides in turn, and ends with one line of JSON. Whatever ends it, nothing
//! is left running: the kernel ends what it started.

#![expect(
    clippy::print_stdout,
    reason = "the table and the line of JSON are what this program is for"
)]

mod directory;
mod fleet;
mod report;
mod rounds;

use std::ops::Range;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context as _;
use clap::Parser;
use sever_bench::database::Database;
use sever_bench::processes::peak_rss_mib;
use tokio::signal::unix::{SignalKind, signal};

use crate::fleet::{Fleet, Ground};
use crate::report::Figures;
use crate::rounds::{Bench, WARM_UP};

/// Measures opt-outs per second and latencies; see the README beside its source.
#[derive(Debug, Parser)]
struct Flags {
    /// Rounds of each side at each latency; the median counts.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Opt-outs of one round at latency 0.
    #[arg(long, default_value_t = 1000)]
    opt_outs: usize,
    /// Opt-outs of one round at latency 20 ms.
    #[arg(long, default_value_t = 600)]
    opt_outs_20ms: usize,
    /// Opt-outs one at a time.
    #[arg(long, default_value_t = 500)]
    at_rest: usize,
    /// Print the costliest statements and the rows written by table as well.
    #[arg(long)]
    profile: bool,
    /// Write every call at the stub to this file, for recording the person's script anew.
    #[arg(long)]
    record: Option<PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let flags = Flags::parse();
    let mut terminate = signal(SignalKind::terminate()).context("watching SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("watching SIGINT")?;
    // Dropping the run drops, and so ends, every process that it started.
    tokio::select! {
        outcome = run(&flags) => outcome,
        _ = terminate.recv() => anyhow::bail!("stopped by SIGTERM; nothing is left running"),
        _ = interrupt.recv() => anyhow::bail!("stopped by SIGINT; nothing is left running"),
    }
}

/// People are used once: each round takes the next ones.
struct Numbers(usize);

impl Numbers {
    fn next(&mut self, count: usize) -> Range<usize> {
        let first = self.0;
        self.0 += count;
        first..self.0
    }
}

async fn run(flags: &Flags) -> anyhow::Result<()> {
    let start = Instant::now();
    let each = WARM_UP + flags.rounds * (flags.opt_outs + flags.opt_outs_20ms);
    let people = each + flags.opt_outs + flags.at_rest;
    let bare_people = each + 2 * flags.rounds * WARM_UP;
    println!("starting PostgreSQL, RabbitMQ and the stub; importing {people} people");
    let ground = Ground::start(people + bare_people, flags.record.as_deref()).await?;
    let bench = prepare(ground, people, flags.profile).await?;
    let (mut ours, mut bare) = (Numbers(0), Numbers(people));

    println!("warming up");
    bench.round_of_ours(ours.next(WARM_UP)).await?;
    // Both sides plan on the statistics that autovacuum would have gathered within its first minute.
    let bare_database = Database::connect(&bench.ground.postgres.url(&bench.bare.name)).await?;
    for database in [&bench.ours, &bare_database] {
        database.run("ANALYZE").await?;
    }
    let mut figures = Figures::default();
    for (latency_ms, opt_outs) in [(0, flags.opt_outs), (20, flags.opt_outs_20ms)] {
        bench.ground.stub.set_latency(latency_ms).await?;
        for round in 1..=flags.rounds {
            let our = bench.round_of_ours(ours.next(opt_outs)).await?;
            println!(
                "{latency_ms:>2} ms round {round}: Sever {}",
                report::line(&our)
            );
            let their = bench.round_of_bare(bare.next(WARM_UP + opt_outs)).await?;
            println!(
                "{latency_ms:>2} ms round {round}: bare  {}",
                report::line(&their)
            );
            figures.add_rounds(latency_ms, our, their);
        }
    }
    figures.worker_rss_mib = peak_rss_mib(bench.fleet.worker.pid());
    bench.ground.stub.set_latency(0).await?;
    println!("counting commits and calls, beside an idle window of the same length");
    let (_, commits, calls) = bench.commits_and_calls(ours.next(flags.opt_outs)).await?;
    (figures.commits, figures.calls) = (commits, calls);
    println!("{} opt-outs one at a time", flags.at_rest);
    (figures.contained_ms, figures.verified_ms) = bench.at_rest(ours.next(flags.at_rest)).await?;
    if flags.profile {
        profile(&bench).await?;
    }
    bench.fleet.stop().await;
    bench.ground.postgres.stop().await;
    bench.ground.rabbit.stop().await;
    println!("{}", figures.table(start.elapsed()));
    println!("{}", figures.json());
    Ok(())
}

async fn prepare(ground: Ground, people: usize, profile: bool) -> anyhow::Result<Bench> {
    if profile {
        let admin = Database::connect(&ground.postgres.url("postgres")).await?;
        admin
            .run("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'")
            .await?;
        ground.postgres.restart().await?;
    }
    let own = ground.database("sever_bench").await?;
    let bare = ground.database("sever_bench_bare").await?;
    let ours = Database::connect(&ground.postgres.url(&own.name)).await?;
    if profile {
        ours.run("CREATE EXTENSION pg_stat_statements").await?;
    }
    let url = ground.url_as(&own.service, &own.name);
    let token = directory::make(&url, &ground.stub.address, people).await?;
    let fleet = Fleet::start(&ground, &own, &token)
        .await
        .with_context(|| format!("starting Sever on {}", ground.directory().display()))?;
    Ok(Bench {
        ground,
        fleet,
        ours,
        bare,
    })
}

/// Where PostgreSQL's time and bytes went, for both sides.
async fn profile(bench: &Bench) -> anyhow::Result<()> {
    let url = bench.ground.postgres.url(&bench.bare.name);
    let bare = Database::connect(&url).await?;
    for (name, database) in [("Sever", &bench.ours), ("bare", &bare)] {
        println!(
            "\n{name}: rows written by table\n{}",
            database.rows_written().await?
        );
        println!("\n{name}: widths\n{}", database.widths().await?);
    }
    println!(
        "\nSever: statements\n{}\n",
        bench.ours.costly_statements().await?
    );
    Ok(())
}
