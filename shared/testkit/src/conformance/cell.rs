//! One cell of the matrix: plant, break, run until nothing more happens, judge.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};
use sever_domain::entitlement::AccountReading;
use sever_domain::{ConnectionId, SubjectKind};
use sever_provider::http::SharedConnection;
use sever_provider::{ConnectionSettings, Connector, ConnectorFactory as _};
use tokio::sync::Mutex;

use super::adaptor::{Adaptor, Subject, Twist};
use super::epoch::{self, Job};
use super::give_back::give_back;
use super::judge::{difference, strays, truths};
use super::matrix::CellName;
use super::record::Record;
use super::resolve::Known;
use super::row::Row;
use super::settled::Settled;
use super::simulator::{Instance, Simulator};

/// The most epochs of one job: a single fault takes a few.
const EPOCHS_MAX: usize = 80;
/// How many epochs a server without sense gets before somebody mends it.
const SENSELESS_EPOCHS: usize = 3;
/// The longest wait between two epochs.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// What one clean run came to: what every other cell is held against.
#[derive(Debug, Clone)]
pub(super) struct Baseline {
    /// How many calls it made.
    pub(super) calls: usize,
    /// The truths of the subject and of the bystanders.
    pub(super) truths: Vec<Value>,
}

/// One cell, ready to run.
struct Cell<'a, A> {
    adaptor: &'a A,
    name: &'a CellName,
    subject: &'a Subject,
    instance: &'a Instance<'a>,
    baseline: Option<&'a Baseline>,
    settings: ConnectionSettings,
}

/// What a run has met so far.
#[derive(Default)]
struct Met {
    /// People were asked, and have done everything.
    asked: bool,
    /// The connection was parked, and a person has mended it.
    parked: bool,
    last: Option<Settled>,
}

/// Runs a cell on one simulator; the baseline's own cell has none. An error is a failed cell, or a broken simulator.
pub(super) async fn run<A: Adaptor>(
    adaptor: &A,
    simulator: &Simulator,
    name: &CellName,
    baseline: Option<&Baseline>,
) -> anyhow::Result<Baseline> {
    let kind = name.kind.0;
    let subject = adaptor.subject(kind).context("there is no such subject")?;
    let provider = name.provider.as_str();
    let put = adaptor.settings(name.row.twist());
    let (instance, put) = simulator.anew(provider, &put).await?;
    for seed in &subject.seeds {
        instance.order("POST", "/seed", seed).await?;
    }
    let deadline = name.row.call_deadline().unwrap_or(adaptor.call_deadline());
    let settings = ConnectionSettings {
        id: ConnectionId::generate(),
        name: "main".into(),
        base_url: instance.base_url().parse()?,
        credential: adaptor.credential(kind, &put).into(),
        access_token_lifetime_max: Duration::from_secs(3600),
        access_token_lifetime_by_issuer: [].into(),
        clock_skew: Duration::from_secs(2),
        call_deadline: deadline,
        in_flight_max: 8,
        shared: SharedConnection::default(),
    };
    let (subject, instance) = (&subject, &instance);
    let cell = Cell {
        adaptor,
        name,
        subject,
        instance,
        baseline,
        settings,
    };
    let connected = || -> anyhow::Result<_> {
        let connected = adaptor.factory().connect(cell.settings.clone());
        connected.map_err(|error| anyhow::anyhow!("{error}"))
    };
    match kind {
        SubjectKind::Person => cell.run(|| Ok(connected()?.people)).await,
        SubjectKind::Integration => {
            let integrations = || connected()?.integrations.context("it has no integrations");
            cell.run(integrations).await
        }
    }
}

