//! `make chaos`: breaks a fleet under load for some minutes and checks that every promise was kept.
//!
//! It ends with one line of JSON, and with status 1 where something is wrong; the seed that it prints deals the same
//! faults again. Whatever ends it, nothing is left running: the kernel ends what it started.

#![expect(
    clippy::print_stdout,
    reason = "the table and the line of JSON are what this program is for"
)]

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;
use sever_chaos::Plan;
use tokio::signal::unix::{SignalKind, signal};

/// Breaks a fleet under load and checks that every promise was kept; see the README beside its source.
#[derive(Debug, Parser)]
struct Flags {
    /// How long faults are dealt.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    minutes: u64,
    /// The seed; drawn where it is not given, and printed.
    #[arg(long)]
    seed: Option<u64>,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let flags = Flags::parse();
    let seed = flags
        .seed
        .unwrap_or_else(|| u64::from(rand::random::<u32>()));
    println!(
        "seed {seed}: run it again with --seed {seed} --minutes {}",
        flags.minutes
    );
    let mut terminate = signal(SignalKind::terminate()).context("watching SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("watching SIGINT")?;
    let plan = Plan::full(flags.minutes, seed);
    // Dropping the run drops, and so ends, every process that it started.
    let report = tokio::select! {
        report = sever_chaos::run(&plan, Path::new(".sever")) => report?,
        _ = terminate.recv() => anyhow::bail!("stopped by SIGTERM; nothing is left running"),
        _ = interrupt.recv() => anyhow::bail!("stopped by SIGINT; nothing is left running"),
    };
    println!("{}", report.table());
    if !report.is_good() {
        println!("failed with seed {seed}");
    }
    println!("{}", report.json());
    Ok(if report.is_good() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
