//! `make bench-reconcile`: one inventory of a million accounts and three million entitlements, loaded, compared and promoted, beside a
//! bare COPY of the same rows and the best plain SQL for the same questions.
//!
//! Both sides run in turn on one private PostgreSQL with full durability; the last line is JSON. Nothing is left running.

#![expect(
    clippy::print_stdout,
    reason = "the table and the line of JSON are what this program is for"
)]

mod floor;
mod ours;
mod over_http;
mod world;

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use clap::{Parser, Subcommand};
use serde_json::json;
use sever_bench::database::Database;
use sever_domain::RunId;
use sever_private_servers::{Durability, PostgresOptions, PrivatePostgres};
use sever_store::provision::OwnDatabase;

use crate::floor::Floor;
use crate::ours::Part;
use crate::world::World;

/// Measures the reconciler; see the README beside the source.
#[derive(Debug, Parser)]
struct Flags {
    /// Accounts, and people; a tenth of them is measured as well. Whole thousands.
    #[arg(long, default_value_t = 1_000_000)]
    accounts: u64,
    /// Rounds of both sides in turn; the medians count.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// People of the company that is read over HTTP; 0 leaves that out.
    #[arg(long, default_value_t = 100_000)]
    over_http: u64,
    #[command(subcommand)]
    part: Option<PartOf>,
}

/// Parts that run as processes of their own.
#[derive(Debug, Subcommand)]
enum PartOf {
    /// Stage a run.
    #[command(hide = true)]
    Load { url: String },
    /// Compare a run.
    #[command(hide = true)]
    Compare { url: String, run: RunId },
}

/// One round of both sides.
struct Round {
    floor: Floor,
    load: Part,
    compare: Part,
}

