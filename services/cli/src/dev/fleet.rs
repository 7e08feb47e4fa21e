//! The whole fleet: started in order, stopped in order, and gone with this program however that ends.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use reqwest::Method;
use serde_json::Value;
use sever_api::connection_view::{AppliedView, ConnectionBody, ConnectionsBody};
use sever_api::operator_view::{SourceBody, SourceView};
use sever_config::{ConsoleClientConfig, DevConfig};
use sever_domain::Provider;
use tokio::task::JoinSet;

use super::addresses::{Addresses, Ports, for_simulator};
use super::broker::Broker;
use super::database::{Database, remove_left_behind};
use super::environment::ServiceEnvironment;
use super::home::Home;
use super::narrator::Narrator;
use super::programs::{start_services, start_simulator};
use super::service::{Ended, Service};
use super::simulator::Simulator;
use super::systems::{SYSTEMS, System};
use crate::client::Client;

/// The name of the source for which the HR system speaks.
pub(crate) const SOURCE: &str = "hr";
/// Until a new HTTP connection on this machine is given up.
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);

/// What kind of fleet.
pub(crate) struct Plan {
    /// Its directory; emptied first.
    pub(crate) directory: PathBuf,
    /// Which ports.
    pub(crate) ports: Ports,
    /// Servers to use instead of private ones.
    pub(crate) servers: DevConfig,
    /// What every service gets, beside its addresses.
    pub(crate) environment: ServiceEnvironment,
    /// Settings of a provider's simulated instance, beside what lets Sever in.
    pub(crate) settings: fn(Provider) -> Value,
    /// The connection to a system, by its base URL; the credential is filled in.
    pub(crate) connection: fn(System, &str) -> ConnectionBody,
    /// The pause between two of Entra's readings that must agree, in milliseconds.
    pub(crate) agreeing_pause_ms: u64,
}

/// A running fleet. Dropping it kills everything, in the order of the fields; [`Fleet::stop`] is the orderly way.
pub(crate) struct Fleet {
    services: Vec<Service>,
    simulated: Service,
    /// The broker.
    pub(crate) broker: Broker,
    /// The database.
    pub(crate) database: Database,
    /// The directory.
    pub(crate) home: Home,
    /// Where the services listen.
    pub(crate) addresses: Addresses,
    /// The first token's file.
    pub(crate) token_file: PathBuf,
    /// The console, with the first token.
    pub(crate) console: Client,
    /// The simulated systems.
    pub(crate) simulator: Simulator,
}

impl Fleet {
    /// Starts everything and waits until it is ready: servers and simulator, then the services, then source and connections.
    /// Not cancel-safe for a given database server: call [`Fleet::clean_up`] after dropping the call.
    ///
    /// # Errors
    /// Whatever could not be started, with its words. Nothing is left running then.
    pub(crate) async fn start(plan: &Plan, narrator: Narrator) -> anyhow::Result<Self> {
        let home = Home::fresh(&plan.directory)?;
        let given = plan.servers.database_url.as_ref();
        if let Err(error) = remove_left_behind(&home, given).await {
            narrator.say(format!("going on, with one thing left to do: {error:#}"));
        }
        let http = http_client()?;
        let simulator = Simulator::new(http.clone(), for_simulator(plan.ports)?);
        narrator.say("starting PostgreSQL, RabbitMQ and the simulator …");
        let (database, broker, simulated) = tokio::try_join!(
            Database::start(&home, given),
            Broker::start(&home, plan.servers.amqp_url.as_ref()),
            start_simulator(&simulator, &home, &http),
        )?;
        let (token_file, token) = database.first_token(&home).await?;
        let addresses = Addresses::choose(plan.ports)?;
        narrator.say("starting intake, the console, the reconciler and five workers …");
        let services = start_services(plan, addresses, &home, &database, &broker).await?;
        let all: Vec<_> = services
            .iter()
            .chain([&simulated])
            .map(Service::process)
            .collect();
        home.record(&all)?;
        for service in &services {
            service.wait_until_ready(&http).await?;
        }
        let fleet = Self {
            services,
            simulated,
            broker,
            database,
            home,
            addresses,
            token_file,
            console: console(addresses, token)?,
            simulator,
        };
        fleet.make_known(plan).await?;
        Ok(fleet)
    }

