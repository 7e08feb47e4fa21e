//! A database of its own for each test.
//!
//! One PostgreSQL serves all tests of a test binary: the one of `DATABASE_URL`, or a private one whose data
//! stays under the target directory, so that only the first run of a machine waits for `initdb`. There a
//! migrated template is cloned for each test, which takes some ten milliseconds.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail};
use sever_private_servers::{DatabaseServer, Durability, PostgresOptions, ServerError};
use sever_store::{DatabaseSettings, Store};
use tokio::sync::OnceCell;
use url::Url;

/// The login role of the tests, with the rights of a service; also its password.
const APP_ROLE: &str = "sever_test_app";

/// Everything of ours on the server begins so; what an earlier run left behind is dropped by it.
const PREFIX: &str = "sever_test";

/// Directories to try: one for each test binary that runs at the same time.
const SERVERS_MAX: u32 = 32;

static SERVER: OnceCell<Server> = OnceCell::const_new();
static NEXT: AtomicU32 = AtomicU32::new(0);

/// A migrated database. On a given server it is dropped with this value.
#[derive(Debug)]
pub struct Database {
    name: String,
    owner_url: String,
    app_url: String,
    admin_url: String,
    dropped_at_end: bool,
}

impl Database {
    /// Makes a database with the whole schema and nothing in it.
    ///
    /// # Errors
    /// Where no server can be started, or a statement fails.
    pub async fn fresh() -> anyhow::Result<Self> {
        let server = SERVER.get_or_try_init(Server::start).await?;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}_{}_{number}", std::process::id());
        let template = server
            .template
            .as_ref()
            .map(|name| format!("TEMPLATE {name}"));
        let create = format!("CREATE DATABASE {name} {}", template.unwrap_or_default());
        psql(&server.url("postgres"), &create).await?;
        let owner_url = server.url(&name);
        if server.template.is_none() {
            migrate(&owner_url).await?;
        }
        let mut app_url = Url::parse(&owner_url).context("reading the database URL")?;
        let settable =
            app_url.set_username(APP_ROLE).is_ok() && app_url.set_password(Some(APP_ROLE)).is_ok();
        anyhow::ensure!(settable, "the database URL has no place for a user");
        Ok(Self {
            name,
            owner_url,
            app_url: app_url.into(),
            admin_url: server.url("postgres"),
            dropped_at_end: server.template.is_none(),
        })
    }

    /// The URL of the role that owns the schema.
    #[must_use]
    pub fn owner_url(&self) -> &str {
        &self.owner_url
    }

    /// The URL of a role that may do what a service may.
    #[must_use]
    pub fn app_url(&self) -> &str {
        &self.app_url
    }

    /// A pool of 8 connections with the rights of a service, and short timeouts.
    ///
    /// # Errors
    /// As [`Store::new`].
    pub fn store(&self) -> anyhow::Result<Store> {
        let settings = DatabaseSettings {
            url: self.app_url.clone(),
            pool_max: 8,
            statement_timeout: Duration::from_secs(20),
            lock_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(20),
            application_name: "sever-test".to_owned(),
        };
        Ok(Store::new(&settings)?)
    }

    /// Runs statements as the owner; returns what `psql -At` prints: a line for each row, columns by `|`.
    ///
    /// # Errors
    /// Where a statement fails.
    pub async fn sql(&self, statements: &str) -> anyhow::Result<String> {
        psql(&self.owner_url, statements).await
    }

    /// The same with the rights of a service.
    ///
    /// # Errors
    /// Where a statement fails, or is not allowed.
    pub async fn sql_as_app(&self, statements: &str) -> anyhow::Result<String> {
        psql(&self.app_url, statements).await
    }

    /// Takes the database away from everybody: sessions end, and new ones are refused until [`Database::bring_back`].
    ///
    /// # Errors
    /// Where a statement fails.
    pub async fn take_away(&self) -> anyhow::Result<()> {
        let name = &self.name;
        let close = format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false");
        psql(&self.admin_url, &close).await?;
        let end = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        );
        psql(&self.admin_url, &end).await.map(drop)
    }

    /// Lets sessions begin again.
    ///
    /// # Errors
    /// Where the statement fails.
    pub async fn bring_back(&self) -> anyhow::Result<()> {
        let open = format!("ALTER DATABASE {} WITH ALLOW_CONNECTIONS true", self.name);
        psql(&self.admin_url, &open).await.map(drop)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if self.dropped_at_end {
            let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
            // A server that is gone keeps nothing of ours that matters.
            let _ = run_psql(&self.admin_url, &statement);
        }
    }
}