impl<A: Adaptor> Cell<'_, A> {
    async fn run<C: Connector>(
        &self,
        make: impl Fn() -> anyhow::Result<C>,
    ) -> anyhow::Result<Baseline> {
        let row = self.name.row;
        let before = truths(self.instance, self.subject).await?;
        let opening = match row {
            Row::Restored => Some(make()?.inspect(&self.subject.account).await?),
            _ => None,
        };
        self.instance.forget_journal().await?;
        if let Some((then, count)) = row.fault(self.name.call) {
            self.instance
                .fault(&then, self.name.call - 1, count)
                .await?;
        }
        let known_by_login = self.subject.person.is_some() && row != Row::Deleted;
        let account = (!known_by_login).then(|| self.subject.account.clone());
        let record = self.drive(&make, account).await?;
        let journal = self.instance.journal().await?;
        self.judge_journal(&journal, &record)?;
        if row == Row::Twice {
            self.second(&make, &record).await?;
        }
        if let Some(opening) = &opening {
            self.way_back(&make()?, &record, opening).await?;
        }
        let found = truths(self.instance, self.subject).await?;
        let others = before.iter().zip(&found).skip(1);
        if self.baseline.is_none() || opening.is_some() {
            for (before, after) in others {
                ensure!(
                    before == after,
                    "a bystander changed: {:?}",
                    difference(before, after)
                );
            }
        }
        Ok(Baseline {
            calls: journal.len(),
            truths: found,
        })
    }

    /// A further job for the same subject changes nothing, and comes to the same.
    async fn second<C: Connector>(
        &self,
        make: &impl Fn() -> anyhow::Result<C>,
        first: &Record,
    ) -> anyhow::Result<()> {
        self.instance.forget_journal().await?;
        let record = self.drive(make, first.account.clone()).await?;
        let journal = self.instance.journal().await?;
        self.judge_journal(&journal, &record)?;
        let (own, repeated) = (self.adaptor.token_families(), self.adaptor.repeated());
        let changed = journal.iter().find(|entry| {
            entry["changed"] == json!(true)
                && !own.iter().any(|family| entry["family"] == *family)
                && !repeated.iter().any(|known| entry["operation"] == *known)
        });
        match changed {
            Some(entry) => bail!("the second run changed something: {entry}"),
            None => Ok(()),
        }
    }

    /// What has a way back comes back. Its writes may name their object in the body only: no call may name a bystander, and the
    /// bystanders' truths tell the rest.
    async fn way_back<C: Connector>(
        &self,
        connector: &C,
        record: &Record,
        opening: &AccountReading,
    ) -> anyhow::Result<()> {
        self.instance.forget_journal().await?;
        give_back(connector, &self.subject.account, record, opening).await?;
        let journal = self.instance.journal().await?;
        let strays = strays(&journal, self.subject, self.adaptor.token_families(), None);
        ensure!(strays.is_empty(), "{}", strays.join("; "));
        Ok(())
    }

    /// Epoch after epoch, until nothing is live.
    async fn drive<C: Connector>(
        &self,
        make: &impl Fn() -> anyhow::Result<C>,
        account: Option<String>,
    ) -> anyhow::Result<Record> {
        let row = self.name.row;
        let change = row.change(&self.subject.changes).cloned();
        let job = Job {
            kind: self.name.kind.0,
            subject: self.subject,
            instance: self.instance,
            between: Mutex::new(change.into_iter().collect()),
            changed: Mutex::new(None),
        };
        let mut record = Record::new(account);
        let mut known = Known::new(make()?);
        let mut met = Met::default();
        for epoch in 0..EPOCHS_MAX {
            if epoch == SENSELESS_EPOCHS && row == Row::PagesWithoutEnd {
                let plain = self.adaptor.settings(Twist::Plain);
                self.instance.configure(&plain).await?;
            }
            let settled = self.epoch(&known, &job, &mut record).await?;
            let died = settled.is_none();
            let settled = settled.unwrap_or(Settled::Wait(Duration::ZERO));
            if settled == Settled::Done {
                self.judge_done(&record, &job).await?;
                ensure!(
                    met.parked || !self.must_park().await?,
                    "no credential worked, and nobody was told"
                );
                return Ok(record);
            }
            // A server without sense may need a person, and one release once it is mended.
            let held_may_pass =
                row == Row::PagesWithoutEnd && (epoch < SENSELESS_EPOCHS || record.released == 0);
            self.go_on(&settled, held_may_pass, &mut met, &mut record)
                .await?;
            // After a long wait it is another process that goes on, with another pace of its own.
            let much_later = settled.pause() > PAUSE_MAX;
            if died || much_later || matches!(settled, Settled::Credentials(_)) {
                known = Known::new(make()?);
            }
            tokio::time::sleep(settled.pause().min(PAUSE_MAX)).await;
            if row.has_calls() {
                self.instance.quiet().await?;
            }
            met.last = Some(settled);
        }
        bail!(
            "it did not settle in {EPOCHS_MAX} epochs; the last one: {:?}",
            met.last
        )
    }

    /// What people do about a settlement, before the next epoch; an error where nobody should have been bothered.
    async fn go_on(
        &self,
        settled: &Settled,
        held_may_pass: bool,
        met: &mut Met,
        record: &mut Record,
    ) -> anyhow::Result<()> {
        match settled {
            Settled::Asked => {
                ensure!(
                    !met.asked,
                    "a person is asked again after everything was done and attested"
                );
                met.asked = true;
                // Of somebody who was deleted meanwhile there is nothing left to do, and only to attest.
                let left = self.name.row != Row::Deleted;
                for done in self.subject.people_do.iter().filter(|_| left) {
                    self.instance.order("POST", "/mutate", done).await?;
                }
                record.attest();
            }
            Settled::Credentials(what) => {
                let expected = !met.parked && self.may_park().await?;
                ensure!(expected, "the connection was parked: {what}");
                met.parked = true;
                self.instance.no_faults().await?;
            }
            Settled::Held(_) if held_may_pass => record.released += 1,
            Settled::Held(_) if !met.parked && self.struck_an_open_call().await? => {
                met.parked = true;
                self.instance.no_faults().await?;
            }
            Settled::Held(what) => bail!("a person is needed: {what}"),
            Settled::Dead(what) => bail!("dead-lettered: {what}"),
            Settled::Wait(_) | Settled::Retry(_) | Settled::RetryAt(_) | Settled::Done => {}
        }
        Ok(())
    }

    /// Whether wrong credentials are what this row may come to: every one is refused, or the one that was cannot be made
    /// anew, or the making itself was refused.
    async fn may_park(&self) -> anyhow::Result<bool> {
        let makes_tokens = self.adaptor.makes_tokens(self.name.kind.0);
        if self.name.row != Row::TokenExpires || !makes_tokens {
            return Ok(matches!(
                self.name.row,
                Row::CredentialsRefused | Row::TokenExpires
            ));
        }
        self.struck_in(self.adaptor.secret_families()).await
    }

    /// Whether a refusal of this row struck a call that carries no credential.
    async fn struck_an_open_call(&self) -> anyhow::Result<bool> {
        let about_credentials =
            matches!(self.name.row, Row::TokenExpires | Row::CredentialsRefused);
        Ok(about_credentials && self.struck_in(self.adaptor.open_families()).await?)
    }

    async fn struck_in(&self, families: &[&str]) -> anyhow::Result<bool> {
        let journal = self.instance.journal().await?;
        let mut struck = journal.iter().filter(|entry| !entry["fault"].is_null());
        Ok(struck.any(|entry| families.iter().any(|family| entry["family"] == *family)))
    }

    /// One epoch; `None` where the process died in it.
    async fn epoch<C: Connector>(
        &self,
        known: &Arc<Known<C>>,
        job: &Job<'_>,
        record: &mut Record,
    ) -> anyhow::Result<Option<Settled>> {
        let epoch = pin!(epoch::run(Arc::clone(known), job, record));
        if self.name.row != Row::Crash {
            return Ok(Some(epoch.await));
        }
        tokio::select! {
            settled = epoch => Ok(Some(settled)),
            struck = self.struck() => {
                struck?;
                self.instance.no_faults().await?;
                Ok(None)
            }
        }
    }

    /// Waits until the ordered fault has had its way.
    async fn struck(&self) -> anyhow::Result<()> {
        while !self.instance.has_fired().await? {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    }

    /// Whether every credential was refused at some call of this run.
    async fn must_park(&self) -> anyhow::Result<bool> {
        Ok(self.name.row == Row::CredentialsRefused && self.instance.has_fired().await?)
    }

    /// It was said that nothing is live.
    async fn judge_done(&self, record: &Record, job: &Job<'_>) -> anyhow::Result<()> {
        ensure!(
            record.impossible.is_empty(),
            "impossible transitions: {:?}",
            record.impossible
        );
        let found = truths(self.instance, self.subject).await?;
        let live = &found[0]["live"];
        if self.name.row == Row::Deleted {
            ensure!(
                found[0]["exists"] == json!(false),
                "it is there: {}",
                found[0]
            );
        } else {
            ensure!(
                *live == self.subject.left,
                "said to be removed, and live: {live}"
            );
        }
        let Some(baseline) = self.baseline else {
            return Ok(());
        };
        // A deletion by others changes what bystanders share with the subject; that is not our doing.
        let changed = job.changed.lock().await;
        let expected = match &*changed {
            Some(changed) if self.name.row == Row::Deleted => changed,
            _ => &baseline.truths,
        };
        for (at, (expected, found)) in expected.iter().zip(&found).enumerate() {
            if at == 0 && self.name.row.subject_differs() {
                continue;
            }
            if let Some(difference) = difference(expected, found) {
                let whose = if at == 0 {
                    "the subject's"
                } else {
                    "a bystander's"
                };
                bail!("{whose} end state is not that of a clean run: {difference}");
            }
        }
        Ok(())
    }

    fn judge_journal(&self, journal: &[Value], record: &Record) -> anyhow::Result<()> {
        let families = self.adaptor.token_families();
        let strays = strays(journal, self.subject, families, Some(&record.words));
        ensure!(strays.is_empty(), "{}", strays.join("; "));
        Ok(())
    }
}
