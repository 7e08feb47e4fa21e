//! Close: the full re-read after the last write. It decides; a 2xx never does.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sever_domain::closing::{ByHand, Closing, Done, ManualStep, Verdict, judge, verdict};
use sever_domain::entitlement::AccountReading;
use sever_domain::plan::{Disposition, PlannedStep};
use sever_domain::seen::{Seen, seen};
use sever_domain::{
    Action, BindingId, EntitlementKind, Grade, HoldPolicy, HoldReason, StepEvent, StepState,
};
use sever_provider::Connector;
use sever_store::job::{
    FamilyProof, HoldRequest, InspectionPurpose, NewInspection, Settlement, StepVerdict,
    Verification,
};

use crate::epoch::{End, Epoch};
use crate::steps::Working;
use crate::trouble;

/// How often a job that waits for a person looks whether a read shows the task done; a person's word rings it
/// at once.
pub(crate) const TASK_RECHECK: Duration = Duration::from_secs(300);

impl<C: Connector> Epoch<'_, C> {
    /// Reads everything once more and judges it. `None` means that a further plan was stored and its
    /// first wave sent: go on with the waves.
    pub(crate) async fn close(&mut self) -> Result<Option<Settlement>, End> {
        if let Some(wait) = self.too_early() {
            return Ok(Some(wait));
        }
        let (inspection, closings) = self.judged_at_the_end().await?;
        match verdict(&closings) {
            Verdict::NothingLive => Ok(Some(Settlement::Done)),
            Verdict::Live => self.still_live(inspection, &closings).await,
            Verdict::Unread => Ok(Some(self.unread(&closings))),
            Verdict::NeedsPerson => Ok(Some(needs_person(&closings))),
            Verdict::Asked => Ok(Some(Settlement::Wait {
                why: "task",
                after: TASK_RECHECK,
            })),
        }
    }

    /// The closing inspection; where nothing is live and something that stays has no step on which its rule and evidence
    /// hang (the opening could not read it, or there was none), a plan that makes no call gives it one, and all is read
    /// again.
    pub(crate) async fn judged_at_the_end(&mut self) -> Result<(NewInspection, Vec<Closing>), End> {
        let (inspection, closings) = self.closing_inspection().await?;
        let stays = self.without_step(&inspection);
        if verdict(&closings) != Verdict::NothingLive || stays.is_empty() {
            return Ok((inspection, closings));
        }
        self.store_plan(self.revision.max(0) + 1, stays, None)
            .await?;
        self.closing_inspection().await
    }

    /// What stays because a rule makes it inert, and no step says so yet.
    fn without_step(&self, inspection: &NewInspection) -> Vec<PlannedStep> {
        let known = |planned: &PlannedStep| {
            self.steps.list.iter().any(|working| {
                let step = &working.step.planned;
                step.binding == planned.binding
                    && step.target_kind == planned.target_kind
                    && step.target_key == planned.target_key
            })
        };
        let inert = |planned: &PlannedStep| {
            planned.action == Action::Leave
                && matches!(planned.disposition, Disposition::Inert { .. })
        };
        let mut stays = self.planned(inspection);
        stays.retain(|planned| inert(planned) && !known(planned));
        stays.iter_mut().for_each(|planned| planned.needs.clear());
        stays
    }

    /// Reads everything once more and judges each account and step; notes what it saw.
    async fn closing_inspection(&mut self) -> Result<(NewInspection, Vec<Closing>), End> {
        let mut inspection = self.inspect(InspectionPurpose::Closing).await?;
        let closings: Vec<(BindingId, Closing)> = inspection
            .accounts
            .iter()
            .map(|account| {
                (
                    account.binding,
                    self.judge_account(account.binding, &account.reading),
                )
            })
            .collect();
        inspection.proofs = closings
            .iter()
            .flat_map(|(binding, closing)| {
                closing.rules_used.iter().map(|used| FamilyProof {
                    binding: *binding,
                    family: used.family,
                    rule: used.rule,
                })
            })
            .collect();
        let verifications = self.judge_steps(&inspection, &closings);
        self.note_inspection(inspection.clone(), verifications);
        let closings = closings.into_iter().map(|(_, closing)| closing).collect();
        Ok((inspection, closings))
    }

    /// By the rules for what Sever did, or by those for what a person says to have done.
    fn judge_account(&self, binding: BindingId, reading: &AccountReading) -> Closing {
        let (rules, intent) = (self.connector(), self.claimed.intent);
        let (answered, manual) = (self.answered(binding), self.manual(binding));
        let done = Done {
            answered: &answered,
            manual: &manual,
        };
        if self.claimed.resolving {
            judge(&ByHand::new(rules), intent, reading, done)
        } else {
            judge(rules, intent, reading, done)
        }
    }

    /// The manual steps of one account.
    fn manual(&self, binding: BindingId) -> Vec<ManualStep<'_>> {
        let of_binding = |working: &&Working| {
            working.step.planned.binding == binding
                && (working.state.waits_for_person() || working.state == StepState::Attested)
        };
        self.steps
            .list
            .iter()
            .filter(of_binding)
            .map(|working| ManualStep {
                kind: working.step.planned.target_kind,
                key: &working.step.planned.target_key,
                attested: working.state == StepState::Attested,
            })
            .collect()
    }

    /// Whether a closing inspection has to wait: see [`closes_from`].
    pub(crate) fn too_early(&self) -> Option<Settlement> {
        let settings = &self.context.settings;
        let under_way =
            SignedDuration::try_from(settings.start_call_age_max + settings.call_deadline)
                .unwrap_or(SignedDuration::MAX);
        let unanswered = self.claimed.unanswered_since.max(self.lost_at);
        let not_before = closes_from(unanswered, under_way, self.claimed.last_answer_at)?;
        let left = Duration::try_from(not_before.duration_since(self.clock.now()))
            .ok()
            .filter(|left| !left.is_zero())?;
        Some(Settlement::Wait {
            why: "consistency",
            after: left,
        })
    }

    /// The actions that the provider answered at one account in this job.
    fn answered(&self, binding: BindingId) -> Vec<Action> {
        answered(&self.steps.list, binding)
    }

    fn judge_steps(
        &mut self,
        inspection: &NewInspection,
        closings: &[(BindingId, Closing)],
    ) -> Vec<Verification> {
        let mut verifications = Vec::new();
        for working in &mut self.steps.list {
            let binding = working.step.planned.binding;
            let (Some(account), Some((_, closing))) = (
                inspection
                    .accounts
                    .iter()
                    .find(|account| account.binding == binding),
                closings.iter().find(|(of, _)| *of == binding),
            ) else {
                continue;
            };
            let seen = seen(&working.step.planned, &account.reading);
            verifications.push(judge_step(working, seen, closing, inspection.started_at));
        }
        verifications
    }

    /// Something that must go is there. Within the consistency deadline a contrary read is not believed;
    /// after it, what is live becomes the next plan.
    async fn still_live(
        &mut self,
        inspection: NewInspection,
        closings: &[Closing],
    ) -> Result<Option<Settlement>, End> {
        if let Some(wait) = self.wait_for_consistency() {
            return Ok(Some(wait));
        }
        if let Some(blocked) = self.blocked_account(&inspection) {
            return Ok(Some(blocked));
        }
        let live: Vec<_> = closings
            .iter()
            .flat_map(|closing| &closing.live)
            .map(|remaining| json!([remaining.kind, remaining.provider_key]))
            .collect();
        if let Some(held) = self.too_many_plans(&live) {
            return Ok(Some(held));
        }
        self.plan_on(inspection).await?;
        Ok(None)
    }

    /// The hold of a job that has planned often enough; `None` while it may plan once more.
    pub(crate) fn too_many_plans(&self, live: &[serde_json::Value]) -> Option<Settlement> {
        let further = self.revision - self.claimed.opt_out_revision;
        // Each release of such a hold is worth as many plans again.
        let released = self
            .claimed
            .released
            .iter()
            .filter(|reason| **reason == HoldReason::StillLive)
            .count();
        let rounds = i32::try_from(released)
            .unwrap_or(i32::MAX)
            .saturating_add(1);
        let most = self
            .context
            .settings
            .closing_revisions_max
            .saturating_mul(rounds);
        (further >= most).then(|| {
            Settlement::Held(HoldRequest {
                reason: HoldReason::StillLive,
                policy: HoldPolicy::Contain,
                on_opt_out: false,
                detail: json!({"live": live, "plans": self.revision}),
            })
        })
    }

    /// The wait for a system that may not show yet what was written; `None` after the deadline.
    pub(crate) fn wait_for_consistency(&self) -> Option<Settlement> {
        let settings = &self.context.settings;
        let since = self.last_answer().map_or(Duration::MAX, |last| {
            Duration::try_from(self.clock.now().duration_since(last)).unwrap_or_default()
        });
        // The wait grows with the age of the last write, so the reads of one step stay few.
        (since < settings.consistency_deadline).then(|| Settlement::Wait {
            why: "consistency",
            after: settings
                .consistency_wait
                .max(since)
                .min(settings.consistency_deadline),
        })
    }

    /// The plan says that no call of ours can bring the account where it must be, and one that is made of this inspection
    /// would say so again.
    fn blocked_account(&self, inspection: &NewInspection) -> Option<Settlement> {
        let of_account = |planned: &PlannedStep| {
            planned.target_kind == EntitlementKind::Account && planned.action == Action::Leave
        };
        let blocked = self.steps.list.iter().find(|working| {
            of_account(&working.step.planned)
                && working.state == StepState::Blocked
                && !working.superseded
        })?;
        let again = |planned: &PlannedStep| {
            of_account(planned) && matches!(planned.disposition, Disposition::Blocked { .. })
        };
        if !self.planned(inspection).iter().any(again) {
            return None;
        }
        let detail = json!({"blocked": [[blocked.step.planned.target_kind, blocked.step.planned.target_key, blocked.step.planned.disposition]]});
        Some(Settlement::Held(HoldRequest {
            reason: HoldReason::Blocked,
            policy: HoldPolicy::Contain,
            on_opt_out: false,
            detail,
        }))
    }

    fn last_answer(&self) -> Option<Timestamp> {
        let now_answered = self
            .learnt
            .answers
            .iter()
            .map(|answer| answer.answered_at)
            .max();
        now_answered
            .max(self.answered_at)
            .max(self.claimed.last_answer_at)
    }

    pub(crate) fn unread(&self, closings: &[Closing]) -> Settlement {
        let families: Vec<String> = closings
            .iter()
            .flat_map(|closing| &closing.unproven)
            .map(|unproven| match &unproven.detail {
                Some(why) => format!("{} ({why})", unproven.family),
                None => unproven.family.to_string(),
            })
            .collect();
        let what = format!(
            "the closing inspection could not read: {}",
            families.join(", ")
        );
        let fingerprint = format!("{}:inspect:retry:unread", self.claimed.provider);
        trouble::retry(
            what,
            fingerprint,
            &self.claimed,
            &self.context.settings,
            self.clock.now(),
        )
    }
}