/// The server of this test binary. It is never dropped: the kernel ends a private one with the process.
struct Server {
    server: DatabaseServer,
    template: Option<String>,
}

impl Server {
    async fn start() -> anyhow::Result<Self> {
        #[expect(
            clippy::disallowed_methods,
            reason = "tests choose their server before any configuration is read"
        )]
        let given = std::env::var("DATABASE_URL").ok();
        let server = match given {
            Some(url) => DatabaseServer::choose(Some(&url), Path::new("."), relaxed()).await?,
            None => private_server().await?,
        };
        let private = server.given().is_none();
        let template = private.then(|| format!("{PREFIX}_template"));
        let started = Self { server, template };
        if let Some(template) = &started.template {
            started.drop_leftovers().await?;
            psql(
                &started.url("postgres"),
                &format!("CREATE DATABASE {template}"),
            )
            .await?;
            migrate(&started.url(template)).await?;
        }
        Ok(started)
    }

    fn url(&self, database: &str) -> String {
        self.server.url(database)
    }

    async fn drop_leftovers(&self) -> anyhow::Result<()> {
        let url = self.url("postgres");
        let find = format!("SELECT datname FROM pg_database WHERE datname LIKE '{PREFIX}%'");
        for name in psql(&url, &find).await?.lines() {
            psql(&url, &format!("DROP DATABASE {name} WITH (FORCE)")).await?;
        }
        Ok(())
    }
}

fn relaxed() -> PostgresOptions {
    PostgresOptions {
        durability: Durability::Relaxed,
    }
}

/// A server in the first directory that no other test binary is using.
async fn private_server() -> anyhow::Result<DatabaseServer> {
    let base = target_directory()?.join("sever-test");
    std::fs::create_dir_all(&base).with_context(|| format!("making {}", base.display()))?;
    for number in 0..SERVERS_MAX {
        let dir = base.join(format!("postgres-{number}"));
        match DatabaseServer::choose(None, &dir, relaxed()).await {
            Err(ServerError::InUse { .. }) => {}
            started => return Ok(started?),
        }
    }
    bail!(
        "all {SERVERS_MAX} directories under {} are in use",
        base.display()
    )
}

/// A test binary lies in `<target>/<profile>/deps`.
fn target_directory() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe().context("finding the test binary")?;
    let target = program.ancestors().nth(3);
    target
        .map(Path::to_path_buf)
        .context("the test binary lies in no target directory")
}

async fn migrate(owner_url: &str) -> anyhow::Result<()> {
    sever_store::migrate(owner_url).await?;
    let role = format!(
        "DO $$ BEGIN CREATE ROLE {APP_ROLE} LOGIN PASSWORD '{APP_ROLE}' IN ROLE sever_app;
         EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
    );
    psql(owner_url, &role).await.map(drop)
}

/// Runs statements with `psql`, stopping at the first error, and returns what `psql -At` prints.
///
/// # Errors
/// Where a statement fails, or the server is away.
pub async fn psql(url: &str, statements: &str) -> anyhow::Result<String> {
    let (url, statements) = (url.to_owned(), statements.to_owned());
    tokio::task::spawn_blocking(move || run_psql(&url, &statements)).await?
}

fn run_psql(url: &str, statements: &str) -> anyhow::Result<String> {
    let output = Command::new("psql")
        .args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statements, url])
        .output()
        .context("running psql, which comes with PostgreSQL's client")?;
    if !output.status.success() {
        bail!(
            "{statements}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout)
        .trim_end()
        .to_owned())
}
