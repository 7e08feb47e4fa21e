//! What the fleet stands on: private servers, the simulator, and the proxies between them and the fleet.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use anyhow::Context as _;
use sever_private_servers::{PostgresOptions, PrivatePostgres, PrivateRabbit};
use sever_store::provision::OwnDatabase;
use sever_testkit::{Proxy, psql};
use sever_tests::{OKTA_TOKEN, Simulator};
use tempfile::TempDir;

use crate::crowd::SOURCE;

/// The database and, with suffixes, its roles.
const DATABASE: &str = "sever_chaos";
/// The password of its roles on a server that asks for none.
const PASSWORD: &str = "chaos";

/// Two links to a server, one for each half of the fleet, so that a half can lose it.
pub(crate) type Halves = [Proxy; 2];

/// All links.
pub(crate) struct Links {
    pub(crate) database: Halves,
    pub(crate) broker: Halves,
    pub(crate) okta: Proxy,
    pub(crate) scim: Proxy,
}

/// Everything; what it started ends with it.
pub(crate) struct Ground {
    pub(crate) links: Links,
    pub(crate) simulator: Simulator,
    pub(crate) postgres: PrivatePostgres,
    pub(crate) rabbit: PrivateRabbit,
    // Last: the servers are gone before their data is removed.
    directory: TempDir,
}

impl Ground {
    /// Starts all of it in a directory below `base` that is removed at the end.
    pub(crate) async fn start(base: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(base).with_context(|| format!("making {}", base.display()))?;
        let base = base.canonicalize().context("finding the base directory")?;
        let directory = tempfile::Builder::new()
            .prefix("sever-chaos-")
            .tempdir_in(base)
            .context("making a directory for the servers")?;
        let postgres_dir = directory.path().join("postgres");
        let rabbit_dir = directory.path().join("rabbit");
        let (postgres, rabbit) = tokio::try_join!(
            PrivatePostgres::start_with(&postgres_dir, PostgresOptions::default()),
            PrivateRabbit::start(&rabbit_dir)
        )?;
        let simulator = Simulator::start(directory.path(), OKTA_TOKEN).await?;
        let provider: SocketAddr = simulator.address().parse().context("reading an address")?;
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let (database, broker) = (local(postgres.port()), local(rabbit.port()));
        let links = Links {
            database: [Proxy::start(database).await?, Proxy::start(database).await?],
            broker: [Proxy::start(broker).await?, Proxy::start(broker).await?],
            okta: Proxy::start(provider).await?,
            scim: Proxy::start(provider).await?,
        };
        let ground = Self {
            links,
            simulator,
            postgres,
            rabbit,
            directory,
        };
        ground.prepare().await?;
        Ok(ground)
    }

    async fn prepare(&self) -> anyhow::Result<()> {
        let own = OwnDatabase {
            name: DATABASE.to_owned(),
            owner: format!("{DATABASE}_owner"),
            owner_password: PASSWORD.to_owned(),
            service: format!("{DATABASE}_service"),
            service_password: PASSWORD.to_owned(),
        };
        own.create(&self.postgres.url("postgres")).await?;
        sever_store::migrate(&self.url_at(self.postgres.port(), &own.owner)).await?;
        self.make_broker_user().await
    }

    /// The HR system's broker user, who may write to the one exchange of intake and nothing else.
    pub(crate) async fn make_broker_user(&self) -> anyhow::Result<()> {
        let add = self
            .rabbit
            .add_user(SOURCE, SOURCE, "^$", r"^sever\.in$", "^$");
        add.await.context("making the HR system's broker user")
    }

    fn url_at(&self, port: u16, role: &str) -> String {
        format!("postgres://{role}:{PASSWORD}@127.0.0.1:{port}/{DATABASE}")
    }

    /// The database as a service reaches it, without a proxy.
    pub(crate) fn service_url(&self) -> String {
        self.url_at(self.postgres.port(), &format!("{DATABASE}_service"))
    }

    /// The database as a half of the fleet reaches it.
    pub(crate) fn database_url(&self, half: usize) -> String {
        let port = self.links.database[half].address().port();
        self.url_at(port, &format!("{DATABASE}_service"))
    }

    /// The broker as a half of the fleet reaches it.
    pub(crate) fn broker_url(&self, half: usize) -> String {
        let address = self.links.broker[half].address();
        format!("amqp://guest:guest@{address}/%2f")
    }

    /// The broker as the HR system reaches it.
    pub(crate) fn hr_url(&self) -> String {
        self.rabbit.url_as(SOURCE, SOURCE)
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
    pub(crate) async fn sql(&self, statements: &str) -> anyhow::Result<String> {
        psql(&self.postgres.url(DATABASE), statements).await
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