/// When a closing inspection may begin. An unanswered call may still arrive at the provider for as long as it could have been
/// started and be under way; and an earlier epoch, whose clock ran ahead because its claim took long, may have dated its last
/// answer later than now.
fn closes_from(
    unanswered: Option<Timestamp>,
    under_way: SignedDuration,
    last_answer: Option<Timestamp>,
) -> Option<Timestamp> {
    unanswered.map(|since| since + under_way).max(last_answer)
}

/// The actions that the provider answered at one account. A session cut counts only where what it waited for was answered
/// too: one that came while somebody could still sign in proves nothing. Any other action counts only where every step of
/// it was answered: one revoked token says nothing of the next.
fn answered(steps: &[Working], binding: BindingId) -> Vec<Action> {
    let done =
        |working: &Working| matches!(working.state, StepState::Applied | StepState::Verified);
    let of_binding = |working: &&Working| working.step.planned.binding == binding;
    let counts = |working: &&Working| {
        let planned = &working.step.planned;
        let all = || {
            let same = steps.iter().filter(of_binding);
            same.filter(|other| other.is_call() && other.step.planned.action == planned.action)
                .all(done)
        };
        done(working)
            && match planned.action {
                Action::RevokeSessions => {
                    planned.needs.iter().all(|needs| done(&steps[*needs]))
                        && planned.facts["sign_in_blocked"] != json!(false)
                }
                _ => all(),
            }
    };
    steps
        .iter()
        .filter(of_binding)
        .filter(counts)
        .map(|working| working.step.planned.action)
        .collect()
}

