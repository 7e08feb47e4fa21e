//! `sever dev`: the whole fleet on one machine, until Ctrl-C.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;
use sever_config::{DevConfig, FromEnvironment as _, ProcessEnvironment};

use super::addresses::Ports;
use super::company;
use super::environment::ServiceEnvironment;
use super::fleet::{Fleet, Plan, SOURCE};
use super::narrator::Narrator;
use super::people::people_csv;
use super::supervise::{Finished, with_fleet};
use super::systems::{SYSTEMS, System};
use crate::exit::Ended;

/// For how long access tokens work; what cannot be recalled is residual for so long.
const LIFETIME_S: i64 = 3600;
const CLOCK_SKEW_S: i64 = 30;
/// Nothing in the simulated tenant is late unless somebody orders it.
const AGREEING_PAUSE_MS: u64 = 200;

/// Starts PostgreSQL, RabbitMQ, five simulated systems and every service on this machine, until Ctrl-C.
///
/// The systems are an Okta org, an Entra tenant with Azure, a SCIM application, a Keycloak realm and a Vanta tenant, each with its
/// worker and its connection. Everything begins anew at each start, because the simulated systems do. With DATABASE_URL or AMQP_URL set, those servers are used
/// instead of private ones; the database is one of our own on it, and is dropped at the end. Any SEVER_ variable of the services
/// can be set.
#[derive(Debug, Args)]
pub(crate) struct DevArguments {
    /// Where data, logs and secrets are kept.
    #[arg(long, value_name = "DIR", default_value = ".sever/dev")]
    directory: PathBuf,
    /// Take any free ports; otherwise the usual ones where they are free.
    #[arg(long)]
    any_ports: bool,
    /// How many people the simulated company has: all of them in Okta, fewer in each of the others.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    people: u32,
}

/// Runs the fleet until a signal, or until one of its programs ends by itself, which is status 1. A signal during the start is
/// status 130.
///
/// # Errors
/// Whatever could not be started or stopped. Nothing is left running in any case.
pub(crate) async fn run(arguments: DevArguments) -> Ended {
    let servers = DevConfig::from_environment(&ProcessEnvironment)?;
    let plan = plan(&arguments, servers);
    let finished = with_fleet(&plan, Narrator, async |fleet: &Fleet| {
        seed(fleet, arguments.people).await?;
        show(fleet)?;
        std::future::pending::<anyhow::Result<()>>().await
    });
    Ok(match finished.await? {
        Finished::Worked(()) | Finished::Interrupted(true) => ExitCode::SUCCESS,
        Finished::Interrupted(false) => ExitCode::from(130),
        Finished::Broken => ExitCode::FAILURE,
    })
}

fn plan(arguments: &DevArguments, servers: DevConfig) -> Plan {
    Plan {
        directory: arguments.directory.clone(),
        ports: if arguments.any_ports {
            Ports::Any
        } else {
            Ports::Usual
        },
        servers,
        environment: ServiceEnvironment::inherited(),
        settings: |_| json!({}),
        connection: |system, base_url| system.connection(base_url, LIFETIME_S, CLOCK_SKEW_S),
        agreeing_pause_ms: AGREEING_PAUSE_MS,
    }
}

/// People in the simulated systems, and the HR system's list of them.
async fn seed(fleet: &Fleet, people: u32) -> anyhow::Result<()> {
    let company = company::seed(&fleet.simulator, people as usize).await?;
    std::fs::write(fleet.home.join("people.csv"), people_csv(&company)?)
        .context("writing people.csv")
}

/// Where everything is and how to talk to it, on standard output.
fn show(fleet: &Fleet) -> anyhow::Result<()> {
    let (at, home) = (&fleet.addresses, fleet.home.path().display());
    let workers = at.workers.map(|worker| {
        let name = worker.program.trim_start_matches("sever-");
        format!("{name:<12} health and metrics http://{}", worker.ops)
    });
    let systems = SYSTEMS.map(|system| {
        let base_url = fleet.simulator.base_url(system.provider);
        let System {
            title, connection, ..
        } = system;
        format!("  {connection:<13} {title:<23} {base_url}")
    });
    let text = format!(
        "\
{database}; {broker}
intake       http://{intake}  (health and metrics http://{intake_ops})
console      http://{console}  (health and metrics http://{console_ops})
reconciler   looks at every system again  (health and metrics http://{reconciler_ops})
{workers}
simulator    http://{simulator}
{systems}
logs         {home}/logs

In another terminal:
  export SEVER_CONSOLE_URL=http://{console} SEVER_TOKEN_FILE={token}
  sever people import {home}/people.csv
  sever opt-out person {SOURCE}:E-0001 --reason 'left the company'
  sever watch

Leaver events of the HR system go to the exchange sever.in with the routing key leaver.{SOURCE}; the URL is in {home}/hr-amqp-url.
Ctrl-C stops everything.
",
        database = fleet.database.describe(),
        broker = fleet.broker.describe(),
        intake = at.intake,
        intake_ops = at.intake_ops,
        console = at.console,
        console_ops = at.console_ops,
        reconciler_ops = at.reconciler_ops,
        workers = workers.join("\n"),
        simulator = fleet.simulator.address(),
        systems = systems.join("\n"),
        token = fleet.token_file.display(),
    );
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .context("printing the addresses")
}
