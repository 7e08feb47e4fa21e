//! What is measured: rounds at 64 in flight for both sides, opt-outs one at a time, commits and calls.

use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use futures::stream::{self, TryStreamExt as _};
use hyper::{Method, StatusCode};
use sever_bench::database::Database;
use sever_bench::processes::{cpu_seconds, own_cpu_seconds};
use sever_bench::programs::{log_end, program, start};
use sever_store::provision::OwnDatabase;

use crate::directory::external_id;
use crate::fleet::{Fleet, Ground, IN_FLIGHT};

/// Opt-outs before anything counts: statements and plans are cached, connections open.
pub(crate) const WARM_UP: usize = 256;
/// Requests that are sent at once.
const SENT_AT_ONCE: usize = 16;
/// How long a round may take.
const ROUND_DEADLINE: Duration = Duration::from_secs(120);
/// How often a round is looked at: seldom enough to cost nothing, as its times come from the rows.
const LOOK: Duration = Duration::from_millis(100);
/// The statistics of a backend that has become idle are visible after ten seconds (`PGSTAT_IDLE_INTERVAL`).
const STATISTICS_LAG: Duration = Duration::from_secs(11);

/// Processor seconds of each process in one round.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Processor {
    pub(crate) postgres: f64,
    pub(crate) broker: f64,
    pub(crate) worker: f64,
    pub(crate) intake: f64,
    pub(crate) stub: f64,
    pub(crate) driver: f64,
}

/// One round of one side.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Round {
    pub(crate) opt_outs: usize,
    pub(crate) seconds: f64,
    pub(crate) processor: Processor,
}

impl Round {
    pub(crate) fn per_second(&self) -> f64 {
        self.opt_outs as f64 / self.seconds
    }
}

/// The last line of the bare program.
#[derive(serde::Deserialize)]
struct BareResult {
    opt_outs: usize,
    seconds: f64,
    /// PostgreSQL, broker, stub, the bare program itself.
    cpu_s: [f64; 4],
}

/// Everything that runs.
pub(crate) struct Bench {
    pub(crate) ground: Ground,
    pub(crate) fleet: Fleet,
    pub(crate) ours: Database,
    pub(crate) bare: OwnDatabase,
}

impl Bench {
    fn processor(&self) -> Processor {
        let of = |pid: Option<u32>| pid.map_or(0.0, cpu_seconds);
        Processor {
            postgres: of(self.ground.postgres.pid()),
            broker: of(self.ground.rabbit.pid()),
            worker: cpu_seconds(self.fleet.worker.pid()),
            intake: cpu_seconds(self.fleet.intake.pid()),
            stub: cpu_seconds(self.ground.stub.process.pid()),
            driver: own_cpu_seconds(),
        }
    }

