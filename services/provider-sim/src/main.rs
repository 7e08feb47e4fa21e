//! A simulator of the wire protocols of identity providers, for tests, benchmarks and demonstrations.
//!
//! It speaks what a provider documents, with the documented codes, paging, rate-limit headers and delays, and takes
//! orders over a control API: seed people and access, order faults, read the journal of every call, look at the truth.
//! It shares no code with any client, so a mistake made on one side cannot hide on the other.
//!
//! Everything random comes from `--seed`. State lives in memory and ends with the process.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        reason = "a test that cannot go on should stop with its line"
    )
)]

mod clock;
mod control;
mod dice;
mod entra;
mod exchange;
mod faults;
mod journal;
mod oidc;
mod okta;
mod pace;
mod passage;
mod scim;
mod server;
mod simulation;
mod vanta;

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Parser;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::simulation::Simulation;

/// Simulates identity providers over HTTP; see the README for the control API.
#[derive(Debug, Parser)]
#[command(name = "sever-provider-sim", version)]
struct Flags {
    /// Address to listen on; port 0 picks a free one, which is printed on stdout.
    #[arg(long, env = "SEVER_SIM_LISTEN", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Seed of everything random: ids, generated directories, probabilities of faults.
    #[arg(long, env = "SEVER_SIM_SEED", default_value_t = 1)]
    seed: u64,
    /// Log filter, for instance `info` or `sever_provider_sim=debug`.
    #[arg(long, env = "SEVER_SIM_LOG", default_value = "warn")]
    log: String,
    /// How many calls the journal keeps before it drops the oldest.
    #[arg(long, env = "SEVER_SIM_JOURNAL_CAPACITY", default_value_t = 1_000_000)]
    journal_capacity: usize,
}

fn main() -> anyhow::Result<()> {
    let flags = Flags::parse();
    start_logs(&flags.log)?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("starting the runtime")?
        .block_on(run(flags))
}

async fn run(flags: Flags) -> anyhow::Result<()> {
    let listener = TcpListener::bind(flags.listen)
        .await
        .with_context(|| format!("listening on {} (--listen)", flags.listen))?;
    let address = listener
        .local_addr()
        .context("reading the address of the listener")?;
    let mut terminate = signal(SignalKind::terminate()).context("watching SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("watching SIGINT")?;
    let simulation = Arc::new(Simulation::new(flags.seed, flags.journal_capacity));
    announce(address)?;
    tracing::info!(%address, seed = flags.seed, "listening");
    tokio::select! {
        () = server::serve(listener, simulation) => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    Ok(())
}

/// The one line on stdout: a program that starts the simulator learns the address from it.
fn announce(address: SocketAddr) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout();
    writeln!(
        stdout,
        "{}",
        serde_json::json!({ "address": address.to_string() })
    )
    .context("printing the address")?;
    stdout.flush().context("printing the address")
}

fn start_logs(filter: &str) -> anyhow::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_new(filter)
        .with_context(|| format!("reading --log {filter:?}"))?;
    tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    Ok(())
}