/// What the closing inspection says of one step, and the state that it gets.
fn judge_step(
    working: &mut Working,
    seen: Seen,
    closing: &Closing,
    read_at: Timestamp,
) -> Verification {
    let kind = working.step.planned.target_kind;
    let rule = closing
        .rules_used
        .iter()
        .find(|used| used.family == kind)
        .map(|used| used.rule.to_owned());
    let inert = closing.inert.iter().find(|remaining| {
        remaining.kind == kind && remaining.provider_key == working.step.planned.target_key
    });
    let (verdict, grade, rule) = match (seen, rule, inert) {
        (Seen::Done, _, _) => (StepVerdict::Gone, Grade::Read, None),
        (Seen::Unread, Some(rule), _) => (StepVerdict::Gone, Grade::Implied, Some(rule)),
        (Seen::NotDone, _, Some(remaining)) => (
            StepVerdict::Inert,
            Grade::Implied,
            inert_rule(&remaining.disposition),
        ),
        (Seen::NotDone, _, None) => (StepVerdict::There, Grade::Read, None),
        (Seen::Unread, None, _) => (StepVerdict::Unread, Grade::Read, None),
    };
    match verdict {
        StepVerdict::Gone => prove(working, grade, read_at),
        StepVerdict::Inert if working.state != StepState::Inert => {
            working.apply(StepEvent::RuledInert)
        }
        StepVerdict::Inert | StepVerdict::There | StepVerdict::Unread => {}
    }
    Verification {
        step: working.step.id,
        grade,
        rule,
        verdict,
    }
}

