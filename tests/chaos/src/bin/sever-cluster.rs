//! `make cluster`: three nodes of RabbitMQ on this machine, killed in turn under load; ends with one line of JSON, and
//! with status 1 where a confirmed message was lost.

#![expect(
    clippy::print_stdout,
    reason = "the line of JSON is what this program is for"
)]

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

/// Kills the nodes of a cluster in turn and looks for every message that was confirmed.
#[derive(Debug, Parser)]
struct Flags {
    /// How long each node runs before it is killed, and how long it is away, in seconds.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=600))]
    between: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let flags = Flags::parse();
    println!("starting three nodes; each is killed once");
    let mut terminate = signal(SignalKind::terminate()).context("watching SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("watching SIGINT")?;
    let run = sever_chaos::cluster(Path::new(".sever"), Duration::from_secs(flags.between));
    // Dropping the run drops, and so ends, every process that it started.
    let report = tokio::select! {
        report = run => report?,
        _ = terminate.recv() => anyhow::bail!("stopped by SIGTERM; nothing is left running"),
        _ = interrupt.recv() => anyhow::bail!("stopped by SIGINT; nothing is left running"),
    };
    println!("{}", report.json());
    Ok(if report.is_good() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