impl Round {
    fn ours_s(&self) -> f64 {
        self.load.seconds + self.compare.seconds
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let flags = Flags::parse();
    let world = World {
        accounts: flags.accounts,
    };
    match &flags.part {
        Some(PartOf::Load { url }) => {
            println!("{}", serde_json::to_string(&ours::load(url, world).await?)?)
        }
        Some(PartOf::Compare { url, run }) => println!(
            "{}",
            serde_json::to_string(&ours::compare(url, *run).await?)?
        ),
        None => measure(&flags).await?,
    }
    Ok(())
}

async fn measure(flags: &Flags) -> anyhow::Result<()> {
    ensure!(
        flags.accounts.is_multiple_of(10_000) && flags.rounds > 0,
        "--accounts takes whole ten thousands, --rounds at least 1"
    );
    if !ours::built_for_release(&std::env::current_exe()?) {
        println!("this is no release build: only the ratios of the database's work mean anything");
    }
    let base = PathBuf::from(".sever");
    std::fs::create_dir_all(&base).context("making .sever")?;
    let directory = tempfile::Builder::new()
        .prefix("sever-bench-")
        .tempdir_in(base.canonicalize()?)
        .context("making a directory for the server")?;
    let options = PostgresOptions {
        durability: Durability::Full,
    };
    let postgres = PrivatePostgres::start_with(&directory.path().join("postgres"), options).await?;
    let small = rounds(
        &postgres,
        "bench_small",
        World {
            accounts: flags.accounts / 10,
        },
        flags.rounds,
    )
    .await?;
    let large = rounds(
        &postgres,
        "bench_large",
        World {
            accounts: flags.accounts,
        },
        flags.rounds,
    )
    .await?;
    let pass = match flags.over_http {
        0 => None,
        people => Some(over_http::run(&postgres, directory.path(), people).await?),
    };
    postgres.stop().await;
    let of =
        |rounds: &[Round], figure: fn(&Round) -> f64| median(rounds.iter().map(figure).collect());
    let floor_s = of(&large, |round| round.floor.total());
    let reconcile_s = of(&large, Round::ours_s);
    let (copy_s, load_s) = (
        of(&large, |round| round.floor.copy_s),
        of(&large, |round| round.load.seconds),
    );
    let ratio = of(&large, |round| round.ours_s() / round.floor.total());
    let load_ratio = of(&large, |round| round.load.seconds / round.floor.copy_s);
    let growth = reconcile_s / of(&small, Round::ours_s);
    let worker_rss = large
        .iter()
        .map(|round| round.load.rss_mib)
        .chain(pass.map(|pass| pass.worker_rss_mib))
        .fold(0.0, f64::max);
    let reconciler_rss = large
        .iter()
        .map(|round| round.compare.rss_mib)
        .chain(pass.map(|pass| pass.reconciler_rss_mib))
        .fold(0.0, f64::max);
    println!("\nload / bare COPY       {load_ratio:>7.2}   wanted: at most 1.5");
    println!("ours / SQL floor       {ratio:>7.2}   wanted: at most 1.5");
    println!("1x / a tenth           {growth:>7.2}   wanted: at most 12");
    println!("staging process        {worker_rss:>7.1} MiB   wanted: under 64");
    if let Some(pass) = &pass {
        println!(
            "{} people over HTTP   {:>7.1} s to read {} rows, {:.1} s to compare   wanted: under 60",
            flags.over_http, pass.read_s, pass.rows, pass.compare_s
        );
    }
    println!("comparing process      {reconciler_rss:>7.1} MiB   wanted: under 64");
    println!(
        "{}",
        json!({
            "accounts": flags.accounts, "entitlements": flags.accounts * 3, "copy_s": round(copy_s), "load_s": round(load_s),
            "sql_floor_s": round(floor_s), "reconcile_s": round(reconcile_s), "ratio": round(ratio), "growth_10x": round(growth),
            "rows_per_s_http": pass.map(|pass| (pass.rows as f64 / pass.read_s).round()), "http_read_s": pass.map(|pass| round(pass.read_s)), "worker_rss_mib": round(worker_rss), "reconciler_rss_mib": round(reconciler_rss),
        })
    );
    Ok(())
}

/// Makes an organisation and measures both sides in turn.
async fn rounds(
    postgres: &PrivatePostgres,
    name: &str,
    world: World,
    rounds: usize,
) -> anyhow::Result<Vec<Round>> {
    println!(
        "{} people, {} accounts, {} entitlements",
        world.accounts,
        world.accounts,
        world.entitlements()
    );
    let database = OwnDatabase {
        name: name.to_owned(),
        owner: format!("{name}_owner"),
        owner_password: "bench".to_owned(),
        service: format!("{name}_service"),
        service_password: "bench".to_owned(),
    };
    database.create(&postgres.url("postgres")).await?;
    let url = |role: &str| {
        format!(
            "postgres://{role}:bench@127.0.0.1:{}/{name}",
            postgres.port()
        )
    };
    sever_store::migrate(&url(&database.owner)).await?;
    let owner = Database::connect(&url(&database.owner)).await?;
    owner.run(&world.directory()).await?;
    owner.run("VACUUM (ANALYZE) person").await?;
    owner.run("VACUUM (ANALYZE) binding").await?;
    let service = url(&database.service);
    let accounts = world.accounts.to_string();
    let mut measured = Vec::with_capacity(rounds);
    for number in 1..=rounds {
        // Each round opens every finding.
        owner.run("DELETE FROM finding").await?;
        let floor = floor::run(&owner, world).await?;
        let load = ours::part(&["--accounts", &accounts, "load", &service]).await?;
        let compare = ours::part(&[
            "--accounts",
            &accounts,
            "compare",
            &service,
            &load.run.to_string(),
        ])
        .await?;
        ensure!(
            compare.opened == world.findings(),
            "{} findings were opened, not {}",
            compare.opened,
            world.findings()
        );
        ours::tidy(&service).await?;
        let round = Round {
            floor,
            load,
            compare,
        };
        println!(
            "round {number}: bare COPY {:>6.2} s, with plain SQL {:>6.2} s; load {:>6.2} s, with comparison {:>6.2} s; {} findings",
            round.floor.copy_s,
            round.floor.total(),
            round.load.seconds,
            round.ours_s(),
            round.compare.opened
        );
        measured.push(round);
    }
    Ok(measured)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Two digits after the point.
fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
