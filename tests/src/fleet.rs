//! The fleet: one database and one virtual host of its own for each test.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};
use sever_bus::{Bus, BusConfig, Outgoing, PublishOutcome, Topology};
use sever_domain::{ConnectionId, SourceId, SubjectId};
use sever_private_servers::{PrivateRabbit, free_ports};
use sever_testkit::Database;
use tempfile::TempDir;
use tokio::sync::OnceCell;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use crate::program::Program;
use crate::simulator::Simulator;
use crate::wait::until;

/// The secret that the simulated organisation accepts.
pub const OKTA_TOKEN: &str = "secret-of-the-worker";
/// The HR system's broker user; also its password.
const HR: &str = "hr";
/// How long a service may take to become ready on a busy machine.
const READY_MAX: Duration = Duration::from_secs(60);

static RABBIT: OnceCell<PrivateRabbit> = OnceCell::const_new();
static NEXT_HOST: AtomicU32 = AtomicU32::new(0);

/// What a fleet runs with.
#[derive(Debug, Clone, Default)]
pub struct FleetOptions {
    /// Further variables of intake.
    pub intake: Vec<(&'static str, String)>,
    /// Further variables of the worker.
    pub worker: Vec<(&'static str, String)>,
}

/// A running fleet. Dropping it kills its processes.
pub struct Fleet {
    /// The database.
    pub database: Database,
    /// The provider.
    pub simulator: Simulator,
    /// The intake service.
    pub intake: Program,
    /// The Okta worker.
    pub worker: Program,
    /// Where intake answers.
    pub intake_url: String,
    hr: Bus,
    operator: OnceCell<(Bus, DropGuard)>,
    amqp_url: String,
    host: String,
    source: SourceId,
    connection: ConnectionId,
    _hr_ends: DropGuard,
    folder: TempDir,
}

/// A person who is about to leave.
#[derive(Debug, Clone)]
pub struct Leaver {
    /// The pseudonym.
    pub subject: SubjectId,
    /// The HR system's id.
    pub external_id: String,
}

impl Fleet {
    /// Starts everything and waits until it is ready.
    ///
    /// # Errors
    /// What did not start, or did not become ready in time.
    pub async fn start(options: FleetOptions) -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        let database = Database::fresh().await?;
        let rabbit = RABBIT.get_or_try_init(start_rabbit).await?;
        let host = format!("fleet-{}", NEXT_HOST.fetch_add(1, Ordering::Relaxed));
        make_host(rabbit, &host).await?;
        let simulator = Simulator::start(folder.path(), OKTA_TOKEN).await?;
        let amqp_url = format!(
            "{}/{host}",
            rabbit.url().trim_end_matches("/%2f").trim_end_matches('/')
        );
        let hr_url = format!("amqp://{HR}:{HR}@127.0.0.1:{}/{host}", rabbit.port());
        let ports = free_ports::<3>().context("no free ports")?;
        let base = |ops: u16| {
            vec![
                ("PATH".to_owned(), "/usr/bin:/bin".to_owned()),
                (
                    "SEVER_DATABASE_URL".to_owned(),
                    database.app_url().to_owned(),
                ),
                ("SEVER_AMQP_URL".to_owned(), amqp_url.clone()),
                ("SEVER_OPS_LISTEN".to_owned(), format!("127.0.0.1:{ops}")),
                (
                    "SEVER_WORKER_CONSISTENCY_WAIT_MS".to_owned(),
                    "50".to_owned(),
                ),
                (
                    "SEVER_WORKER_CONSISTENCY_DEADLINE_MS".to_owned(),
                    "1000".to_owned(),
                ),
                ("SEVER_WORKER_RETRY_MIN_MS".to_owned(), "50".to_owned()),
                ("SEVER_WORKER_RETRY_MAX_MS".to_owned(), "500".to_owned()),
                ("OKTA_TOKEN".to_owned(), OKTA_TOKEN.to_owned()),
            ]
        };
        let with = |mut base: Vec<(String, String)>, further: &[(&'static str, String)]| {
            for (name, value) in further {
                base.retain(|(known, _)| known != name);
                base.push(((*name).to_owned(), value.clone()));
            }
            base
        };
        let mut intake = base(ports[0]);
        intake.push((
            "SEVER_HTTP_LISTEN".to_owned(),
            format!("127.0.0.1:{}", ports[1]),
        ));
        let intake = Program::start("sever-intake", folder.path(), with(intake, &options.intake))?;
        let worker = Program::start(
            "sever-worker-okta",
            folder.path(),
            with(base(ports[2]), &options.worker),
        )?;
        let end = CancellationToken::new();
        let hr = Bus::start(
            BusConfig::new(hr_url.into(), "hr.publish", Topology::default()),
            &end,
        )?;
        let (source, connection) = register(&database, &simulator.base_url()).await?;
        let mut fleet = Self {
            database,
            simulator,
            intake,
            worker,
            intake_url: format!("http://127.0.0.1:{}", ports[1]),
            hr,
            operator: OnceCell::new(),
            amqp_url,
            host,
            source,
            connection,
            _hr_ends: end.drop_guard(),
            folder,
        };
        fleet.ready(ports[0], ports[2]).await?;
        Ok(fleet)
    }

    async fn ready(&mut self, intake: u16, worker: u16) -> anyhow::Result<()> {
        let http = reqwest::Client::builder().no_proxy().build()?;
        for (name, port) in [("intake", intake), ("worker", worker)] {
            let http = &http;
            let what = format!("{name} is ready");
            let ready = until(&what, READY_MAX, || async move {
                let answer = http
                    .get(format!("http://127.0.0.1:{port}/readyz"))
                    .send()
                    .await;
                Ok(answer
                    .is_ok_and(|answer| answer.status().is_success())
                    .then_some(()))
            });
            let logs = format!("{}\n{}", self.intake.log()?, self.worker.log()?);
            ready.await.with_context(|| format!("its logs: {logs}"))?;
        }
        Ok(())
    }

    /// Starts the worker of another provider, with a connection `main` to the simulator's instance `main` of it. `credential` is what the connection's reference leads to.
    ///
    /// # Errors
    /// What did not start, or did not become ready in time.
    pub async fn join(
        &mut self,
        provider: &str,
        credential: &str,
    ) -> anyhow::Result<(Program, ConnectionId)> {
        let connection = ConnectionId::generate();
        let base_url = self.simulator.base_url_of(provider, "main");
        let sql = format!(
            "INSERT INTO connection (id, provider, name, base_url, credential_ref, token_lifetime_s, clock_skew_s, in_flight_max, jobs_max)
             VALUES ('{connection}', '{provider}', '{provider}', '{base_url}', 'env:CREDENTIAL', 1, 0, 32, 64);"
        );
        self.database.sql(&sql).await?;
        let mut environment = self.worker.environment().to_vec();
        environment.push(("CREDENTIAL".to_owned(), credential.to_owned()));
        let name = format!("sever-worker-{provider}");
        let program = self.ready_program(&name, environment).await?;
        Ok((program, connection))
    }

    /// Starts another process with the environment of `first`, as a second replica is.
    ///
    /// # Errors
    /// What did not start, or did not become ready in time.
    pub async fn replica(&self, name: &str, first: &Program) -> anyhow::Result<Program> {
        self.ready_program(name, first.environment().to_vec()).await
    }

    async fn ready_program(
        &self,
        name: &str,
        mut environment: Vec<(String, String)>,
    ) -> anyhow::Result<Program> {
        let port = free_ports::<1>().context("no free port")?[0];
        environment.retain(|(name, _)| name != "SEVER_OPS_LISTEN");
        environment.push(("SEVER_OPS_LISTEN".to_owned(), format!("127.0.0.1:{port}")));
        let program = Program::start(name, self.folder.path(), environment)?;
        let http = reqwest::Client::builder().no_proxy().build()?;
        let what = format!("{name} is ready");
        let ready = until(&what, READY_MAX, || async {
            let url = format!("http://127.0.0.1:{port}/readyz");
            let answer = http.get(url).send().await;
            Ok(answer
                .is_ok_and(|answer| answer.status().is_success())
                .then_some(()))
        });
        ready
            .await
            .with_context(|| program.log().unwrap_or_default())?;
        Ok(program)
    }

    /// Starts a console and returns it with its address.
    ///
    /// # Errors
    /// What did not start, or did not become ready in time.
    pub async fn console(&self) -> anyhow::Result<(Program, String)> {
        let [ops, http] = free_ports::<2>().context("no free ports")?;
        let environment = vec![
            ("PATH".to_owned(), "/usr/bin:/bin".to_owned()),
            (
                "SEVER_DATABASE_URL".to_owned(),
                self.database.app_url().to_owned(),
            ),
            ("SEVER_OPS_LISTEN".to_owned(), format!("127.0.0.1:{ops}")),
            ("SEVER_HTTP_LISTEN".to_owned(), format!("127.0.0.1:{http}")),
        ];
        let program = Program::start("sever-console", self.folder.path(), environment)?;
        let client = reqwest::Client::builder().no_proxy().build()?;
        let ready = until("the console is ready", READY_MAX, || async {
            let url = format!("http://127.0.0.1:{ops}/readyz");
            let answer = client.get(url).send().await;
            Ok(answer
                .is_ok_and(|answer| answer.status().is_success())
                .then_some(()))
        });
        ready
            .await
            .with_context(|| program.log().unwrap_or_default())?;
        Ok((program, format!("http://127.0.0.1:{http}")))
    }

    /// Publishes any body to any exchange, as a program with all rights does, and waits for the broker's confirm.
    ///
    /// # Errors
    /// When the broker does not confirm it.
    pub async fn publish_raw(
        &self,
        exchange: &str,
        routing_key: &str,
        body: &[u8],
    ) -> anyhow::Result<()> {
        let message = Outgoing {
            exchange: exchange.to_owned(),
            routing_key: routing_key.to_owned(),
            message_id: Uuid::now_v7(),
            body: body.to_vec(),
            ..Outgoing::default()
        };
        let bus = self.operator.get_or_try_init(|| async {
            let end = CancellationToken::new();
            let config = BusConfig::new(
                self.amqp_url.clone().into(),
                "operator",
                Topology::default(),
            );
            let bus = Bus::start(config, &end)?;
            anyhow::ensure!(bus.up().await, "the broker does not answer");
            anyhow::Ok((bus, end.drop_guard()))
        });
        let outcomes = bus.await?.0.publisher().publish_all(vec![message]).await?;
        anyhow::ensure!(outcomes == [PublishOutcome::Confirmed], "{outcomes:?}");
        Ok(())
    }

    /// How many messages a queue holds ready.
    ///
    /// # Errors
    /// When the broker cannot be asked.
    pub async fn depth(&self, queue: &str) -> anyhow::Result<u32> {
        let end = CancellationToken::new();
        let config = BusConfig::new(self.amqp_url.clone().into(), "look", Topology::default());
        let bus = Bus::start(config, &end)?;
        let _ends = end.drop_guard();
        anyhow::ensure!(bus.up().await, "the broker does not answer");
        let depth = bus.queue_depth(queue).await?;
        Ok(depth.map_or(0, |depth| depth.messages))
    }

    /// Throws every message of a queue away, as a broker that lost its data does.
    ///
    /// # Errors
    /// When the broker refuses.
    pub async fn purge(&self, queue: &str) -> anyhow::Result<()> {
        let rabbit = RABBIT.get().context("the broker runs")?;
        rabbit
            .control(&["purge_queue", "-p", &self.host, queue])
            .await
            .map(drop)
            .map_err(Into::into)
    }

    /// Starts the reconciler.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn reconcile(&self) -> anyhow::Result<Program> {
        let port = free_ports::<1>().context("no free port")?[0];
        let mut environment = self.worker.environment().to_vec();
        environment.retain(|(name, _)| name != "SEVER_OPS_LISTEN");
        environment.push(("SEVER_OPS_LISTEN".to_owned(), format!("127.0.0.1:{port}")));
        Program::start("sever-reconciler", self.folder.path(), environment)
    }

    /// Lists an account of a person at a connection, as the HR system does.
    ///
    /// # Errors
    /// When a statement fails.
    pub async fn bind(
        &self,
        leaver: &Leaver,
        connection: ConnectionId,
        account: &str,
    ) -> anyhow::Result<()> {
        let (id, subject) = (Uuid::now_v7(), leaver.subject);
        let sql = format!(
            "INSERT INTO binding (id, subject_id, connection_id, kind, provider_id, state, basis)
             VALUES ('{id}', '{subject}', '{connection}', 'account', '{account}', 'candidate', 'source_listed');"
        );
        self.database.sql(&sql).await.map(drop)
    }

    /// Makes a person whom the HR system lists with these account ids.
    ///
    /// # Errors
    /// When a statement fails.
    pub async fn person(&self, external_id: &str, accounts: &[&str]) -> anyhow::Result<Leaver> {
        let subject = SubjectId::generate();
        let (source, connection) = (self.source, self.connection);
        let mut sql = format!(
            "INSERT INTO subject (id, kind) VALUES ('{subject}', 'person');
             INSERT INTO person (id, employment_state) VALUES ('{subject}', 'active');
             INSERT INTO person_key (person_id, source_id, external_id) VALUES ('{subject}', '{source}', '{external_id}');
             UPDATE directory_census SET active_people = 1000;"
        );
        for account in accounts {
            sql.push_str(&format!(
                "INSERT INTO binding (id, subject_id, connection_id, kind, provider_id, state, basis)
                 VALUES ('{}', '{subject}', '{connection}', 'account', '{account}', 'candidate', 'source_listed');",
                Uuid::now_v7()
            ));
        }
        self.database.sql(&sql).await?;
        Ok(Leaver {
            subject,
            external_id: external_id.to_owned(),
        })
    }

    /// Publishes a leaver event for now, as the HR system does, and waits for the broker's confirm.
    ///
    /// # Errors
    /// When the broker does not confirm it.
    pub async fn leave(&self, leaver: &Leaver) -> anyhow::Result<()> {
        self.leave_at(leaver, Duration::ZERO).await.map(drop)
    }

    /// The same for an instant ahead. Returns the instant.
    ///
    /// # Errors
    /// When the broker does not confirm it.
    pub async fn leave_at(
        &self,
        leaver: &Leaver,
        ahead: Duration,
    ) -> anyhow::Result<jiff::Timestamp> {
        let at = jiff::Timestamp::now() + jiff::SignedDuration::try_from(ahead)?;
        let event = json!({
            "specversion": "1.0", "id": format!("leave-{}", leaver.external_id), "source": "urn:hr",
            "type": "sever.employment.leaver.v1", "datacontenttype": "application/json",
            "data": {"person": {"external_id": leaver.external_id}, "employment_version": 1, "effective_at": at.to_string()},
        });
        self.publish(&event).await?;
        Ok(at)
    }

    /// Releases every open hold, as an approver of this name.
    ///
    /// # Errors
    /// When a release is refused.
    pub async fn release_all(&self, approver: &str) -> anyhow::Result<()> {
        let store = self.database.store()?;
        let mut client = store.client("releasing holds").await?;
        for id in self
            .database
            .sql("SELECT id FROM hold WHERE state = 'open'")
            .await?
            .lines()
        {
            let tx = client.begin().await?;
            let approver = sever_store::hold_decision::Approver {
                actor: approver,
                source: None,
            };
            sever_store::hold_release::release(&tx, id.parse()?, approver, "checked with HR")
                .await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Publishes any body to `sever.in` as the HR system.
    ///
    /// # Errors
    /// When the broker does not confirm it.
    pub async fn publish(&self, event: &Value) -> anyhow::Result<()> {
        until("the broker confirms an event", READY_MAX, || async move {
            let message = Outgoing {
                exchange: "sever.in".to_owned(),
                routing_key: "leaver.workday".to_owned(),
                message_id: Uuid::now_v7(),
                body: event.to_string().into_bytes(),
                content_type: Some("application/cloudevents+json".to_owned()),
                type_: None,
                user_id: Some(HR.to_owned()),
                headers: std::collections::BTreeMap::new(),
            };
            let outcomes = self
                .hr
                .publisher()
                .publish_all(vec![message])
                .await
                .unwrap_or_default();
            Ok(outcomes
                .first()
                .is_some_and(|outcome| *outcome == PublishOutcome::Confirmed)
                .then_some(()))
        })
        .await
    }

    /// Takes the broker's marker queue away, as the loss of its data does. Waits until there is one: the dispatcher makes it when it begins.
    ///
    /// # Errors
    /// When there is none within a minute.
    pub async fn lose_marker(&self) -> anyhow::Result<()> {
        let rabbit = RABBIT.get().context("the broker was not started")?;
        let marker = sever_bus::topology::QUEUE_MARKER;
        let lost = || async {
            let delete = ["delete_queue", "-p", &self.host, marker];
            Ok(rabbit.control(&delete).await.ok().map(drop))
        };
        until(
            "the broker has a marker to lose",
            Duration::from_secs(60),
            lost,
        )
        .await
    }

    /// What the database's own checker finds wrong, now that the fleet is at rest; empty when nothing is.
    ///
    /// # Errors
    /// When a statement fails.
    pub async fn violations(&self) -> anyhow::Result<Vec<String>> {
        let client = self
            .database
            .store()?
            .client("checking the invariants")
            .await?;
        let found = sever_store::invariants::check(&client, Duration::from_secs(5)).await?;
        Ok(found
            .iter()
            .map(|violation| {
                format!(
                    "{} {}: {} {:?}",
                    violation.invariant, violation.what, violation.id, violation.detail
                )
            })
            .collect())
    }

    /// Waits until a query of the database shows something; returns what.
    ///
    /// # Errors
    /// When it shows nothing in time.
    pub async fn shows(&self, query: &str, limit: Duration) -> anyhow::Result<String> {
        until(query, limit, || async move {
            let rows = self.database.sql(query).await?;
            let rows = rows.trim().to_owned();
            Ok((!rows.is_empty()).then_some(rows))
        })
        .await
    }

    /// Waits until every job of the database is in one of these states, and there are at least `count`.
    ///
    /// # Errors
    /// When that does not come about in time; with the jobs as they are and the worker's log.
    pub async fn jobs_come_to(
        &self,
        states: &[&str],
        count: usize,
        limit: Duration,
    ) -> anyhow::Result<()> {
        let wanted = states
            .iter()
            .map(|state| format!("'{state}'"))
            .collect::<Vec<_>>()
            .join(",");
        let sql = format!("SELECT count(*) FILTER (WHERE state IN ({wanted})), count(*) FROM job");
        let come = until(&format!("{count} jobs are {states:?}"), limit, || async {
            let counts = self.database.sql(&sql).await?;
            let (there, all) = counts.split_once('|').context("two counts")?;
            Ok((there == all && there.parse::<usize>()? >= count).then_some(()))
        })
        .await;
        match come {
            Ok(()) => Ok(()),
            Err(error) => {
                let outbox = self.database.sql("SELECT exchange, routing_key, tries, next_try_at, last_problem FROM outbox").await?;
                let jobs = self
                    .database
                    .sql("SELECT id, state, state_reason, due_at, attempt, plan_revision FROM job")
                    .await?;
                Err(error.context(format!(
                    "jobs:\n{jobs}\noutbox:\n{outbox}\nintake:\n{}\nworker:\n{}",
                    tail(&self.intake.log()?),
                    tail(&self.worker.log()?)
                )))
            }
        }
    }
}

fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(25)..].join("\n")
}

async fn start_rabbit() -> anyhow::Result<PrivateRabbit> {
    let own = std::env::current_exe()?;
    let target = own
        .ancestors()
        .nth(3)
        .context("the test binary lies in no target directory")?;
    let folder = target.join("sever-test").join("rabbit-fleet");
    std::fs::create_dir_all(&folder)?;
    let rabbit = PrivateRabbit::start(Path::new(&folder)).await?;
    rabbit.wipe().await?;
    rabbit.control(&["add_user", HR, HR]).await?;
    Ok(rabbit)
}

async fn make_host(rabbit: &PrivateRabbit, host: &str) -> anyhow::Result<()> {
    rabbit.control(&["add_vhost", host]).await?;
    rabbit
        .control(&["set_permissions", "-p", host, "guest", ".*", ".*", ".*"])
        .await?;
    rabbit
        .control(&[
            "set_permissions",
            "-p",
            host,
            HR,
            "^$",
            "^sever\\.in$",
            "^$",
        ])
        .await?;
    Ok(())
}

/// The HR system as a trusted source, and the connection to the simulated organisation.
async fn register(database: &Database, base_url: &str) -> anyhow::Result<(SourceId, ConnectionId)> {
    let (source, connection) = (SourceId::generate(), ConnectionId::generate());
    let sql = format!(
        "INSERT INTO source (id, name, broker_user, trusted) VALUES ('{source}', 'workday', '{HR}', true);
         INSERT INTO connection (id, provider, name, base_url, credential_ref, token_lifetime_s, clock_skew_s, in_flight_max, jobs_max)
         VALUES ('{connection}', 'okta', 'main', '{base_url}', 'env:OKTA_TOKEN', 1, 0, 32, 64);"
    );
    database.sql(&sql).await?;
    Ok((source, connection))
}
