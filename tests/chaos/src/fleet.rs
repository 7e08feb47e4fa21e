//! Sever's own programs: two replicas of each, every one on its half of the links.

use std::time::Duration;

use anyhow::Context as _;
use sever_private_servers::free_ports;
use sever_tests::until;

use crate::crowd::credentials;
use crate::ground::Ground;
use crate::process::{Kind, Process};

/// Replicas of each kind.
pub const REPLICAS: usize = 2;
/// How long the fleet may take to become ready on a busy machine.
const READY_MAX: Duration = Duration::from_secs(120);

/// All processes; dropping it kills them.
pub struct Fleet {
    members: Vec<Process>,
    ops: Vec<u16>,
    /// Where the replicas of intake answer.
    pub intake: [String; REPLICAS],
    /// Where the replicas of the console answer.
    pub console: [String; REPLICAS],
}

impl Fleet {
    /// Starts everything, with these variables in place of or besides the ordinary ones, and waits until it is ready.
    pub(crate) async fn start(
        ground: &Ground,
        further: &[(&'static str, &str)],
    ) -> anyhow::Result<Self> {
        let http = free_ports::<4>().context("no free ports")?;
        let ops = free_ports::<8>().context("no free ports")?;
        let url = |port| format!("http://127.0.0.1:{port}");
        let mut members = Vec::new();
        for (at, kind) in Kind::ALL.into_iter().enumerate() {
            for replica in 0..REPLICAS {
                let mut environment = environment(ground, kind, replica);
                for (name, value) in further {
                    environment.retain(|(known, _)| known != name);
                    environment.push((*name, (*value).to_owned()));
                }
                let number = at * REPLICAS + replica;
                environment.push(("SEVER_OPS_LISTEN", format!("127.0.0.1:{}", ops[number])));
                if let Some(port) = http.get(number) {
                    environment.push(("SEVER_HTTP_LISTEN", format!("127.0.0.1:{port}")));
                }
                members.push(Process::start(kind, replica, ground.folder(), environment).await?);
            }
        }
        let fleet = Self {
            members,
            ops: ops.to_vec(),
            intake: [url(http[0]), url(http[1])],
            console: [url(http[2]), url(http[3])],
        };
        fleet.ready().await?;
        Ok(fleet)
    }

    /// Waits until every process says that it is ready.
    ///
    /// # Errors
    /// Which one does not, with the end of its log.
    pub async fn ready(&self) -> anyhow::Result<()> {
        for kind in Kind::ALL {
            self.ready_of(kind).await?;
        }
        Ok(())
    }

    /// The same for the replicas of one kind.
    ///
    /// # Errors
    /// As [`Fleet::ready`].
    pub async fn ready_of(&self, kind: Kind) -> anyhow::Result<()> {
        let http = reqwest::Client::builder().no_proxy().build()?;
        let members = self.members.iter().zip(&self.ops);
        for (process, port) in members.filter(|(process, _)| process.kind == kind) {
            let what = format!("{} is ready", process.kind.word());
            let ready = until(&what, READY_MAX, || async {
                let asked = http.get(format!("http://127.0.0.1:{port}/readyz"));
                let answer = asked.timeout(Duration::from_secs(5)).send().await;
                Ok(answer
                    .is_ok_and(|answer| answer.status().is_success())
                    .then_some(()))
            });
            ready.await.with_context(|| process.log_end())?;
        }
        Ok(())
    }

    /// One replica, by its number from 0.
    ///
    /// # Panics
    /// For a number that no replica has.
    pub fn member(&mut self, kind: Kind, replica: usize) -> &mut Process {
        let at = self
            .members
            .iter()
            .position(|process| process.kind == kind)
            .expect("every kind has its replicas");
        &mut self.members[at + replica]
    }

    /// Starts every process that ended by itself (a worker that the database disowned), as a supervisor does. Returns how many.
    pub(crate) async fn revive(&mut self) -> anyhow::Result<usize> {
        let mut revived = 0;
        for process in &mut self.members {
            if process.ended().is_some() {
                process.restart().await?;
                revived += 1;
            }
        }
        Ok(revived)
    }
}

/// Production's values, but for: the mass guard, which must never trip where everybody leaves; a shorter call deadline
/// and longest retry delay, so that a run of minutes sees what production sees in an hour.
fn environment(ground: &Ground, kind: Kind, replica: usize) -> Vec<(&'static str, String)> {
    let mut environment = vec![
        ("PATH", "/usr/bin:/bin".to_owned()),
        ("SEVER_DATABASE_URL", ground.database_url(replica)),
        ("SEVER_DATABASE_POOL_MAX", "8".to_owned()),
        ("SEVER_SHUTDOWN_GRACE_MS", "15000".to_owned()),
    ];
    if kind != Kind::Console {
        environment.push(("SEVER_AMQP_URL", ground.broker_url(replica)));
    }
    if kind.is_worker() {
        environment.extend(credentials());
        environment.extend([
            ("SEVER_GUARD_MASS_COUNT", "10000000".to_owned()),
            ("SEVER_GUARD_MASS_MINIMUM", "10000000".to_owned()),
            ("SEVER_WORKER_CALL_DEADLINE_MS", "4000".to_owned()),
            ("SEVER_WORKER_CONSISTENCY_WAIT_MS", "200".to_owned()),
            ("SEVER_WORKER_RETRY_MAX_MS", "15000".to_owned()),
        ]);
    }
    environment
}
