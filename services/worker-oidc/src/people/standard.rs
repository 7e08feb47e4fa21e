//! People at a provider that is known by the standards alone: tokens are revoked and proven dead; the account is a
//! person's task, and says so in the plan.

use serde_json::json;
use sever_domain::entitlement::{AccountReading, Entitlement, FamilyReading};
use sever_domain::identity::AccountAttributes;
use sever_domain::plan::{Disposition, ManualTask, PlannedStep};
use sever_domain::{AccountState, Action, BindingId, EntitlementKind as Kind, Grade, StepClass};
use sever_provider::{Account, CallError, FoundAccount};

use super::OidcPeople;
use super::plan::tokens;
use super::rules::ALL_REVOKED;
use crate::issuer::{Issuer, unusable};
use crate::reading::{complete, outcome, unsupported};
use crate::registered::Known;
use crate::step::{line, step};
use crate::tokens::{introspect, revoke};

/// Seconds until a task is overdue: one day.
const TASK_DUE_S: i64 = 24 * 3600;
/// A value that no provider gives out: asking about it proves who asks, and nothing else.
const NO_TOKEN: &str = "sever-asks-who-it-is";
/// Why the tokens are never read whole.
const NOT_SHOWN: &str = "tokens that are not registered are shown to nobody";
/// The target that stands for tokens and consents that are not registered.
const NOT_REGISTERED: &str = "not_registered";
/// The target of the cut that comes at once.
const AT_ONCE: &str = "at_once";
/// The target of the cut after somebody has disabled the account.
const AFTER_DISABLING: &str = "after_disabling";

/// The account that an id names. Nothing shows it, so nothing can say that it is not there.
#[must_use]
pub fn account(id: &str) -> FoundAccount {
    FoundAccount::Present(Box::new(Account {
        provider_id: id.to_owned(),
        state: AccountState::Live,
        provider_state: "not shown".to_owned(),
        attributes: AccountAttributes::default(),
        facts: json!({}),
    }))
}

/// Why there is no lookup: an empty answer would be taken for absence.
#[must_use]
pub fn no_lookup() -> CallError {
    unusable(
        "looking for an account by login",
        "the standards know no lookup of accounts: import the person's sub at this provider"
            .to_owned(),
    )
}

/// The provider says who it is, and takes our client for who it is.
///
/// # Errors
/// As any read; class `Credentials` where the client is refused.
pub async fn canary(issuer: &Issuer) -> Result<(), CallError> {
    let metadata = issuer.metadata().await?;
    let nothing = NO_TOKEN.into();
    if metadata.introspection.is_some() {
        let told = introspect(issuer, &nothing).await;
        return told.map(drop).map_err(|refused| refused.error);
    }
    if metadata.revocation.is_some() {
        let until = issuer.http.deadline();
        let answered = revoke(issuer, &issuer.client, &nothing, "access_token", until).await;
        return answered.map(drop);
    }
    issuer
        .own_token()
        .await
        .map(drop)
        .map_err(|refused| refused.error)
}

/// Reads what the standards show: which registered tokens are alive. Of others they show nothing.
///
/// # Errors
/// Credentials, rate and shutting down as they come.
pub async fn inspect(people: &OidcPeople, id: &str) -> Result<AccountReading, CallError> {
    // The plan, which makes no call, needs to know what the provider offers.
    people.issuer.metadata().await?;
    let tokens = match people.registered.alive(&people.issuer, id).await {
        Ok(Known::Alive(alive)) => FamilyReading {
            entitlements: alive,
            ..unsupported(Kind::Token, NOT_SHOWN)
        },
        Ok(Known::NotTold(why)) => unsupported(Kind::Token, why),
        Err(refused) => outcome(Kind::Token, Err(refused))?,
    };
    let account = Entitlement {
        kind: Kind::Account,
        provider_key: id.to_owned(),
        privileged: false,
        facts: json!({}),
    };
    Ok(AccountReading {
        account_state: AccountState::Live,
        provider_state: "not shown".to_owned(),
        families: vec![
            complete(Kind::Account, vec![account]),
            unsupported(Kind::Session, "the standards show no sessions"),
            tokens,
        ],
    })
}

