//! The plan at Keycloak: disable; then sessions, tokens and consents; then roles, privileged before ordinary, groups,
//! credentials and links.

use sever_domain::entitlement::{AccountReading, Entitlement, FamilyReading, FamilyResult};
use sever_domain::plan::{Disposition, PlannedStep};
use sever_domain::{
    AccountState, Action, BindingId, EntitlementKind as Kind, Grade, Intent, Reversibility,
    StepClass,
};

use super::OidcPeople;
use super::disposition::disposition;
use super::families::ONLINE;
use super::rules::REVOKED_BY_ANSWER;
use crate::step::{line, step};

/// `enabled` false.
#[must_use]
pub fn disabling(binding: BindingId, account: &str) -> PlannedStep {
    let contain = (Action::SuspendAccount, StepClass::Contain);
    step(binding, contain, Kind::Account, account)
}

/// Plans what is to become of everything that was read. There is no last step: a disabled user is Keycloak's end of an
/// account, and a deletion would take the history along.
#[must_use]
pub fn plan(
    people: &OidcPeople,
    intent: Intent,
    binding: BindingId,
    reading: &AccountReading,
) -> Vec<PlannedStep> {
    let account = reading.of(Kind::Account).first();
    let Some(account) = account.filter(|_| reading.account_state != AccountState::Absent) else {
        return Vec::new();
    };
    let account = account.provider_key.as_str();
    let mut steps = Vec::new();
    if reading.account_state == AccountState::Live {
        steps.push(disabling(binding, account));
    }
    let opening: Vec<usize> = (0..steps.len()).collect();
    steps.push(log_out(people, binding, &opening));
    let tokens_are_read = |family: &FamilyReading| {
        family.family == Kind::Token && family.result == FamilyResult::Complete
    };
    let told = reading.families.iter().any(tokens_are_read);
    steps.extend(tokens(people, binding, account, reading, (told, &opening)));
    let cut: Vec<usize> = (0..steps.len()).collect();
    let mut rest: Vec<&Entitlement> = reading
        .entitlements()
        .filter(|held| !matches!(held.kind, Kind::Account | Kind::Session | Kind::Token))
        .collect();
    rest.sort_by_key(|held| (held.kind != Kind::Grant, !held.privileged));
    for held in rest {
        steps.push(of_entitlement(
            intent,
            reading.account_state,
            binding,
            held,
            &cut,
        ));
    }
    steps
}

/// Always planned: besides ending sessions it has Keycloak refuse what was issued before.
fn log_out(people: &OidcPeople, binding: BindingId, needs: &[usize]) -> PlannedStep {
    PlannedStep {
        residual_s: Some(people.lifetimes.residual_s(&people.issuer.issuer, None)),
        needs: needs.to_vec(),
        ..step(
            binding,
            (Action::RevokeSessions, StepClass::CutSessions),
            Kind::Session,
            ONLINE,
        )
    }
}

/// The tokens that were read; where nothing tells of them, every one that is registered. `told` is whether something tells.
pub fn tokens(
    people: &OidcPeople,
    binding: BindingId,
    account: &str,
    reading: &AccountReading,
    (told, needs): (bool, &[usize]),
) -> Vec<PlannedStep> {
    let revocation = |key: &str, lifetime_s: Option<u64>| PlannedStep {
        reversibility: Reversibility::OneWay,
        residual_s: Some(
            people
                .lifetimes
                .residual_s(&people.issuer.issuer, lifetime_s),
        ),
        needs: needs.to_vec(),
        ..step(
            binding,
            (Action::RevokeTokens, StepClass::CutSessions),
            Kind::Token,
            key,
        )
    };
    let held = reading.of(Kind::Token);
    let of = |token: &Entitlement| {
        // Only of an access token the own lifetime is the one for which something works on.
        let is_access = token.facts["hint"] == "access_token";
        let lifetime_s = token.facts["lifetime_s"].as_u64().filter(|_| is_access);
        PlannedStep {
            facts: token.facts.clone(),
            ..revocation(&token.provider_key, lifetime_s)
        }
    };
    let unseen = people
        .registered
        .keys_of(account)
        .filter(|key| held.iter().all(|token| token.provider_key != *key));
    let rest = unseen.filter_map(|key| match told {
        false => Some(PlannedStep {
            grade: Grade::Implied,
            rule: Some(REVOKED_BY_ANSWER.to_owned()),
            ..revocation(&key, None)
        }),
        // A token of a disabled account is shown as dead, and would work again with the account.
        true => reading
            .account_state
            .sign_in_blocked()
            .then(|| revocation(&key, None)),
    });
    held.iter().map(of).chain(rest).collect()
}

fn of_entitlement(
    intent: Intent,
    account: AccountState,
    binding: BindingId,
    held: &Entitlement,
    needs: &[usize],
) -> PlannedStep {
    use Reversibility::{OneWay, Reversible};
    let disposition = disposition(intent, account, held);
    let (action, reversibility) = match held.kind {
        Kind::Grant => (Action::RevokeGrants, OneWay),
        Kind::Role => (Action::RevokeRole, Reversible),
        Kind::Group => (Action::RemoveFromGroup, Reversible),
        Kind::Factor => (Action::RemoveFactor, OneWay),
        Kind::IdentityLink => (Action::UnlinkIdentity, OneWay),
        _ => (Action::Leave, Reversible),
    };
    let planned = match disposition {
        Disposition::MustGo => PlannedStep {
            reversibility,
            facts: held.facts.clone(),
            ..step(
                binding,
                (action, StepClass::Revoke),
                held.kind,
                &held.provider_key,
            )
        },
        stays => line(binding, held.kind, &held.provider_key, stays),
    };
    PlannedStep {
        privileged: held.privileged,
        needs: needs.to_vec(),
        ..planned
    }
}
