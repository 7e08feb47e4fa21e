//! What a worker's memory comes to while it inspects and plans for a subject with ten thousand entitlements: the operating
//! system's figure of the real process, against the simulator. Part of `make conformance`; skipped with a line elsewhere.
#![expect(
    clippy::print_stdout,
    reason = "the figures are what this program is for"
)]
#![allow(
    missing_docs,
    reason = "a program of tests has no readers of its items"
)]

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};
use sever_domain::{ConnectionId, SubjectId};
use sever_tests::{Fleet, FleetOptions, Program};

const ENTITLEMENTS: usize = 10_000;
/// The most that a worker may have resident.
const PEAK_MAX_BYTES: u64 = 64 * 1024 * 1024;
/// How long an inspection and its plan may take on a busy machine.
const PLAN_MAX: Duration = Duration::from_secs(300);
const LOGIN: &str = "ada@example.com";
const SUBJECT: &str = "00subject0000000000a1";

#[tokio::main]
async fn main() -> ExitCode {
    if variable("SEVER_CONFORMANCE").as_deref() != Some("all") {
        println!("memory of a worker: skipped, run `make conformance`");
        return ExitCode::SUCCESS;
    }
    match run().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("the memory of the workers could not be measured: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// One leaver with that many groups at three systems; `true` where every worker stayed within its memory.
async fn run() -> anyhow::Result<bool> {
    let mut fleet = Fleet::start(FleetOptions::default()).await?;
    let groups: Vec<String> = (0..ENTITLEMENTS).map(|n| format!("Group {n}")).collect();
    let named: Vec<Value> = groups.iter().map(|name| json!({ "name": name })).collect();
    let user = json!({ "id": SUBJECT, "login": LOGIN, "groups": groups });
    let world = json!({ "groups": named, "users": [user] });
    fleet.simulator.seed(&world).await?;
    let leaver = fleet.person("E7", &[SUBJECT]).await?;

    let (entra, at_entra) = entra(&mut fleet, &world).await?;
    let (scim, at_scim) = scim(&mut fleet, &world).await?;
    for connection in [at_entra, at_scim] {
        fleet.bind(&leaver, connection, SUBJECT).await?;
    }
    fleet.leave(&leaver).await?;
    let mut within = true;
    for provider in ["okta", "entra", "scim"] {
        planned(&fleet, leaver.subject, provider).await?;
        let worker = match provider {
            "entra" => &entra,
            "scim" => &scim,
            _ => &fleet.worker,
        };
        let peak = worker.peak_memory_bytes()?;
        let mib = peak as f64 / f64::from(1 << 20);
        println!(
            "memory of worker-{provider}: peak {mib:.1} MiB with {ENTITLEMENTS} groups (at most 64)"
        );
        within &= peak <= PEAK_MAX_BYTES;
    }
    Ok(within)
}

async fn entra(fleet: &mut Fleet, world: &Value) -> anyhow::Result<(Program, ConnectionId)> {
    let app = json!({ "client_id": "0b6f7c1e-6d1e-4c55-9a07-6f2f7a3c9b10", "secret": "s", "name": "worker" });
    let settings = json!({ "apps": [app] });
    let simulator = &fleet.simulator;
    let put = simulator.control("PUT", "/entra/main", &settings).await?;
    simulator.control("POST", "/entra/main/seed", world).await?;
    let credential = json!({
        "tenant_id": put["tenant_id"], "client_id": app["client_id"], "client_secret": "s",
        "agreeing_reads": 2, "agreeing_pause_ms": 1,
    });
    fleet.join("entra", &credential.to_string()).await
}

async fn scim(fleet: &mut Fleet, world: &Value) -> anyhow::Result<(Program, ConnectionId)> {
    let settings = json!({ "tokens": [{ "token": "t", "name": "worker" }] });
    let simulator = &fleet.simulator;
    simulator.control("PUT", "/scim/main", &settings).await?;
    simulator.control("POST", "/scim/main/seed", world).await?;
    fleet.join("scim", "t").await
}

/// Waits until the plan with every group is stored.
async fn planned(fleet: &Fleet, subject: SubjectId, provider: &str) -> anyhow::Result<()> {
    let query = format!(
        "SELECT count(*) FROM step JOIN job ON job.id = step.job_id \
         WHERE job.subject_id = '{subject}' AND job.provider = '{provider}' HAVING count(*) >= {ENTITLEMENTS}"
    );
    let shown = fleet.shows(&query, PLAN_MAX).await;
    let shown = shown.map(drop);
    match shown {
        Ok(()) => Ok(()),
        Err(error) => {
            let jobs = fleet
                .database
                .sql("SELECT provider, state, state_reason, attempt, plan_revision FROM job")
                .await?;
            Err(error).with_context(|| format!("the jobs: {jobs}"))
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test has no configuration of its own; the variable is that of one command"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