/// Plans: registered tokens and, where it is offered, everything else at once; the account by a person; then everything once
/// more. What is registered with nobody has a line of its own: the last cut ends it, or a person does.
#[must_use]
pub fn plan(people: &OidcPeople, binding: BindingId, reading: &AccountReading) -> Vec<PlannedStep> {
    let Some(account) = reading.of(Kind::Account).first() else {
        return Vec::new();
    };
    let account = account.provider_key.as_str();
    let metadata = people.issuer.metadata.get();
    let cuts = metadata.is_some_and(|metadata| metadata.global_revocation.is_some());
    let is_told = |family: &FamilyReading| {
        family.family == Kind::Token && family.detail.as_deref() == Some(NOT_SHOWN)
    };
    let told = reading.families.iter().any(is_told);
    let mut steps = tokens(people, binding, account, reading, (told, &[]));
    if cuts {
        steps.push(cut(people, binding, AT_ONCE, Vec::new()));
    }
    let disabling = steps.len();
    let task = Disposition::Manual { task: disable() };
    steps.push(line(binding, Kind::Account, account, task));
    if cuts {
        let last = steps.len();
        steps.push(cut(people, binding, AFTER_DISABLING, vec![disabling]));
        steps.push(PlannedStep {
            grade: Grade::Implied,
            rule: Some(ALL_REVOKED.to_owned()),
            needs: vec![last],
            ..line(binding, Kind::Token, NOT_REGISTERED, Disposition::MustGo)
        });
    } else {
        let task = Disposition::Manual { task: sign_out() };
        steps.push(PlannedStep {
            residual_s: Some(people.lifetimes.residual_s(&people.issuer.issuer, None)),
            needs: vec![disabling],
            ..line(binding, Kind::Session, "sessions", task)
        });
        let task = Disposition::Manual { task: withdraw() };
        steps.push(PlannedStep {
            needs: vec![disabling],
            ..line(binding, Kind::Token, NOT_REGISTERED, task)
        });
    }
    steps
}

fn cut(people: &OidcPeople, binding: BindingId, key: &str, needs: Vec<usize>) -> PlannedStep {
    PlannedStep {
        grade: Grade::Implied,
        rule: Some(ALL_REVOKED.to_owned()),
        residual_s: Some(people.lifetimes.residual_s(&people.issuer.issuer, None)),
        needs,
        ..step(
            binding,
            (Action::RevokeSessions, StepClass::CutSessions),
            Kind::Session,
            key,
        )
    }
}

fn disable() -> ManualTask {
    ManualTask {
        asked_of: "identity-admin".to_owned(),
        what: "Disable the account in the OpenID provider's own administration: no standard lets a program do it."
            .to_owned(),
        link: None,
        evidence: "The account's page with its state, or the provider's audit log with the change.".to_owned(),
        due_s: TASK_DUE_S,
    }
}

fn sign_out() -> ManualTask {
    ManualTask {
        asked_of: "identity-admin".to_owned(),
        what: "End every session of the account in the OpenID provider's own administration, after disabling it: the \
            provider offers no global token revocation."
            .to_owned(),
        link: None,
        evidence: "The account's list of sessions, empty, or the provider's audit log with the sign-out.".to_owned(),
        due_s: TASK_DUE_S,
    }
}

fn withdraw() -> ManualTask {
    ManualTask {
        asked_of: "identity-admin".to_owned(),
        what: "Revoke every consent and refresh token of the account in the OpenID provider's own administration, after \
            disabling it: only tokens that are registered with Sever were revoked, and of others no standard tells."
            .to_owned(),
        link: None,
        evidence: "The account's lists of consents and of applications with tokens, empty, or the provider's audit log \
            with the revocation."
            .to_owned(),
        due_s: TASK_DUE_S,
    }
}
