//! A full pass over HTTP: the simulator, RabbitMQ, and Sever's own reconciler and worker as they are shipped. The simulator does not
//! throttle; everybody in it has an owner in the directory, so that nothing but reading and comparing is measured.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use hyper::Method;
use serde_json::{Value, json};
use sever_bench::database::{Database, Inventory};
use sever_bench::http_client::HttpClient;
use sever_bench::processes::peak_rss_mib;
use sever_bench::programs::{log_end, program, ready, start, wait_for};
use sever_private_servers::{OwnedProcess, PrivatePostgres, PrivateRabbit, free_ports};
use sever_store::provision::OwnDatabase;

use crate::world::CONNECTION;

const TOKEN: &str = "bench-token";
const NAME: &str = "bench_http";
/// How long a pass may take at all.
const PASS_MAX: Duration = Duration::from_secs(300);
const STOP_MAX: Duration = Duration::from_secs(30);

/// What a pass came to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pass {
    /// Accounts and entitlements.
    pub(crate) rows: i64,
    /// From the claim to the last row.
    pub(crate) read_s: f64,
    /// From the last row to the promotion.
    pub(crate) compare_s: f64,
    pub(crate) worker_rss_mib: f64,
    pub(crate) reconciler_rss_mib: f64,
}

/// Makes a company of so many people at the simulator and reads all of it once.
pub(crate) async fn run(
    postgres: &PrivatePostgres,
    directory: &Path,
    people: u64,
) -> anyhow::Result<Pass> {
    let rabbit = PrivateRabbit::start(&directory.join("rabbit")).await?;
    let (simulator, address) = simulator(directory).await?;
    let accounts = company(&address, people).await?;
    let database = OwnDatabase {
        name: NAME.to_owned(),
        owner: format!("{NAME}_owner"),
        owner_password: "bench".to_owned(),
        service: format!("{NAME}_service"),
        service_password: "bench".to_owned(),
    };
    database.create(&postgres.url("postgres")).await?;
    let url = |role: &str| {
        let port = postgres.port();
        format!("postgres://{role}:bench@127.0.0.1:{port}/{NAME}")
    };
    sever_store::migrate(&url(&database.owner)).await?;
    let owner = Database::connect(&url(&database.owner)).await?;
    owner.run(&people_of(&address, &accounts)).await?;
    owner.run("VACUUM (ANALYZE) person").await?;
    owner.run("VACUUM (ANALYZE) binding").await?;
    let [worker_ops, reconciler_ops] = free_ports::<2>().context("finding free ports")?;
    let environment = |ops: u16| {
        [
            ("SEVER_DATABASE_URL", url(&database.service)),
            ("SEVER_AMQP_URL", rabbit.url()),
            ("SEVER_OPS_LISTEN", format!("127.0.0.1:{ops}")),
            ("BENCH_OKTA_TOKEN", TOKEN.to_owned()),
        ]
    };
    let worker = service(directory, "sever-worker-okta", &environment(worker_ops)).await?;
    ready("the worker", worker_ops)
        .await
        .with_context(|| log_end(&directory.join("sever-worker-okta.log")))?;
    let reconciler = service(directory, "sever-reconciler", &environment(reconciler_ops)).await?;
    let inventory = promoted(&owner)
        .await
        .with_context(|| log_end(&directory.join("sever-worker-okta.log")))?;
    let pass = Pass {
        rows: inventory.rows,
        read_s: inventory.read_s,
        compare_s: inventory.compare_s,
        worker_rss_mib: peak_rss_mib(worker.pid()),
        reconciler_rss_mib: peak_rss_mib(reconciler.pid()),
    };
    tokio::join!(
        reconciler.stop("TERM", STOP_MAX),
        worker.stop("TERM", STOP_MAX)
    );
    simulator.stop("TERM", STOP_MAX).await;
    rabbit.stop().await;
    Ok(pass)
}

