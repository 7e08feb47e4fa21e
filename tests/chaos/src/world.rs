//! A fleet with a few people, for the tests of one fault at a time.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use reqwest::Response;
use sever_tests::until;
use tokio_util::sync::CancellationToken;

use crate::checker;
use crate::clients::{self, Doors, HrSystem, Http};
use crate::crowd::Crowd;
use crate::fleet::Fleet;
use crate::ground::{Ground, Servers};
use crate::promises::{Promises, Way};

/// People who never leave.
const BYSTANDERS: usize = 2;

/// Everything of one test; dropping it ends what it started.
pub struct World {
    /// Sever's programs. Before the ground: they end first.
    pub fleet: Fleet,
    /// What they stand on.
    pub ground: Ground,
    crowd: Crowd,
    promises: Promises,
    hr: HrSystem,
    http: Http,
}

impl World {
    /// Starts a fleet with so many people who will leave. Waiting is shortened, and `further` variables count for every
    /// process.
    ///
    /// # Errors
    /// What does not start.
    pub async fn start(
        servers: Arc<Servers>,
        base: &Path,
        leavers: usize,
        further: &[(&'static str, &str)],
    ) -> anyhow::Result<Self> {
        let ground = Ground::start(servers, base).await?;
        let crowd = Crowd::make(&ground, leavers, BYSTANDERS).await?;
        let mut variables = vec![
            ("SEVER_DATABASE_STATEMENT_TIMEOUT_MS", "3000"),
            ("SEVER_DATABASE_LOCK_TIMEOUT_MS", "2000"),
            ("SEVER_DATABASE_CONNECT_TIMEOUT_MS", "2000"),
        ];
        variables.extend(further);
        let fleet = Fleet::start(&ground, &variables).await?;
        let promises = Promises::default();
        let effective_at = jiff::Timestamp::now().to_string();
        let hr = HrSystem::start(ground.hr_url(), promises.clone(), effective_at.clone())?;
        let doors = Doors {
            intake: fleet.intake.clone(),
            console: fleet.console.clone(),
            token: crowd.token.clone(),
            effective_at,
        };
        let http = Http::new(&doors, promises.clone(), CancellationToken::new())?;
        Ok(Self {
            fleet,
            ground,
            crowd,
            promises,
            hr,
            http,
        })
    }

    /// One try to ask for somebody's opt-out at a replica of intake.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn ask(&self, person: usize, replica: usize) -> anyhow::Result<Response> {
        self.promises.record().named.insert(person);
        let intake = &self.fleet.intake[replica];
        let answer = self.http.send(person, Way::OptOut, intake).await;
        let answer = answer.context("asking for an opt-out")?;
        if answer.status() == reqwest::StatusCode::ACCEPTED {
            self.promises
                .accepted(&Self::key(person), person, Way::OptOut, None);
        }
        Ok(answer)
    }

    /// Asks both replicas in turn until one accepts it.
    pub async fn until_accepted(&self, person: usize) {
        self.promises.record().named.insert(person);
        self.http.until_accepted(person, Way::OptOut).await;
    }

    /// Publishes a leaver event until the broker confirms it.
    pub fn publish(&self, person: usize) {
        self.promises.record().named.insert(person);
        self.hr.publish(person);
    }

    /// Waits until the broker has confirmed every event that was published.
    pub async fn all_confirmed(&self) {
        self.hr.all_accepted(&CancellationToken::new()).await;
    }

    /// Publishes again what was confirmed, as the HR system's owner does after a loss of the broker's data.
    pub fn send_again(&self) {
        self.hr.send_again(None);
    }

    /// Forgets that somebody was promised something: for what is known to be lost.
    pub fn forget(&self, person: usize) {
        let mut record = self.promises.record();
        record
            .accepted
            .retain(|_, promise| promise.person != person);
    }

    /// Waits until all jobs of so many people are done.
    ///
    /// # Errors
    /// When that does not come about in time; with the jobs and bells as they are.
    pub async fn all_done(&self, people: usize, limit: Duration) -> anyhow::Result<()> {
        let wanted = format!("{0}|{0}", people * 2);
        let sql = "SELECT count(*) FILTER (WHERE state = 'done'), count(*) FROM job";
        let what = format!("{people} people are done");
        let done = until(&what, limit, || async {
            // The database may be on its way back.
            let found = self.ground.sql(sql).await.unwrap_or_default();
            Ok((found == wanted).then_some(()))
        });
        match done.await {
            Ok(()) => Ok(()),
            Err(error) => {
                let jobs = self
                    .ground
                    .sql("SELECT provider, state, state_reason, due_at, rung_at, attempt FROM job")
                    .await?;
                let bells = self
                    .ground
                    .sql("SELECT routing_key, tries, next_try_at, last_problem FROM outbox")
                    .await?;
                Err(error.context(format!("jobs:\n{jobs}\nbells:\n{bells}")))
            }
        }
    }

    /// Waits until a query shows something; returns what.
    ///
    /// # Errors
    /// When it shows nothing in time.
    pub async fn shows(&self, query: &str, limit: Duration) -> anyhow::Result<String> {
        until(query, limit, || async {
            let found = self.ground.sql(query).await.unwrap_or_default();
            Ok((!found.is_empty()).then_some(found))
        })
        .await
    }

    /// What the checker finds wrong in a fleet at rest.
    ///
    /// # Errors
    /// When it cannot look.
    pub async fn findings(&self) -> anyhow::Result<Vec<String>> {
        let (found, _) = checker::check(&self.ground, &self.crowd, &self.promises).await?;
        Ok([
            found.lost,
            found.unnamed_calls,
            found.unverified_done,
            found.double_audit,
            found.violations,
        ]
        .concat())
    }

    /// The key under which [`World::ask`] asks.
    #[must_use]
    pub fn key(person: usize) -> String {
        clients::key(person, Way::OptOut)
    }
}
