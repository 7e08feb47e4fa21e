//! What the fleet stands on: private servers, the simulator, and the proxies between them and the fleet.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Context as _;
use sever_private_servers::{PostgresOptions, PrivatePostgres, PrivateRabbit};
use sever_store::provision::OwnDatabase;
use sever_testkit::{Proxy, psql};
use sever_tests::{OKTA_TOKEN, Simulator, binary};
use tempfile::TempDir;

use crate::crowd::SOURCE;

/// Databases of this program so far; each ground has its own.
static DATABASES: AtomicU32 = AtomicU32::new(0);
/// The password of its roles on a server that asks for none.
const PASSWORD: &str = "chaos";

/// Two links to a server, one for each half of the fleet, so that a half can lose it.
pub type Halves = [Proxy; 2];

/// The private servers. Several grounds may stand on them, one after the other.
#[derive(Debug)]
pub struct Servers {
    /// PostgreSQL with full durability.
    pub postgres: PrivatePostgres,
    /// RabbitMQ.
    pub rabbit: PrivateRabbit,
}

impl Servers {
    /// Starts both in `directory`, which must be their own.
    ///
    /// # Errors
    /// What does not start.
    pub async fn start(directory: &Path) -> anyhow::Result<Arc<Self>> {
        let (postgres, rabbit) = (directory.join("postgres"), directory.join("rabbit"));
        let (postgres, rabbit) = tokio::try_join!(
            PrivatePostgres::start_with(&postgres, PostgresOptions::default()),
            PrivateRabbit::start(&rabbit)
        )?;
        Ok(Arc::new(Self { postgres, rabbit }))
    }
}

/// All links.
pub struct Links {
    /// To PostgreSQL.
    pub database: Halves,
    /// To RabbitMQ.
    pub broker: Halves,
    /// To the Okta organisation.
    pub okta: Proxy,
    /// To the SCIM application.
    pub scim: Proxy,
}

/// Everything; what it started ends with it.
pub struct Ground {
    /// The links between the fleet and everything else.
    pub links: Links,
    /// The providers.
    pub simulator: Simulator,
    /// The servers.
    pub servers: Arc<Servers>,
    database: String,
    // Last: whoever writes logs is gone before they are removed.
    directory: TempDir,
}

impl Ground {
    /// Prepares the servers, with logs in a directory below `base` that is removed at the end.
    pub(crate) async fn start(servers: Arc<Servers>, base: &Path) -> anyhow::Result<Self> {
        let directory = directory(base)?;
        let simulator = Simulator::start(directory.path(), OKTA_TOKEN).await?;
        let provider: SocketAddr = simulator.address().parse().context("reading an address")?;
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let (database, broker) = (local(servers.postgres.port()), local(servers.rabbit.port()));
        let links = Links {
            database: [Proxy::start(database).await?, Proxy::start(database).await?],
            broker: [Proxy::start(broker).await?, Proxy::start(broker).await?],
            okta: Proxy::start(provider).await?,
            scim: Proxy::start(provider).await?,
        };
        let ground = Self {
            links,
            simulator,
            servers,
            database: format!("sever_chaos_{}", DATABASES.fetch_add(1, Ordering::Relaxed)),
            directory,
        };
        ground.prepare().await?;
        Ok(ground)
    }

    async fn prepare(&self) -> anyhow::Result<()> {
        let own = OwnDatabase {
            name: self.database.clone(),
            owner: format!("{}_owner", self.database),
            owner_password: PASSWORD.to_owned(),
            service: format!("{}_service", self.database),
            service_password: PASSWORD.to_owned(),
        };
        own.create(&self.servers.postgres.url("postgres")).await?;
        sever_store::migrate(&self.url_at(self.servers.postgres.port(), &own.owner)).await?;
        self.make_broker_user().await
    }

    /// Makes the HR system's broker user, who may write to the one exchange of intake and nothing else; he goes with the
    /// broker's data.
    ///
    /// # Errors
    /// When the broker refuses.
    pub async fn make_broker_user(&self) -> anyhow::Result<()> {
        let add = self
            .servers
            .rabbit
            .add_user(SOURCE, SOURCE, "^$", r"^sever\.in$", "^$");
        add.await.context("making the HR system's broker user")
    }

    fn url_at(&self, port: u16, role: &str) -> String {
        let database = &self.database;
        format!("postgres://{role}:{PASSWORD}@127.0.0.1:{port}/{database}")
    }

    /// The database as a service reaches it, without a proxy.
    pub(crate) fn service_url(&self) -> String {
        self.url_at(
            self.servers.postgres.port(),
            &format!("{}_service", self.database),
        )
    }

