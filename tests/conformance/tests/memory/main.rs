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
use sever_accept::{ForetellRequest, Whom, foretell};
use sever_domain::{ConnectionId, Intent, SubjectId};
use sever_tests::{Fleet, FleetOptions, Program};

const ENTITLEMENTS: usize = 10_000;
/// The most that a worker may have resident.
const PEAK_MAX_BYTES: u64 = 64 * 1024 * 1024;
/// How long an inspection and its plan may take on a busy machine.
const PLAN_MAX: Duration = Duration::from_secs(300);
const LOGIN: &str = "ada@example.com";
const SUBJECT: &str = "00subject0000000000a1";
const VANTA_SUBJECT: &str = "0000000000000000000000ad";
const BOSS: &str = "0000000000000000000000b0";

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

/// One leaver with that many groups at five systems; `true` where every worker stayed within its memory.
async fn run() -> anyhow::Result<bool> {
    let mut fleet = Fleet::start(FleetOptions::default()).await?;
    // By their ids: the simulator looks names up one by one.
    let groups: Vec<String> = (0..ENTITLEMENTS).map(|n| format!("00g{n:017}")).collect();
    let named: Vec<Value> = groups
        .iter()
        .map(|id| json!({ "id": id, "name": format!("Group {id}") }))
        .collect();
    let user = json!({ "id": SUBJECT, "login": LOGIN, "groups": groups });
    let world = json!({ "groups": named, "users": [user] });
    fleet.simulator.seed(&world).await?;
    let leaver = fleet.person("E7", &[SUBJECT]).await?;

    let mut workers = Vec::new();
    for mut system in [
        entra(&world),
        scim(&world),
        keycloak(&world),
        vanta(&groups),
    ] {
        let (worker, connection) = join(&mut fleet, &mut system).await?;
        fleet.bind(&leaver, connection, system.account).await?;
        workers.push((system.provider, worker));
    }
    // A removal at Vanta begins when everything else is done, which takes long here: there it is foretold.
    let foretold = ForetellRequest {
        whom: Whom::Id(leaver.subject),
        intent: Intent::Remove,
        scope: Some(vec!["vanta".to_owned()]),
        actor: "token:operator".to_owned(),
    };
    foretell(&fleet.database.store()?, &foretold).await?;
    planned(&fleet, leaver.subject, "vanta").await?;
    fleet.leave(&leaver).await?;
    let mut within = said("okta", &fleet, &fleet.worker, leaver.subject).await?;
    for (provider, worker) in &workers {
        within &= said(provider, &fleet, worker, leaver.subject).await?;
    }
    Ok(within)
}

/// Prints what a worker's memory came to once its plan is stored; `true` where that is within bounds.
async fn said(
    provider: &str,
    fleet: &Fleet,
    worker: &Program,
    subject: SubjectId,
) -> anyhow::Result<bool> {
    planned(fleet, subject, provider).await?;
    let peak = worker.peak_memory_bytes()?;
    let mib = peak as f64 / f64::from(1 << 20);
    println!(
        "memory of worker-{provider}: peak {mib:.1} MiB with {ENTITLEMENTS} groups (at most 64)"
    );
    Ok(peak <= PEAK_MAX_BYTES)
}

/// A system beside Okta: how its instance is set up, what is planted, and what lets the worker in.
struct System {
    provider: &'static str,
    settings: Value,
    seed: Value,
    credential: Value,
    account: &'static str,
}

async fn join(fleet: &mut Fleet, system: &mut System) -> anyhow::Result<(Program, ConnectionId)> {
    let place = format!("/{}/main", system.provider);
    let simulator = &fleet.simulator;
    let put = simulator.control("PUT", &place, &system.settings).await?;
    let seed = format!("{place}/seed");
    simulator.control("POST", &seed, &system.seed).await?;
    if system.provider == "entra" {
        system.credential["tenant_id"] = put["tenant_id"].clone();
    }
    let credential = match &system.credential {
        Value::String(token) => token.clone(),
        object => object.to_string(),
    };
    fleet.join(system.provider, &credential).await
}

fn entra(world: &Value) -> System {
    let app = json!({ "client_id": "0b6f7c1e-6d1e-4c55-9a07-6f2f7a3c9b10", "secret": "s", "name": "worker" });
    System {
        provider: "entra",
        settings: json!({ "apps": [app] }),
        seed: world.clone(),
        credential: json!({
            "client_id": app["client_id"], "client_secret": "s", "azure": false, "agreeing_reads": 2, "agreeing_pause_ms": 1,
        }),
        account: SUBJECT,
    }
}

fn scim(world: &Value) -> System {
    System {
        provider: "scim",
        settings: json!({ "tokens": [{ "token": "t", "name": "worker" }] }),
        seed: world.clone(),
        credential: json!("t"),
        account: SUBJECT,
    }
}

fn keycloak(world: &Value) -> System {
    let client = json!({ "client_id": "sever", "secret": "s", "admin_roles": ["manage-users", "manage-clients"] });
    System {
        provider: "oidc",
        settings: json!({}),
        seed: json!({ "clients": [client], "users": world["users"] }),
        credential: json!({ "client_id": "sever", "client_secret": "s", "profile": "keycloak", "realm": "main" }),
        account: SUBJECT,
    }
}

fn vanta(groups: &[String]) -> System {
    let named = groups.iter().map(|id| json!({ "id": id, "name": id }));
    let named: Vec<Value> = named.collect();
    System {
        provider: "vanta",
        settings: json!({ "applications": [{ "client_id": "vci_1", "client_secret": "s", "name": "worker" }] }),
        seed: json!({ "groups": named, "people": [
            { "id": BOSS, "email": "boss@example.com", "user": { "admin": true } },
            { "id": VANTA_SUBJECT, "email": LOGIN, "source": "okta", "groups": groups },
        ] }),
        credential: json!({ "client_id": "vci_1", "client_secret": "s", "acknowledger": BOSS }),
        account: VANTA_SUBJECT,
    }
}

/// Waits until the plan with every group is stored.
async fn planned(fleet: &Fleet, subject: SubjectId, provider: &str) -> anyhow::Result<()> {
    let query = format!(
        "SELECT count(*) FROM step JOIN job ON job.id = step.job_id \
         WHERE job.subject_id = '{subject}' AND job.provider = '{provider}' HAVING count(*) >= {ENTITLEMENTS}"
    );
    let Err(error) = fleet.shows(&query, PLAN_MAX).await else {
        return Ok(());
    };
    let jobs = "SELECT provider, kind, state, state_reason, attempt, plan_revision FROM job";
    let jobs = fleet.database.sql(jobs).await?;
    Err(error).with_context(|| format!("the jobs: {jobs}"))
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test has no configuration of its own; the variable is that of one command"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