fn prove(working: &mut Working, grade: Grade, read_at: Timestamp) {
    if matches!(working.state, StepState::Inert | StepState::Attested) {
        return;
    }
    if working.state != StepState::Verified {
        // What ended with its account or group had no call of its own, and its end can be as recent as this read.
        let lifetime = working
            .step
            .planned
            .residual_s
            .map(SignedDuration::from_secs);
        working.residual_until = lifetime.map(|lifetime| read_at + lifetime);
    }
    working.apply(StepEvent::Proven);
    working.grade = Some(grade);
    working.verified_at = Some(read_at);
}

fn inert_rule(disposition: &Disposition) -> Option<String> {
    match disposition {
        Disposition::Inert { rule } => Some(rule.clone()),
        Disposition::MustGo | Disposition::Blocked { .. } | Disposition::Manual { .. } => None,
    }
}

fn needs_person(closings: &[Closing]) -> Settlement {
    let blocked: Vec<_> = closings
        .iter()
        .flat_map(|closing| &closing.blocked)
        .map(|remaining| {
            json!([
                remaining.kind,
                remaining.provider_key,
                remaining.disposition
            ])
        })
        .collect();
    let unproven: Vec<_> = closings
        .iter()
        .flat_map(|closing| &closing.unproven)
        .map(|unproven| json!([unproven.family, unproven.result, unproven.detail]))
        .collect();
    Settlement::Held(HoldRequest {
        reason: HoldReason::Blocked,
        policy: HoldPolicy::Contain,
        on_opt_out: false,
        detail: json!({"blocked": blocked, "unproven": unproven}),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::restore::tests::step;
    use crate::steps::Steps;
    use sever_domain::StepId;
    use sever_domain::plan::PlannedStep;
    use sever_store::job::StoredStep;

    fn answered_by(steps: &[(Action, &str, StepState)]) -> Vec<Action> {
        let binding = BindingId::generate();
        let stored = |(action, key, state): &(Action, &str, StepState)| StoredStep {
            id: StepId::generate(),
            revision: 1,
            state: *state,
            effects: 1,
            fence_until: None,
            planned: PlannedStep {
                binding,
                ..step(*action, EntitlementKind::Token, key)
            },
        };
        let stored: Vec<StoredStep> = steps.iter().map(stored).collect();
        answered(&Steps::stored(&stored, 1).list, binding)
    }

    #[test]
    fn no_closing_begins_before_what_it_must_come_after() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let (eight, none) = (SignedDuration::from_secs(8), None);
        assert_eq!(closes_from(none, eight, none), None);
        assert_eq!(closes_from(Some(at(100)), eight, none), Some(at(108)));
        assert_eq!(closes_from(none, eight, Some(at(120))), Some(at(120)));
        let later = closes_from(Some(at(100)), eight, Some(at(120)));
        assert_eq!(later, Some(at(120)));
        let lost = closes_from(Some(at(119)), eight, Some(at(120)));
        assert_eq!(lost, Some(at(127)));
    }

    #[test]
    fn one_revoked_token_says_nothing_of_one_that_was_refused() {
        use StepState::{Applied, Blocked, Planned};
        let tokens = |second| {
            answered_by(&[
                (Action::RevokeTokens, "a", Applied),
                (Action::RevokeTokens, "b", second),
            ])
        };
        assert_eq!(tokens(Applied).len(), 2);
        for open in [Blocked, Planned] {
            assert_eq!(tokens(open), [], "{open}");
        }
        let other = answered_by(&[
            (Action::RevokeTokens, "a", Applied),
            (Action::RevokeGrants, "b", Blocked),
        ]);
        assert_eq!(other, [Action::RevokeTokens]);
    }

    #[test]
    fn a_session_cut_covers_the_ones_before_it() {
        let cuts = answered_by(&[
            (Action::RevokeSessions, "at_once", StepState::Blocked),
            (Action::RevokeSessions, "after", StepState::Applied),
        ]);
        assert_eq!(cuts, [Action::RevokeSessions]);
    }
}