    /// The database as a half of the fleet reaches it.
    pub(crate) fn database_url(&self, half: usize) -> String {
        let port = self.links.database[half].address().port();
        self.url_at(port, &format!("{}_service", self.database))
    }

    /// The broker as a half of the fleet reaches it.
    pub(crate) fn broker_url(&self, half: usize) -> String {
        let address = self.links.broker[half].address();
        format!("amqp://guest:guest@{address}/%2f")
    }

    /// The broker as the HR system reaches it.
    pub(crate) fn hr_url(&self) -> String {
        self.servers.rabbit.url_as(SOURCE, SOURCE)
    }

    /// Where logs go.
    pub(crate) fn folder(&self) -> &Path {
        self.directory.path()
    }

    /// Keeps the directory with logs and data after the end; returns where it is.
    pub(crate) fn keep(&mut self) -> std::path::PathBuf {
        self.directory.disable_cleanup(true);
        self.directory.path().to_owned()
    }

    /// Runs statements as the superuser, past every proxy; a line for each row, columns by `|`.
    ///
    /// # Errors
    /// Where a statement fails, or the server is away.
    pub async fn sql(&self, statements: &str) -> anyhow::Result<String> {
        psql(&self.servers.postgres.url(&self.database), statements).await
    }

    fn copy_name(&self) -> String {
        format!("{}_copy", self.database)
    }

    /// Keeps the database as it is now, as a backup does.
    ///
    /// # Errors
    /// When PostgreSQL's own tools fail.
    pub async fn copy(&self) -> anyhow::Result<()> {
        let owner = format!("{}_owner", self.database);
        let make = format!("CREATE DATABASE {} OWNER {owner}", self.copy_name());
        psql(&self.servers.postgres.url("postgres"), &make).await?;
        let script = "set -eu; pg_dump \"$1\" | psql -XqAt -v ON_ERROR_STOP=1 \"$2\" > \"$3\"";
        let mut command = tokio::process::Command::new("sh");
        command.args(["-c", script, "sh"]);
        command.arg(self.servers.postgres.url(&self.database));
        command.arg(self.servers.postgres.url(&self.copy_name()));
        command.arg(self.folder().join("copy.log"));
        let copied = command.status().await.context("copying the database")?;
        anyhow::ensure!(copied.success(), "the database could not be copied");
        Ok(())
    }

    /// Puts the copy in the place of the database, which stays beside it under another name.
    ///
    /// # Errors
    /// When PostgreSQL refuses.
    pub async fn bring_back_the_copy(&self) -> anyhow::Result<()> {
        let (name, copy) = (&self.database, self.copy_name());
        let admin = self.servers.postgres.url("postgres");
        let statements = [
            format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false"),
            format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
            ),
            format!("ALTER DATABASE {name} RENAME TO {name}_lost"),
            format!("ALTER DATABASE {copy} RENAME TO {name}"),
            format!("ALTER DATABASE {name}_lost WITH ALLOW_CONNECTIONS true"),
        ];
        for statement in statements {
            psql(&admin, &statement).await?;
        }
        Ok(())
    }

    /// Runs `sever database-restored` as an administrator does; returns what it reports.
    ///
    /// # Errors
    /// When the command fails.
    pub async fn note_restored(&self) -> anyhow::Result<serde_json::Value> {
        let old = self.folder().join("old-database-url");
        let lost = format!("{}_lost", self.database);
        std::fs::write(&old, self.servers.postgres.url(&lost)).context("writing a URL")?;
        let mut command = tokio::process::Command::new(binary("sever")?);
        command.args(["-o", "json", "database-restored", "--reason", "a bad disk"]);
        command.arg("--old-database-url-file").arg(old);
        let owner = self.servers.postgres.url(&self.database);
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("SEVER_DATABASE_OWNER_URL", owner);
        let output = command.output().await.context("running sever")?;
        let errors = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(output.status.success(), "sever database-restored: {errors}");
        serde_json::from_slice(&output.stdout).context("reading what sever reported")
    }

    /// The first column of a query.
    pub(crate) async fn column(&self, query: &str) -> anyhow::Result<Vec<String>> {
        Ok(self.sql(query).await?.lines().map(str::to_owned).collect())
    }

    /// One number.
    pub(crate) async fn count(&self, query: &str) -> anyhow::Result<u64> {
        self.sql(query)
            .await?
            .trim()
            .parse()
            .context("reading a count")
    }
}

/// A directory of its own below `base`, removed when dropped.
pub(crate) fn directory(base: &Path) -> anyhow::Result<TempDir> {
    std::fs::create_dir_all(base).with_context(|| format!("making {}", base.display()))?;
    let base = base.canonicalize().context("finding the base directory")?;
    tempfile::Builder::new()
        .prefix("sever-chaos-")
        .tempdir_in(base)
        .context("making a directory of our own")
}
