//! The database of a fleet: a private server or the given one, a database of our own on it, its roles, the schema, the first token.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;
use sever_api::Scope;
use sever_audit::{AuditEvent, AuditKind};
use sever_config::{ExposeSecret as _, SecretString};
use sever_private_servers::{DatabaseServer, PostgresOptions};
use sever_store::api_token::{self, NewToken};
use sever_store::provision::OwnDatabase;
use sever_store::{DatabaseSettings, Store, audit, migrate};
use url::Url;
use uuid::Uuid;

use super::home::{Home, KEPT_RECORD};
use super::service::Ended;

/// Until a statement of ours is given up.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(60);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections of this program itself.
const POOL_MAX: usize = 4;
/// Who makes the first token, in the audit event.
const ACTOR: &str = "sever-dev";

/// A migrated database, with the files that lead to it.
#[derive(Debug)]
pub(crate) struct Database {
    server: DatabaseServer,
    /// The file with the URL of the service role, mode 0600.
    pub(crate) service_url_file: PathBuf,
    service_url: String,
}

impl Database {
    /// Starts the server, or uses the given one; makes database and roles, and migrates.
    ///
    /// # Errors
    /// Where a server cannot be started or reached, or refuses.
    pub(crate) async fn start(home: &Home, given: Option<&SecretString>) -> anyhow::Result<Self> {
        let given = given.map(|url| url.expose_secret());
        let server =
            DatabaseServer::choose(given, &home.join("postgres"), PostgresOptions::default())
                .await
                .context("starting PostgreSQL")?;
        let own = own_database();
        if server.given().is_some() {
            // Before the first statement, so that a killed program's database is found by the next one.
            home.append(KEPT_RECORD, &own.name)?;
        }
        own.create(&admin_url(&server))
            .await
            .context("making a database; the role of DATABASE_URL must be allowed to make roles and databases")?;
        let owner_url = url_as(&server, &own.name, &own.owner, &own.owner_password)?;
        let service_url = url_as(&server, &own.name, &own.service, &own.service_password)?;
        home.write_private("database-owner-url", &owner_url)?;
        let service_url_file = home.write_private("database-url", &service_url)?;
        migrate(&owner_url).await?;
        Ok(Self {
            server,
            service_url_file,
            service_url,
        })
    }

    /// A small pool with the rights of a service.
    ///
    /// # Errors
    /// As [`Store::new`].
    pub(crate) fn store(&self) -> anyhow::Result<Store> {
        Ok(Store::new(&DatabaseSettings {
            url: self.service_url.clone(),
            pool_max: POOL_MAX,
            statement_timeout: STATEMENT_TIMEOUT,
            lock_timeout: CONNECT_TIMEOUT,
            connect_timeout: CONNECT_TIMEOUT,
            application_name: "sever-dev".to_owned(),
        })?)
    }

    /// Makes a token with every scope and keeps it in the file `token`.
    ///
    /// # Errors
    /// Where a statement fails or the file cannot be written.
    pub(crate) async fn first_token(&self, home: &Home) -> anyhow::Result<(PathBuf, String)> {
        const NAME: &str = "dev";
        let store = self.store()?;
        let mut client = store.client("making the first token").await?;
        let tx = client.begin().await?;
        let scopes: Vec<&str> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
        let token = NewToken {
            name: NAME,
            scopes: &scopes,
            source: None,
            expires_at: None,
        };
        let (_, secret) = api_token::create(&tx, &token).await?;
        let data = json!({"change": "created", "token": NAME, "scopes": scopes});
        let event = AuditEvent::new(AuditKind::TokenChanged, tx.now().await?, ACTOR, data);
        audit::insert(&tx, &[event]).await?;
        tx.commit().await?;
        let file = home.write_private("token", secret.expose())?;
        Ok((file, secret.expose().to_owned()))
    }

    /// One line about where it is.
    pub(crate) fn describe(&self) -> String {
        match &self.server {
            DatabaseServer::Given(_) => "the PostgreSQL of DATABASE_URL".to_owned(),
            DatabaseServer::Private(server) => format!("PostgreSQL on 127.0.0.1:{}", server.port()),
        }
    }

    /// The end of a private server; never for a given one.
    pub(crate) async fn ended(&self) -> Ended {
        match &self.server {
            DatabaseServer::Given(_) => std::future::pending().await,
            DatabaseServer::Private(server) => Ended {
                name: "PostgreSQL",
                outcome: server.ended().await,
                log: server.log(),
            },
        }
    }

    /// Stops a private server; takes our database away from a given one.
    ///
    /// # Errors
    /// As [`remove_left_behind`].
    pub(crate) async fn stop(self, home: &Home) -> anyhow::Result<()> {
        match &self.server {
            DatabaseServer::Private(server) => {
                server.stop().await;
                Ok(())
            }
            DatabaseServer::Given(_) => {
                remove_left_behind(home, Some(&admin_url(&self.server).into())).await
            }
        }
    }
}

/// Takes away the databases that the record of `home` names, if any, from the server where they were made.
///
/// # Errors
/// Where the server cannot be reached or refuses; the record stays then, for the next start.
pub(crate) async fn remove_left_behind(
    home: &Home,
    given: Option<&SecretString>,
) -> anyhow::Result<()> {
    let record = home.join(KEPT_RECORD);
    let (Some(url), Ok(names)) = (given, fs::read_to_string(&record)) else {
        return Ok(());
    };
    for name in names.lines() {
        named(name)
            .remove(url.expose_secret())
            .await
            .with_context(|| format!("removing the database {name} of an earlier start"))?;
    }
    fs::remove_file(&record).with_context(|| format!("removing {}", record.display()))
}

fn admin_url(server: &DatabaseServer) -> String {
    server
        .given()
        .map_or_else(|| server.url("postgres"), str::to_owned)
}

/// One name for each start, because a given server may serve several people.
fn own_database() -> OwnDatabase {
    let random = Uuid::new_v4().simple().to_string();
    named(&format!("sever_dev_{}", &random[..12]))
}

fn named(name: &str) -> OwnDatabase {
    let password = || Uuid::new_v4().simple().to_string();
    OwnDatabase {
        name: name.to_owned(),
        owner: format!("{name}_owner"),
        owner_password: password(),
        service: format!("{name}_service"),
        service_password: password(),
    }
}

fn url_as(
    server: &DatabaseServer,
    database: &str,
    user: &str,
    password: &str,
) -> anyhow::Result<String> {
    let mut url =
        Url::parse(&server.url(database)).context("reading the URL of the database server")?;
    let settable = url.set_username(user).is_ok() && url.set_password(Some(password)).is_ok();
    anyhow::ensure!(
        settable,
        "the URL of the database server has no place for a user"
    );
    Ok(url.into())
}
