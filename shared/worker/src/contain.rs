//! Contain and open: the reversible block with its minimal pre-image, then the full pre-image and the plan.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use sever_domain::entitlement::{AccountReading, Entitlement, FamilyReading, FamilyResult};
use sever_domain::plan::{self, PlannedStep};
use sever_domain::seen::{Seen, seen};
use sever_domain::{AccountState, EntitlementKind, JobKind, StepEvent, StepState, SubjectKind};
use sever_provider::{Account, Connector, FoundAccount};
use sever_store::job::{
    Affected, DeadLetter, InspectionPurpose, NewInspection, ReadAccount, Settlement,
};

use crate::epoch::{End, Epoch};
use crate::steps::new_plan;

impl<C: Connector> Epoch<'_, C> {
    /// Blocks signing in, before anything else is read. An account that cannot be contained is left to
    /// the plan.
    pub(crate) async fn contain(&mut self) -> Result<(), End> {
        let began = Instant::now();
        let mut steps: Vec<PlannedStep> = Vec::new();
        let mut accounts = Vec::new();
        for position in 0..self.accounts.len() {
            let Some(account) = self.account(position).await? else {
                continue;
            };
            let binding = self.accounts[position].binding;
            steps.extend(self.connector().contain(binding, &account));
            accounts.push(ReadAccount {
                binding,
                reading: minimal(&account),
            });
        }
        if steps.is_empty() {
            return Ok(());
        }
        let inspection = NewInspection {
            purpose: InspectionPurpose::Contain,
            started_at: self.clock.at(began),
            ended_at: self.clock.now(),
            accounts,
            proofs: Vec::new(),
        };
        self.note_inspection(inspection, Vec::new());
        self.store_plan(0, steps, None).await
    }

    /// The account as found, read by id unless the resolve has just done so; `None` when it is absent.
    async fn account(&mut self, position: usize) -> Result<Option<Account>, End> {
        if self.accounts[position].absent {
            return Ok(None);
        }
        if let Some(found) = self.found.remove(&self.accounts[position].binding) {
            return Ok(Some(found));
        }
        self.may_call()?;
        let id = self.accounts[position].provider_id.clone();
        match self
            .connector()
            .find_by_id(&id)
            .await
            .map_err(|error| self.read_failed(&error))?
        {
            FoundAccount::Present(account) => Ok(Some(*account)),
            FoundAccount::Absent => {
                self.believe_absence().await?;
                self.accounts[position].absent = true;
                self.look_for_another().await?;
                Ok(None)
            }
        }
    }

    /// Reads everything, stores it as the pre-image, and plans on it.
    pub(crate) async fn open(&mut self) -> Result<(), End> {
        let inspection = self.inspect(InspectionPurpose::Opening).await?;
        self.learn_from(&inspection);
        self.plan_on(inspection).await
    }

    /// Plans on an inspection and intends the plan's first wave. Whom an integration serves is counted first,
    /// because the guard is charged with them.
    pub(crate) async fn plan_on(&mut self, inspection: NewInspection) -> Result<(), End> {
        let steps = self.planned(&inspection);
        let affected = match self.claimed.subject_kind {
            SubjectKind::Person => None,
            SubjectKind::Integration => Some(self.affected(&inspection, steps.len()).await?),
        };
        if self.learnt.inspection.is_none() {
            self.note_inspection(inspection, Vec::new());
        }
        if let Some(affected) = affected {
            self.weight = affected.people.max(1);
            self.uncounted = !affected.complete;
            self.refuse_last_sign_in_path(&affected)?;
        }
        self.store_plan(self.revision.max(0) + 1, steps, affected)
            .await
    }

    /// What the connector plans on an inspection, over all accounts.
    pub(crate) fn planned(&self, inspection: &NewInspection) -> Vec<PlannedStep> {
        let mut steps = Vec::new();
        for account in &inspection.accounts {
            let offset = steps.len();
            let planned =
                self.connector()
                    .plan(self.claimed.intent, account.binding, &account.reading);
            steps.extend(planned.into_iter().map(|mut step| {
                step.needs.iter_mut().for_each(|needs| *needs += offset);
                step
            }));
        }
        self.without_told_tasks(steps)
    }

    /// A task that a person was asked before is not asked twice: its earlier step stands for it, unless a step of
    /// this plan needs it and it is not attested yet.
    fn without_told_tasks(&self, steps: Vec<PlannedStep>) -> Vec<PlannedStep> {
        let needed: HashSet<usize> = steps.iter().flat_map(|step| step.needs.clone()).collect();
        let told = |position: usize, step: &PlannedStep| {
            self.steps.list.iter().any(|known| {
                let same = known.step.planned.binding == step.binding
                    && known.step.planned.target_kind == step.target_kind
                    && known.step.planned.target_key == step.target_key;
                let stands = known.state == StepState::Attested
                    || (known.state.waits_for_person() && !needed.contains(&position));
                same && stands
            })
        };
        let mut moved: HashMap<usize, usize> = HashMap::new();
        let mut kept: Vec<PlannedStep> = Vec::with_capacity(steps.len());
        for (position, mut step) in steps.into_iter().enumerate() {
            let manual = matches!(step.disposition, plan::Disposition::Manual { .. });
            if manual && told(position, &step) {
                continue;
            }
            moved.insert(position, kept.len());
            step.needs = step
                .needs
                .iter()
                .filter_map(|needs| moved.get(needs).copied())
                .collect();
            kept.push(step);
        }
        kept
    }

    /// Reads again what earlier epochs left unknown, and records what it shows.
    pub(crate) async fn find_out(&mut self) -> Result<(), End> {
        let inspection = self.inspect(InspectionPurpose::Opening).await?;
        self.learn_from(&inspection);
        self.note_inspection(inspection, Vec::new());
        self.advance(None, Vec::new()).await.map(drop)
    }

    /// Reads every family of every account.
    pub(crate) async fn inspect(
        &mut self,
        purpose: InspectionPurpose,
    ) -> Result<NewInspection, End> {
        let began = Instant::now();
        let mut accounts = Vec::with_capacity(self.accounts.len());
        for account in &self.accounts {
            let reading = if account.absent {
                AccountReading::absent(self.connector().families())
            } else {
                self.may_call()?;
                self.connector()
                    .inspect(&account.provider_id)
                    .await
                    .map_err(|error| self.read_failed(&error))?
            };
            accounts.push(ReadAccount {
                binding: account.binding,
                reading,
            });
        }
        if accounts.iter().zip(&self.accounts).any(|(read, known)| {
            read.reading.account_state == AccountState::Absent && !known.absent
        }) {
            self.believe_absence().await?;
            let gone = accounts
                .iter()
                .filter(|read| read.reading.account_state == AccountState::Absent)
                .map(|read| read.binding);
            for binding in gone.collect::<Vec<_>>() {
                self.accounts
                    .iter_mut()
                    .filter(|known| known.binding == binding)
                    .for_each(|known| known.absent = true);
            }
            // Nothing is given back to an account that was made anew.
            if self.claimed.kind != JobKind::Restore {
                self.look_for_another().await?;
            }
        }
        Ok(NewInspection {
            purpose,
            started_at: self.clock.at(began),
            ended_at: self.clock.now(),
            accounts,
            proofs: Vec::new(),
        })
    }

    /// What a reading says of steps whose call's fate is unknown, and of planned ones that are gone
    /// already. A target that cannot be read is sent again: every step sets a state, none adds to one.
    pub(crate) fn learn_from(&mut self, inspection: &NewInspection) {
        for working in &mut self.steps.list {
            let Some(account) = inspection
                .accounts
                .iter()
                .find(|account| account.binding == working.step.planned.binding)
            else {
                continue;
            };
            match (working.state, seen(&working.step.planned, &account.reading)) {
                (StepState::Unknown, Seen::NotDone | Seen::Unread) => {
                    working.apply(StepEvent::ReadThere)
                }
                (StepState::Unknown | StepState::Planned, Seen::Done) if working.is_call() => {
                    working.apply(StepEvent::ReadGone)
                }
                _ => {}
            }
        }
    }

    /// Stores a plan and sends its first wave; a plan that only foretells is stored and no more.
    pub(crate) async fn store_plan(
        &mut self,
        revision: i32,
        steps: Vec<PlannedStep>,
        affected: Option<Affected>,
    ) -> Result<(), End> {
        if let Err(error) = plan::check(&steps) {
            let letter = DeadLetter {
                fingerprint: format!("{}:plan:permanent:invalid", self.claimed.provider),
                reason: error.to_string(),
            };
            return Err(End::Settle(Settlement::Dead(letter)));
        }
        let plan = new_plan(revision, steps, affected, self.claimed.fence_delay);
        let first = if self.claimed.kind == JobKind::Plan {
            Vec::new()
        } else {
            self.first_wave(&plan)
        };
        let intended = self.advance(Some(plan), first).await?;
        self.send(&intended).await
    }
}

/// The minimal pre-image of containing: the account's own family.
fn minimal(account: &Account) -> AccountReading {
    let entitlement = Entitlement {
        kind: EntitlementKind::Account,
        provider_key: account.provider_id.clone(),
        privileged: false,
        facts: account.facts.clone(),
    };
    AccountReading {
        account_state: account.state,
        provider_state: account.provider_state.clone(),
        families: vec![FamilyReading {
            family: EntitlementKind::Account,
            result: FamilyResult::Complete,
            detail: None,
            entitlements: vec![entitlement],
        }],
    }
}
