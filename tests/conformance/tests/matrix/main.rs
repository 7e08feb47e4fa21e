//! The conformance matrix over every connector, against the simulator's real binary.
//!
//! `cargo test` runs a seeded sample, `make conformance` the whole. Variables: `SEVER_CONFORMANCE` (`sample` or `all`),
//! `SEVER_CONFORMANCE_SEED`, `SEVER_CONFORMANCE_ONLY` (cells whose names begin so: `okta/person/crash/17`, `scim`), `SEVER_CONFORMANCE_LANES`.
#![expect(
    clippy::print_stdout,
    reason = "the table and the line of JSON are what this program is for"
)]
#![allow(
    missing_docs,
    reason = "a program of tests has no readers of its items"
)]

mod entra;
mod oidc;
mod okta;
mod scim;
mod vanta;
mod world;

use std::process::ExitCode;

use anyhow::Context as _;
use sever_domain::Provider;
use sever_testkit::conformance::{self, Conformance, Ran, Selection};

/// Cells of each subject that a sample draws, beside the clean run.
const SAMPLE: usize = 14;
/// The sample of `make test` is the same until somebody asks for another: a red test is a change of ours.
const SEED: u64 = 1;
/// Most lanes wait for their simulator most of the time.
const LANES: usize = 6;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("the conformance suite could not run: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Every connector; `true` where no cell failed.
async fn run() -> anyhow::Result<bool> {
    let seed = number("SEVER_CONFORMANCE_SEED")?.unwrap_or(SEED);
    let lanes = number("SEVER_CONFORMANCE_LANES")?.map_or(LANES, |lanes| lanes as usize);
    let selection = selection()?;
    println!(
        "conformance: seed {seed} (SEVER_CONFORMANCE_SEED={seed} runs the same again), {lanes} simulators"
    );
    let matrix = Conformance::start(seed, selection, lanes).await?;
    let mut ran = Vec::new();
    for provider in Provider::ALL {
        let began = std::time::Instant::now();
        let cells = conform(&matrix, *provider).await?;
        let slowest = cells.iter().max_by_key(|cell| cell.took);
        let slowest = slowest.map(|cell| {
            format!(
                ", the slowest {} ({:.1} s)",
                cell.name,
                cell.took.as_secs_f64()
            )
        });
        println!(
            "{provider}: {} cells in {} s{}",
            cells.len(),
            began.elapsed().as_secs(),
            slowest.unwrap_or_default()
        );
        for cell in &cells {
            say(cell, seed);
        }
        ran.extend(cells);
    }
    println!("\n{}", conformance::table(&ran));
    println!("{}", conformance::json_line(&ran, seed));
    Ok(ran.iter().all(|cell| cell.problem.is_none()))
}

/// The adaptor of each provider: one that is added to `Provider` has none, and this does not compile.
async fn conform(matrix: &Conformance, provider: Provider) -> anyhow::Result<Vec<Ran>> {
    match provider {
        Provider::Okta => conformance::run(matrix, okta::Okta).await,
        Provider::Entra => conformance::run(matrix, entra::Entra).await,
        Provider::Vanta => conformance::run(matrix, vanta::Vanta).await,
        Provider::Scim => conformance::run(matrix, scim::Scim).await,
        Provider::Oidc => conformance::run(matrix, oidc::Oidc::new()?).await,
    }
}

fn say(cell: &Ran, seed: u64) {
    if let Some(problem) = &cell.problem {
        println!("FAILED {}: {problem}", cell.name);
        println!("  alone: make conformance ONLY={} SEED={seed}", cell.name);
    }
}

fn selection() -> anyhow::Result<Selection> {
    if let Some(only) = variable("SEVER_CONFORMANCE_ONLY") {
        return Ok(Selection::Only(only));
    }
    match variable("SEVER_CONFORMANCE").as_deref() {
        None | Some("sample") => Ok(Selection::Sample(SAMPLE)),
        Some("all") => Ok(Selection::All),
        Some(other) => anyhow::bail!("SEVER_CONFORMANCE={other}: write 'sample' or 'all'"),
    }
}

fn number(name: &str) -> anyhow::Result<Option<u64>> {
    let parse = |text: String| {
        text.parse()
            .with_context(|| format!("{name} must be a whole number"))
    };
    variable(name).map(parse).transpose()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test has no configuration of its own; the variables are those of one command"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
