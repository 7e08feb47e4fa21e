//! Answers the calls of one fixed person, for any user id, from recorded bytes.
//!
//! Nothing is computed per call: the answer is chosen by which entitlements of that user were ended, and
//! its recorded bytes are sent with the user id put in. What was ended is gone from later reads, so that
//! a closing inspection proves it.
//!
//! `GET /bench/state` tells the number of calls and, in microseconds of the wall clock, when each user was
//! first written to; `POST /bench/latency/{ms}` sets how long each answer takes.

#![expect(
    clippy::print_stdout,
    reason = "the address and the report are what the driver reads"
)]

mod answers;
mod serve;

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use anyhow::Context as _;
use clap::Parser;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::serve::Stub;

/// The recorded-answer stub of the benchmark.
#[derive(Debug, Parser)]
struct Flags {
    /// How many users exist.
    #[arg(long, default_value_t = 100_000)]
    users: usize,
    /// Milliseconds that each answer takes.
    #[arg(long, default_value_t = 0)]
    latency_ms: u64,
    /// A file to which every call is written: microseconds, method and path.
    #[arg(long)]
    log: Option<PathBuf>,
}

// One thread: its share of the processor is a single number, and two cores are shared by everybody.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let flags = Flags::parse();
    let log = flags.log.as_ref().map(File::create).transpose();
    let log = log.context("making the log")?.map(BufWriter::new);
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .context("listening on a loopback port")?;
    let address = listener.local_addr().context("reading the own address")?;
    let stub = Arc::new(Stub::new(
        flags.users,
        flags.latency_ms,
        log.map(Mutex::new),
    ));
    println!(r#"{{"address":"{address}"}}"#);
    std::io::stdout()
        .flush()
        .context("printing the own address")?;
    let mut terminate = signal(SignalKind::terminate()).context("watching SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("watching SIGINT")?;
    tokio::select! {
        () = serve::run(listener, Arc::clone(&stub)) => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    let own = sever_bench::processes::cpu_seconds(std::process::id());
    println!(r#"{{"calls":{},"cpu_s":{own:.2}}}"#, stub.calls());
    Ok(())
}
