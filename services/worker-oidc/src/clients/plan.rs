//! The plan for a client: disable; end what was issued; replace the secret; take the service account's roles.

use sever_domain::entitlement::{AccountReading, Entitlement};
use sever_domain::plan::{Disposition, PlannedStep};
use sever_domain::{
    AccountState, Action, BindingId, EntitlementKind as Kind, Intent, Reversibility, StepClass,
};

use super::rules::disposition;
use crate::step::{line, step};

/// `enabled` false.
#[must_use]
pub fn disabling(binding: BindingId, client: &str) -> PlannedStep {
    let contain = (Action::DisableIntegration, StepClass::Contain);
    step(binding, contain, Kind::Account, client)
}

/// Plans what is to become of everything that was read.
#[must_use]
pub fn plan(
    intent: Intent,
    binding: BindingId,
    reading: &AccountReading,
    residual_s: i64,
) -> Vec<PlannedStep> {
    let client = reading.of(Kind::Account).first();
    let Some(client) = client.filter(|_| reading.account_state != AccountState::Absent) else {
        return Vec::new();
    };
    let mut steps = Vec::new();
    if reading.account_state == AccountState::Live {
        steps.push(disabling(binding, &client.provider_key));
    }
    let opening: Vec<usize> = (0..steps.len()).collect();
    let mut held: Vec<&Entitlement> = reading
        .entitlements()
        .filter(|held| held.kind != Kind::Account)
        .collect();
    held.sort_by_key(|held| (held.kind != Kind::Token, !held.privileged));
    for held in held {
        let planned = match (held.kind, intent) {
            (Kind::Token, _) => PlannedStep {
                reversibility: Reversibility::OneWay,
                residual_s: Some(residual_s),
                ..call(binding, held, Action::RevokeTokens, StepClass::CutSessions)
            },
            (Kind::Secret, Intent::Remove) => PlannedStep {
                reversibility: Reversibility::OneWay,
                ..call(binding, held, Action::RemoveSecret, StepClass::Revoke)
            },
            (Kind::Role, Intent::Remove) => {
                call(binding, held, Action::RevokeRole, StepClass::Revoke)
            }
            (_, _) => stays(intent, binding, held),
        };
        steps.push(PlannedStep {
            privileged: held.privileged,
            needs: opening.clone(),
            ..planned
        });
    }
    steps
}

fn call(binding: BindingId, held: &Entitlement, action: Action, class: StepClass) -> PlannedStep {
    PlannedStep {
        facts: held.facts.clone(),
        ..step(binding, (action, class), held.kind, &held.provider_key)
    }
}

/// What stays, as it will stand once the client is disabled.
fn stays(intent: Intent, binding: BindingId, held: &Entitlement) -> PlannedStep {
    let then: Disposition = disposition(intent, AccountState::Deactivated, held);
    line(binding, held.kind, &held.provider_key, then)
}
