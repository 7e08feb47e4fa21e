//! Who else is affected by a plan, and what it costs.

use serde_json::json;
use sever_domain::{AccountState, HoldPolicy, HoldReason, SubjectKind};
use sever_provider::{BlastRadius, Connector};
use sever_store::job::{Affected, HoldRequest, NewInspection, Settlement};

use crate::epoch::{End, Epoch};

impl<C: Connector> Epoch<'_, C> {
    /// Counts whom the removal of what was read affects, and the calls of a plan of `steps` steps.
    pub(crate) async fn affected(
        &self,
        inspection: &NewInspection,
        steps: usize,
    ) -> Result<Affected, End> {
        let mut total = BlastRadius {
            people: 0,
            ..BlastRadius::ONE_PERSON
        };
        for (read, account) in inspection.accounts.iter().zip(&self.accounts) {
            if read.reading.account_state == AccountState::Absent {
                continue;
            }
            self.may_call()?;
            let counted = self
                .connector()
                .blast_radius(&account.provider_id, &read.reading)
                .await
                .map_err(|error| self.read_failed(&error))?;
            total = add(self.claimed.subject_kind, total, counted);
        }
        let reads = self.connector().families().len() * inspection.accounts.len();
        let calls = number(u64::try_from(steps + 2 * reads).unwrap_or(u64::MAX));
        Ok(Affected {
            people: number(total.people),
            groups: number(total.groups),
            applications: number(total.applications),
            complete: total.complete,
            last_sign_in_path: total.last_sign_in_path,
            calls,
            seconds: seconds(calls, self.connector().calls_per_s()),
        })
    }

    /// Without the last way to sign in nobody could mend a mistake.
    pub(crate) fn refuse_last_sign_in_path(&self, affected: &Affected) -> Result<(), End> {
        if !affected.last_sign_in_path
            || self.claimed.released.contains(&HoldReason::LastSignInPath)
        {
            return Ok(());
        }
        Err(End::Settle(Settlement::Held(HoldRequest {
            reason: HoldReason::LastSignInPath,
            policy: HoldPolicy::Nothing,
            on_opt_out: true,
            detail: json!({"people": affected.people, "connection": self.claimed.connection}),
        })))
    }
}

/// A person is one, however many accounts they have. Whether two applications of an integration serve the same people nobody
/// counts: then they are as many as they can be.
fn add(subject: SubjectKind, total: BlastRadius, counted: BlastRadius) -> BlastRadius {
    BlastRadius {
        people: match subject {
            SubjectKind::Person => total.people.max(counted.people),
            SubjectKind::Integration => total.people.saturating_add(counted.people),
        },
        groups: total.groups.saturating_add(counted.groups),
        applications: total.applications.saturating_add(counted.applications),
        complete: total.complete && counted.complete,
        last_sign_in_path: total.last_sign_in_path || counted.last_sign_in_path,
    }
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "plans have at most 50,000 steps"
)]
fn seconds(calls: i64, calls_per_s: f64) -> f64 {
    if calls_per_s > 0.0 {
        calls as f64 / calls_per_s
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_of_two_applications_add_up_and_a_person_stays_one() {
        let of = |people| BlastRadius {
            people,
            complete: people != 5,
            ..BlastRadius::ONE_PERSON
        };
        let both = add(SubjectKind::Integration, of(3), of(5));
        assert_eq!((both.people, both.complete), (8, false));
        assert_eq!(add(SubjectKind::Person, of(1), of(1)).people, 1);
    }
}