    /// After a start that was broken off: takes our database away from a given server. Where that fails it is said, and the next
    /// start tries again.
    pub(crate) async fn clean_up(plan: &Plan, narrator: Narrator) {
        let given = plan.servers.database_url.as_ref();
        if given.is_none() {
            return;
        }
        let cleaned = match Home::open(&plan.directory) {
            Ok(home) => remove_left_behind(&home, given).await,
            Err(error) => Err(error),
        };
        if let Err(error) = cleaned {
            narrator.say(format!(
                "something is left for the next start to remove: {error:#}"
            ));
        }
    }

    /// The first of its programs that ends by itself. Cancel-safe.
    pub(crate) async fn ended(&self) -> Ended {
        let mut services = JoinSet::new();
        for service in self.services.iter().chain([&self.simulated]) {
            services.spawn(service.ended());
        }
        tokio::select! {
            Some(Ok(ended)) = services.join_next() => ended,
            ended = self.database.ended() => ended,
            ended = self.broker.ended() => ended,
        }
    }

    /// Stops everything in order: the services drain, then the simulator, then the servers. Dropping the call kills what is left.
    ///
    /// # Errors
    /// Where our database cannot be taken away from a given server; everything else has stopped then.
    pub(crate) async fn stop(self, narrator: Narrator) -> anyhow::Result<()> {
        let mut stopping = JoinSet::new();
        for service in self.services {
            stopping.spawn(async move { (service.name(), service.stop().await) });
        }
        while let Some(stopped) = stopping.join_next().await {
            if let Ok((name, false)) = stopped {
                narrator.say(format!("{name} did not drain in time and was killed"));
            }
        }
        self.simulated.stop().await;
        let (database, ()) = tokio::join!(self.database.stop(&self.home), self.broker.stop());
        database
    }

    /// Registers the source, and applies the connections to the simulated systems, whose file stays for further changes.
    async fn make_known(&self, plan: &Plan) -> anyhow::Result<()> {
        let source = SourceBody {
            broker_user: Some(self.broker.hr_user.clone()),
            trusted: true,
        };
        let _: SourceView = self
            .console
            .send_json(Method::PUT, &["sources", SOURCE], &source)
            .await?;
        let mut connections = ConnectionsBody {
            connection: Vec::with_capacity(SYSTEMS.len()),
        };
        for system in SYSTEMS {
            connections.connection.push(self.admit(plan, system).await?);
        }
        let text = toml::to_string(&connections).context("writing connections.toml")?;
        std::fs::write(self.home.join("connections.toml"), text)
            .context("writing connections.toml")?;
        let _: AppliedView = self
            .console
            .send_json(Method::PUT, &["connections"], &connections)
            .await?;
        Ok(())
    }

    /// Makes a system, lets Sever in, and returns the connection to it.
    async fn admit(&self, plan: &Plan, system: System) -> anyhow::Result<ConnectionBody> {
        let provider = system.provider;
        let admission = system.admission(plan.agreeing_pause_ms);
        let file = format!("{}-credential", system.connection);
        let credential = self.home.write_private(&file, &admission.credential)?;
        let settings = merged((plan.settings)(provider), admission.settings);
        self.simulator
            .order(provider, Method::PUT, "", Some(&settings))
            .await?;
        if let Some(document) = &admission.seed {
            self.simulator.seed(provider, document).await?;
        }
        Ok(ConnectionBody {
            credential: format!("file:{}", credential.display()),
            ..(plan.connection)(system, &self.simulator.base_url(provider))
        })
    }
}

/// The members of both objects.
fn merged(mut one: Value, other: Value) -> Value {
    if let (Some(one), Value::Object(other)) = (one.as_object_mut(), other) {
        one.extend(other);
    }
    one
}

fn console(addresses: Addresses, token: String) -> anyhow::Result<Client> {
    Ok(Client::new(ConsoleClientConfig {
        url: format!("http://{}", addresses.console),
        token: Some(token.into()),
    })?)
}

/// One client for everything on this machine; it needs no proxy.
fn http_client() -> anyhow::Result<reqwest::Client> {
    // Another caller may have installed it already, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .connect_timeout(CONNECT_DEADLINE)
        .build()
        .context("making an HTTP client")
}
