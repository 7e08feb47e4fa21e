//! The plan: from a reading to a graph of steps.
//!
//! `active` false; then roles, entitlements and memberships, privileged before ordinary; the line for sessions, which
//! SCIM does not know; DELETE last.

use sever_domain::entitlement::{AccountReading, Entitlement};
use sever_domain::plan::{Disposition, ManualTask, PlannedStep};
use sever_domain::{
    AccountState, Action, BindingId, EntitlementKind, Grade, Intent, Reversibility, StepClass,
};

use crate::app::App;
use crate::credential::FinalState;
use crate::disposition::disposition;
use crate::families::is_indirect;
use crate::rules::SESSIONS_END;
use crate::step::{deactivation, step};

/// Seconds until the task of deleting an account by hand is overdue: three days.
const TASK_DUE_S: i64 = 3 * 24 * 3600;

/// How the account of a removal ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By DELETE.
    Delete,
    /// By a person, because the application has no DELETE.
    Person,
    /// Inactive is the end.
    Inactive,
}

impl End {
    /// How a removal ends at this application, by what the organisation decided and what was found out.
    #[must_use]
    pub fn at(app: &App) -> Self {
        if app.final_state == FinalState::Inactive {
            Self::Inactive
        } else if app.dialects.has_no_delete.is_known() {
            Self::Person
        } else {
            Self::Delete
        }
    }
}

/// Plans what is to become of everything that was read.
#[must_use]
pub fn plan(
    intent: Intent,
    binding: BindingId,
    reading: &AccountReading,
    end: End,
    session_residual_s: i64,
) -> Vec<PlannedStep> {
    let account = reading.of(EntitlementKind::Account).first();
    let Some(account) = account.filter(|_| reading.account_state != AccountState::Absent) else {
        return Vec::new();
    };
    let mut steps = Vec::new();
    if reading.account_state == AccountState::Live {
        steps.push(deactivation(binding, &account.provider_key));
    }
    let opening: Vec<usize> = (0..steps.len()).collect();
    for entitlement in in_order(reading) {
        steps.push(PlannedStep {
            needs: opening.clone(),
            ..of_entitlement(intent, reading.account_state, binding, entitlement)
        });
    }
    steps.push(PlannedStep {
        needs: opening,
        ..sessions(binding, session_residual_s)
    });
    // Also where inactive users look as deleted ones do: this one may have been deactivated only.
    if intent == Intent::Remove {
        let calls = |at: &usize| steps[*at].action != Action::Leave;
        let needs = (0..steps.len()).filter(calls).collect();
        if let Some(last) = last(binding, &account.provider_key, end) {
            steps.push(PlannedStep { needs, ..last });
        }
    }
    steps
}

/// Everything but the account, privileged before ordinary.
fn in_order(reading: &AccountReading) -> Vec<&Entitlement> {
    let hanging = |entitlement: &&Entitlement| entitlement.kind != EntitlementKind::Account;
    let mut all: Vec<&Entitlement> = reading.entitlements().filter(hanging).collect();
    all.sort_by_key(|entitlement| !entitlement.privileged);
    all
}

fn of_entitlement(
    intent: Intent,
    account: AccountState,
    binding: BindingId,
    entitlement: &Entitlement,
) -> PlannedStep {
    let disposition = disposition(intent, account, entitlement);
    let action = match (&disposition, entitlement.kind) {
        (Disposition::MustGo, EntitlementKind::Role) => Action::RevokeRole,
        (Disposition::MustGo, EntitlementKind::Licence) => Action::RevokeLicence,
        // What another group gives goes with that group.
        (Disposition::MustGo, EntitlementKind::Group) if !is_indirect(entitlement) => {
            Action::RemoveFromGroup
        }
        (_, _) => Action::Leave,
    };
    let (grade, rule) = match &disposition {
        Disposition::Inert { rule } => (Grade::Implied, Some(rule.clone())),
        Disposition::MustGo | Disposition::Blocked { .. } | Disposition::Manual { .. } => {
            (Grade::Read, None)
        }
    };
    PlannedStep {
        privileged: entitlement.privileged,
        grade,
        rule,
        disposition,
        ..step(
            binding,
            (action, StepClass::Revoke),
            entitlement.kind,
            &entitlement.provider_key,
        )
    }
}

/// The line for what SCIM does not know: no call ends sessions, and they outlast the account by their lifetime at most.
fn sessions(binding: BindingId, residual_s: i64) -> PlannedStep {
    PlannedStep {
        reversibility: Reversibility::OneWay,
        grade: Grade::Implied,
        rule: Some(SESSIONS_END.to_owned()),
        residual_s: Some(residual_s),
        ..step(
            binding,
            (Action::Leave, StepClass::Revoke),
            EntitlementKind::Session,
            "sessions",
        )
    }
}

fn last(binding: BindingId, account_id: &str, end: End) -> Option<PlannedStep> {
    let of = |action| {
        let class = StepClass::Final;
        step(
            binding,
            (action, class),
            EntitlementKind::Account,
            account_id,
        )
    };
    match end {
        End::Inactive => None,
        End::Delete => Some(PlannedStep {
            reversibility: Reversibility::OneWay,
            ..of(Action::DeleteAccount)
        }),
        End::Person => Some(PlannedStep {
            reversibility: Reversibility::OneWay,
            grade: Grade::Attested,
            disposition: Disposition::Manual { task: deletion() },
            ..of(Action::Leave)
        }),
    }
}

fn deletion() -> ManualTask {
    ManualTask {
        asked_of: "application-admin".to_owned(),
        what: "Delete the account in the application: it is inactive, and the application's SCIM interface has no \
            DELETE."
            .to_owned(),
        link: None,
        evidence: "The application's own list of accounts without this one, or its audit log with the deletion."
            .to_owned(),
        due_s: TASK_DUE_S,
    }
}

mod proofs;
