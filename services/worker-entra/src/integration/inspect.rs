//! One inspection of an integration: every family, as often as readings must agree.

use serde_json::{Value, json};
use sever_domain::EntitlementKind as Kind;
use sever_domain::entitlement::{AccountReading, Entitlement, FamilyReading};
use sever_provider::CallError;

use super::disposition::OF_DELETED;
use super::principal::{self, Principal};
use crate::agree;
use crate::batch;
use crate::edge::Holder;
use crate::errors::Refused;
use crate::families::azure::Scopes;
use crate::families::{
    app_roles, complete, grants, groups, outcome, ownerships, roles, secrets, text, unsupported,
    with_schedules,
};
use crate::inspect::{active_roles, azure_roles, eligible_roles, scopes, unlicensed_is_empty};
use crate::paging::{list, read_on};
use crate::tenant::{Ask, Tenant};

type Items = Result<Vec<Value>, Refused>;

/// Reads everything, until readings agree.
///
/// # Errors
/// As [`crate::inspect::inspect`].
pub async fn inspect(tenant: &Tenant, id: &str) -> Result<AccountReading, CallError> {
    let scopes = scopes(tenant).await;
    agree::read(tenant.agreement, || read_once(tenant, id, scopes.as_ref())).await
}

async fn read_once(
    tenant: &Tenant,
    id: &str,
    scopes: Option<&Result<Scopes, Refused>>,
) -> Result<AccountReading, CallError> {
    let Some(principal) = principal::by_id(tenant, id).await? else {
        return Ok(AccountReading::absent(crate::families::INTEGRATIONS));
    };
    let (lists, azure, secrets) = tokio::join!(
        Box::pin(read_lists(tenant, asks(id))),
        Box::pin(azure_roles(tenant, id, scopes)),
        Box::pin(read_secrets(tenant, &principal)),
    );
    let Lists {
        permissions,
        consumers,
        grants,
        groups,
        owned,
        roles,
        role_schedules,
        eligible,
        eligible_groups,
        group_schedules,
    } = lists?;
    let schedules = unlicensed_is_empty(group_schedules);
    let mut families = vec![
        complete(Kind::Account, vec![account(&principal, id)]),
        outcome(Kind::Role, active_roles(roles, role_schedules, id))?,
        outcome(
            Kind::EligibleRole,
            eligible_roles(eligible, eligible_groups, id),
        )?,
        azure?,
    ];
    if principal.is_deleted() {
        mark_as_of_deleted(&mut families);
    }
    if !principal.is_deleted() {
        families.extend([
            outcome(Kind::Secret, secrets)?,
            outcome(
                Kind::Permission,
                permissions.map(|items| app_roles::of_application(&items, id)),
            )?,
            outcome(
                Kind::Grant,
                grants.map(|items| grants::of_client(&items, id)),
            )?,
            with_schedules(Kind::Group, groups, &schedules, |items, schedules| {
                groups::entitlements(items, schedules, id)
            })?,
            with_schedules(Kind::Ownership, owned, &schedules, |items, schedules| {
                ownerships::entitlements(items, schedules, id)
            })?,
            outcome(
                Kind::Consumer,
                consumers.map(|items| app_roles::consumers(&items, id)),
            )?,
        ]);
    }
    Ok(AccountReading {
        account_state: principal.state(),
        provider_state: principal.provider_state().to_owned(),
        families: in_order(families),
    })
}

/// The lists, each read to its end.
struct Lists {
    permissions: Items,
    consumers: Items,
    grants: Items,
    groups: Items,
    owned: Items,
    roles: Items,
    role_schedules: Items,
    eligible: Items,
    eligible_groups: Items,
    group_schedules: Items,
}

fn asks(id: &str) -> Vec<Ask> {
    const PRINCIPALS: &str = "servicePrincipals";
    vec![
        app_roles::ask(PRINCIPALS, id),
        app_roles::ask_consumers(id),
        grants::ask(PRINCIPALS, id),
        groups::ask(PRINCIPALS, id),
        ownerships::ask(PRINCIPALS, id),
        roles::ask(id),
        roles::ask_schedules(id),
        roles::ask_eligible(id),
        roles::ask_eligible_groups(id),
        groups::ask_schedules(id),
    ]
}

async fn read_lists(tenant: &Tenant, asks: Vec<Ask>) -> Result<Lists, CallError> {
    let answers = batch::read_all(tenant, &asks).await?;
    let mut whole: Vec<Items> = Vec::with_capacity(asks.len());
    for (ask, answer) in asks.iter().zip(answers) {
        whole.push(match answer {
            Ok(first) => read_on(tenant, ask, first).await,
            Err(refused) => Err(refused),
        });
    }
    let mut whole = whole.into_iter();
    let mut next = || whole.next().expect("there is an answer to each ask");
    Ok(Lists {
        permissions: next(),
        consumers: next(),
        grants: next(),
        groups: next(),
        owned: next(),
        roles: next(),
        role_schedules: next(),
        eligible: next(),
        eligible_groups: next(),
        group_schedules: next(),
    })
}

/// Secrets and keys of the service principal, and of the registration where it is in this tenant.
async fn read_secrets(tenant: &Tenant, principal: &Principal) -> Result<Vec<Entitlement>, Refused> {
    let mut held = secrets::of_object(&principal.0, Holder::ServicePrincipal);
    if principal.is_deleted() {
        return Ok(held);
    }
    if let Some(application) = principal::registration(tenant, principal.app_id()).await? {
        held.extend(secrets::of_object(&application, Holder::Application));
        let path = [
            "applications",
            text(&application, "id"),
            "federatedIdentityCredentials",
        ];
        let ask = Ask::new("reading the federated credentials", "application", &path);
        let items = list(tenant, &ask).await?;
        held.extend(secrets::federated(&items, &application));
    }
    Ok(held)
}

/// Schedules of a deleted principal stay listed for some days, and can do nothing.
fn mark_as_of_deleted(families: &mut [FamilyReading]) {
    let schedules = families
        .iter_mut()
        .filter(|family| family.family == Kind::EligibleRole)
        .flat_map(|family| &mut family.entitlements);
    for held in schedules {
        held.facts[OF_DELETED] = json!(true);
    }
}

/// The families in the order in which they are shown; of a deleted application some cannot be read.
fn in_order(mut read: Vec<FamilyReading>) -> Vec<FamilyReading> {
    crate::families::INTEGRATIONS
        .iter()
        .map(|family| {
            let found = read.iter().position(|reading| reading.family == *family);
            match found {
                Some(at) => read.swap_remove(at),
                None => unsupported(*family, "the application is among the deleted items"),
            }
        })
        .collect()
}

fn account(principal: &Principal, id: &str) -> Entitlement {
    Entitlement {
        kind: Kind::Account,
        provider_key: id.to_owned(),
        privileged: false,
        facts: principal.facts(),
    }
}