    /// Sever takes the access of these people away, all requests at once.
    pub(crate) async fn round_of_ours(&self, people: Range<usize>) -> anyhow::Result<Round> {
        let since = self.ours.now().await?;
        let before = self.processor();
        let opt_outs = people.len();
        stream::iter(people.map(Ok::<_, anyhow::Error>))
            .try_for_each_concurrent(SENT_AT_ONCE, |person| self.report_leaver(person))
            .await?;
        let start = Instant::now();
        loop {
            let progress = self.ours.progress(since).await?;
            if progress.done >= i64::try_from(opt_outs)? {
                return Ok(Round {
                    opt_outs,
                    seconds: progress.seconds,
                    processor: difference(before, self.processor()),
                });
            }
            if progress.stuck > 0 || start.elapsed() > ROUND_DEADLINE {
                let log = log_end(&self.ground.path("worker.log"));
                bail!("{progress:?} of {opt_outs} opt-outs; {log}");
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The bare program takes the next people of its own: the first ones before its clock starts.
    pub(crate) async fn round_of_bare(&self, people: Range<usize>) -> anyhow::Result<Round> {
        let output = self.ground.path("bare.out");
        let url = self.ground.url_as(&self.bare.service, &self.bare.name);
        let ground = &self.ground;
        let watched = [
            ground.postgres.pid(),
            ground.rabbit.pid(),
            Some(ground.stub.process.pid()),
        ];
        let watched: Vec<String> = watched.iter().flatten().map(u32::to_string).collect();
        let process = start(&program("sever-bench-bare")?, &output, |command| {
            command.arg("--database").arg(url);
            command.arg("--broker").arg(ground.rabbit.url());
            command.arg("--stub").arg(&ground.stub.address);
            command.arg("--first-person").arg(people.start.to_string());
            command.arg("--opt-outs").arg(people.len().to_string());
            command.arg("--warm-up").arg(WARM_UP.to_string());
            command.arg("--in-flight").arg(IN_FLIGHT.to_string());
            command.arg("--watch").arg(watched.join(","));
        })
        .await?;
        tokio::time::timeout(ROUND_DEADLINE, process.ended())
            .await
            .context("waiting for the bare program")?;
        let text = std::fs::read_to_string(&output).context("reading the bare program's output")?;
        let last = text.lines().last().unwrap_or_default();
        let result: BareResult = serde_json::from_str(last).with_context(|| log_end(&output))?;
        let [postgres, broker, stub, worker] = result.cpu_s;
        Ok(Round {
            opt_outs: result.opt_outs,
            seconds: result.seconds,
            processor: Processor {
                postgres,
                broker,
                worker,
                stub,
                ..Processor::default()
            },
        })
    }

    /// One leaver event over HTTP, as an upstream sends it.
    async fn report_leaver(&self, person: usize) -> anyhow::Result<()> {
        let now = jiff::Timestamp::now();
        let external_id = external_id(person);
        let body = format!(
            r#"{{"specversion":"1.0","id":"{external_id}","source":"https://hr.example/employment","type":"sever.employment.leaver.v1","time":"{now}","data":{{"person":{{"external_id":"{external_id}"}},"employment_version":1,"effective_at":"{now}","reason":"end of contract"}}}}"#
        );
        let (status, answer) = self
            .fleet
            .http
            .call(Method::POST, "/v1/leaver-events", body.into())
            .await?;
        ensure!(
            status == StatusCode::ACCEPTED,
            "a leaver event was answered {status}: {}",
            String::from_utf8_lossy(&answer)
        );
        Ok(())
    }

    /// Commits and calls for each opt-out of a round.
    ///
    /// A window around the round is compared with an idle window of the same length, so that heartbeats,
    /// pollers and this program's own looks at an idle fleet are not counted. Both windows end with the time
    /// after which PostgreSQL shows an idle backend's commits.
    pub(crate) async fn commits_and_calls(
        &self,
        people: Range<usize>,
    ) -> anyhow::Result<(Round, f64, f64)> {
        tokio::time::sleep(STATISTICS_LAG).await;
        let (start, commits, calls) = (
            Instant::now(),
            self.ours.commits().await?,
            self.ground.stub.calls().await?,
        );
        let round = self.round_of_ours(people).await?;
        let looks = (round.seconds / LOOK.as_secs_f64()).ceil();
        let opt_outs = round.opt_outs as f64;
        let calls = (self.ground.stub.calls().await? - calls) as f64 / opt_outs;
        tokio::time::sleep(STATISTICS_LAG).await;
        let (length, after) = (start.elapsed(), self.ours.commits().await?);
        tokio::time::sleep(length).await;
        let idle = self.ours.commits().await? - after;
        let commits = (after - commits - idle) as f64 - looks;
        Ok((round, commits / opt_outs, calls))
    }

    /// One opt-out at a time on an idle fleet. Returns the milliseconds from acceptance to the first call
    /// that contains, and to verified, each sorted.
    pub(crate) async fn at_rest(
        &self,
        people: Range<usize>,
    ) -> anyhow::Result<(Vec<f64>, Vec<f64>)> {
        let since = self.ours.now().await?;
        for person in people.clone() {
            self.report_leaver(person).await?;
            let start = Instant::now();
            // The times come from rows and from the stub, so this look may be coarse.
            while self.ours.open_opt_outs().await? > 0 {
                ensure!(
                    start.elapsed() < ROUND_DEADLINE,
                    "person {person} is not done"
                );
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        let first_writes: std::collections::HashMap<usize, i64> =
            self.ground.stub.first_writes().await?.into_iter().collect();
        let times = self.ours.times(since).await?;
        ensure!(times.len() == people.len(), "some opt-outs have no times");
        let (mut contained, mut verified) = (Vec::new(), Vec::new());
        for time in times {
            let first = first_writes
                .get(&time.person)
                .context("an opt-out made no write")?;
            contained.push((first - time.accepted_us) as f64 / 1000.0);
            verified.push((time.verified_us - time.accepted_us) as f64 / 1000.0);
        }
        contained.sort_by(f64::total_cmp);
        verified.sort_by(f64::total_cmp);
        Ok((contained, verified))
    }
}

fn difference(before: Processor, after: Processor) -> Processor {
    Processor {
        postgres: after.postgres - before.postgres,
        broker: after.broker - before.broker,
        worker: after.worker - before.worker,
        intake: after.intake - before.intake,
        stub: after.stub - before.stub,
        driver: after.driver - before.driver,
    }
}
