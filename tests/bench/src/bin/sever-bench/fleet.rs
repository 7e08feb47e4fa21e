//! What runs during a benchmark: private servers, the stub and Sever's programs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use hyper::Method;
use sever_bench::http_client::HttpClient;
use sever_bench::programs::{base, log_end, program, ready, start, wait_for};
use sever_private_servers::{
    Durability, OwnedProcess, PostgresOptions, PrivatePostgres, PrivateRabbit, free_ports,
};
use sever_store::provision::OwnDatabase;
use tempfile::TempDir;

/// Slots of the worker, connections of its pool, and calls under way at the provider.
pub(crate) const IN_FLIGHT: usize = 64;
/// Pooled connections of each service. More backends than this only make two cores switch.
const POOL_MAX: usize = 32;

const STOP_DEADLINE: Duration = Duration::from_secs(30);

/// The servers and the stub, with a directory that is removed with them.
pub(crate) struct Ground {
    pub(crate) postgres: PrivatePostgres,
    pub(crate) rabbit: PrivateRabbit,
    pub(crate) stub: Stub,
    // Last: the servers are gone before their data is removed.
    directory: TempDir,
}

/// The recorded-answer stub.
pub(crate) struct Stub {
    pub(crate) process: OwnedProcess,
    pub(crate) address: String,
    http: HttpClient,
}

impl Ground {
    /// Starts everything that both sides use.
    pub(crate) async fn start(users: usize, record: Option<&Path>) -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("sever-bench-")
            .tempdir_in(base()?)
            .context("making a directory for the servers")?;
        let durable = PostgresOptions {
            durability: Durability::Full,
        };
        let postgres_dir = directory.path().join("postgres");
        let rabbit_dir = directory.path().join("rabbit");
        let (postgres, rabbit) = tokio::try_join!(
            PrivatePostgres::start_with(&postgres_dir, durable),
            PrivateRabbit::start(&rabbit_dir)
        )?;
        let stub = Stub::start(directory.path(), users, record).await?;
        Ok(Self {
            postgres,
            rabbit,
            stub,
            directory,
        })
    }

    /// Makes a database with its roles and the whole schema.
    pub(crate) async fn database(&self, name: &str) -> anyhow::Result<OwnDatabase> {
        let database = OwnDatabase {
            name: name.to_owned(),
            owner: format!("{name}_owner"),
            owner_password: "bench".to_owned(),
            service: format!("{name}_service"),
            service_password: "bench".to_owned(),
        };
        database.create(&self.postgres.url("postgres")).await?;
        sever_store::migrate(&self.url_as(&database.owner, name)).await?;
        Ok(database)
    }

    /// The URL of a database as a role of it.
    pub(crate) fn url_as(&self, role: &str, name: &str) -> String {
        format!(
            "postgres://{role}:bench@127.0.0.1:{}/{name}",
            self.postgres.port()
        )
    }

    /// A path in the directory that is removed at the end.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }
}

impl Stub {
    async fn start(dir: &Path, users: usize, record: Option<&Path>) -> anyhow::Result<Self> {
        let output = dir.join("stub.out");
        let process = start(&program("sever-bench-stub")?, &output, |command| {
            command.arg("--users").arg(users.to_string());
            if let Some(record) = record {
                command.arg("--log").arg(record);
            }
        })
        .await?;
        let address = wait_for("the stub's address", async || {
            let text = std::fs::read_to_string(&output).ok()?;
            let json: serde_json::Value = serde_json::from_str(text.lines().next()?).ok()?;
            json["address"].as_str().map(str::to_owned)
        })
        .await?;
        let http = HttpClient::new(&address, "none", 1)?;
        Ok(Self {
            process,
            address,
            http,
        })
    }

    /// Sets how long each answer takes.
    pub(crate) async fn set_latency(&self, latency_ms: u64) -> anyhow::Result<()> {
        self.state_after(Method::POST, &format!("/bench/latency/{latency_ms}"))
            .await
            .map(drop)
    }

    /// How many calls it has answered.
    pub(crate) async fn calls(&self) -> anyhow::Result<u64> {
        let state = self.state_after(Method::GET, "/bench/state").await?;
        let first = state.lines().next().unwrap_or_default();
        first
            .trim_start_matches("calls ")
            .parse()
            .context("reading the stub's calls")
    }

    /// When each person was first written to: number and microseconds of the wall clock.
    pub(crate) async fn first_writes(&self) -> anyhow::Result<Vec<(usize, i64)>> {
        let state = self.state_after(Method::GET, "/bench/state").await?;
        let line = |line: &str| {
            let (number, at) = line.split_once(' ')?;
            Some((number.parse().ok()?, at.parse().ok()?))
        };
        Ok(state.lines().skip(1).filter_map(line).collect())
    }

    async fn state_after(&self, method: Method, path: &str) -> anyhow::Result<String> {
        let (_, body) = self.http.call(method, path, "".into()).await?;
        String::from_utf8(body.to_vec()).context("reading the stub's state")
    }
}

/// Sever's own programs at work.
pub(crate) struct Fleet {
    pub(crate) intake: OwnedProcess,
    pub(crate) worker: OwnedProcess,
    pub(crate) http: HttpClient,
}

impl Fleet {
    /// Starts intake and worker and waits until both are ready.
    pub(crate) async fn start(
        ground: &Ground,
        database: &OwnDatabase,
        token: &str,
    ) -> anyhow::Result<Self> {
        let [http, intake_ops, worker_ops] = free_ports::<3>().context("finding free ports")?;
        let shared = [
            (
                "SEVER_DATABASE_URL",
                ground.url_as(&database.service, &database.name),
            ),
            ("SEVER_AMQP_URL", ground.rabbit.url()),
            ("SEVER_DATABASE_POOL_MAX", POOL_MAX.to_string()),
        ];
        let intake = start(
            &program("sever-intake")?,
            &ground.path("intake.log"),
            |command| {
                command.envs(shared.clone());
                command.env("SEVER_HTTP_LISTEN", format!("127.0.0.1:{http}"));
                command.env("SEVER_OPS_LISTEN", format!("127.0.0.1:{intake_ops}"));
            },
        )
        .await?;
        let worker = start(
            &program("sever-worker-okta")?,
            &ground.path("worker.log"),
            |command| {
                command.envs(shared.clone());
                command.env("SEVER_OPS_LISTEN", format!("127.0.0.1:{worker_ops}"));
                command.env("SEVER_WORKER_SLOTS", IN_FLIGHT.to_string());
                // Every person of the directory leaves, so the mass guard must count and never trip.
                command.env("SEVER_GUARD_MASS_COUNT", "10000000");
                command.env("SEVER_GUARD_MASS_MINIMUM", "10000000");
                command.env("BENCH_OKTA_TOKEN", "recorded");
            },
        )
        .await?;
        for (name, port) in [("intake", intake_ops), ("worker", worker_ops)] {
            ready(name, port)
                .await
                .with_context(|| log_end(&ground.path(&format!("{name}.log"))))?;
        }
        let http = HttpClient::new(&format!("127.0.0.1:{http}"), &format!("Bearer {token}"), 16)?;
        Ok(Self {
            intake,
            worker,
            http,
        })
    }

    /// Stops both as an operator would.
    pub(crate) async fn stop(self) {
        tokio::join!(
            self.intake.stop("TERM", STOP_DEADLINE),
            self.worker.stop("TERM", STOP_DEADLINE)
        );
    }
}