async fn service(
    directory: &Path,
    name: &str,
    environment: &[(&'static str, String)],
) -> anyhow::Result<OwnedProcess> {
    let log = directory.join(format!("{name}.log"));
    start(&program(name)?, &log, |command| {
        command.envs(environment.iter().cloned());
    })
    .await
}

async fn simulator(directory: &Path) -> anyhow::Result<(OwnedProcess, String)> {
    let output = directory.join("simulator.out");
    // Its journal is not read: a small one leaves the machine's memory to what is measured.
    let process = start(&program("sever-provider-sim")?, &output, |command| {
        command.args(["--listen", "127.0.0.1:0", "--journal-capacity", "1000"]);
    })
    .await?;
    let address = wait_for("the simulator's address", async || {
        let text = std::fs::read_to_string(&output).ok()?;
        let line: Value = serde_json::from_str(text.lines().next()?).ok()?;
        line["address"].as_str().map(str::to_owned)
    })
    .await?;
    Ok((process, address))
}

/// Makes the company; returns the ids of its accounts.
async fn company(address: &str, people: u64) -> anyhow::Result<Vec<String>> {
    let http = HttpClient::new(address, "none", 1)?;
    let settings = json!({"ssws_tokens": [{"token": TOKEN, "name": "bench"}], "rate_limit": 1_000_000_000_u32, "principal_percent": 100});
    order(&http, Method::PUT, "/control/okta/main", &settings).await?;
    let wish = json!({"people": people, "domain": "example.test"});
    let made = order(
        &http,
        Method::POST,
        "/control/okta/main/seed-directory",
        &wish,
    )
    .await?;
    let users = made["users"].as_array().or_else(|| made.as_array());
    let users = users.context("the simulator does not say whom it made")?;
    let ids = users.iter().filter_map(|user| user["id"].as_str());
    let ids: Vec<String> = ids.map(str::to_owned).collect();
    ensure!(ids.len() as u64 == people, "{} people were made", ids.len());
    Ok(ids)
}

async fn order(
    http: &HttpClient,
    method: Method,
    path: &str,
    body: &Value,
) -> anyhow::Result<Value> {
    let (status, answer) = http.call(method, path, body.to_string().into()).await?;
    if !status.is_success() {
        bail!("{path}: {status} {}", String::from_utf8_lossy(&answer));
    }
    Ok(serde_json::from_slice(&answer).unwrap_or_default())
}

/// The directory in which each of these accounts has its person.
fn people_of(address: &str, accounts: &[String]) -> String {
    let ids = accounts.join(",");
    format!(
        "INSERT INTO connection (id, provider, name, base_url, credential_ref, token_lifetime_s, clock_skew_s, in_flight_max, jobs_max)
         VALUES ('{CONNECTION}', 'okta', 'okta-bench', 'http://{address}/okta/main', 'env:BENCH_OKTA_TOKEN', 3600, 30, 8, 64);
         CREATE TEMP TABLE someone AS
         SELECT account, ('00000000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid AS id
         FROM unnest('{{{ids}}}'::text[]) WITH ORDINALITY AS listed (account, i);
         INSERT INTO subject (id, kind) SELECT id, 'person' FROM someone;
         INSERT INTO person (id, employment_state) SELECT id, 'active' FROM someone;
         INSERT INTO binding (id, subject_id, connection_id, kind, provider_id, state, basis, confirmed_at)
         SELECT gen_random_uuid(), id, '{CONNECTION}', 'account', account, 'confirmed', 'source_listed', now() FROM someone;
         DROP TABLE someone"
    )
}

async fn promoted(owner: &Database) -> anyhow::Result<Inventory> {
    let begun = Instant::now();
    loop {
        match owner.newest_inventory().await? {
            Some(inventory) if inventory.state == "promoted" => return Ok(inventory),
            Some(inventory)
                if ["waiting", "running", "loaded"].contains(&inventory.state.as_str()) => {}
            Some(inventory) => bail!("the inventory is {}", inventory.state),
            None => {}
        }
        ensure!(
            begun.elapsed() < PASS_MAX,
            "waited {PASS_MAX:?} in vain for an inventory"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
