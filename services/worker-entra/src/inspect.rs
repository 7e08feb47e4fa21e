//! One inspection of a person: every family, read in one batch, as often as readings must agree.

use serde_json::Value;
use sever_domain::EntitlementKind as Kind;
use sever_domain::entitlement::{AccountReading, Entitlement, FamilyReading};
use sever_provider::CallError;

use crate::account::{ask as ask_user, user_by_id, user_of};
use crate::agree;
use crate::batch;
use crate::errors::{Meaning, Refused};
use crate::families::azure::Scopes;
use crate::families::{
    app_roles, azure, complete, devices, grants, groups, licences, methods, outcome, ownerships,
    roles, unsupported, with_schedules,
};
use crate::paging::read_on;
use crate::tenant::{Ask, Tenant};
use crate::user::User;

type Items = Result<Vec<Value>, Refused>;

/// Reads everything, until readings agree.
///
/// # Errors
/// Credentials, rate and shutting down as they come; the account's own read failing; class `Wait` while replicas quarrel.
pub async fn inspect(tenant: &Tenant, user_id: &str) -> Result<AccountReading, CallError> {
    let scopes = scopes(tenant).await;
    agree::read(tenant.agreement, || {
        read_once(tenant, user_id, scopes.as_ref())
    })
    .await
}

/// One look at what the deletion of a user would hide; `None` where there is nobody in the directory any more. Azure's roles
/// are found by the id before and after it.
///
/// # Errors
/// As [`inspect`].
pub async fn look(tenant: &Tenant, user_id: &str) -> Result<Option<AccountReading>, CallError> {
    let Batch { user, lists } = Box::pin(lists(tenant, user_id)).await?;
    let Some(user) = user else {
        return Ok(None);
    };
    let azure = unsupported(Kind::ResourceRole, "a deletion does not hide Azure's roles");
    of_present(tenant, user, lists, Ok(azure)).await.map(Some)
}

/// The Azure scopes, read once for all readings; `None` where the organisation has no Azure.
pub async fn scopes(tenant: &Tenant) -> Option<Result<Scopes, Refused>> {
    match &tenant.azure {
        Some(service) => Some(azure::scopes(tenant, service).await),
        None => None,
    }
}

async fn read_once(
    tenant: &Tenant,
    user_id: &str,
    scopes: Option<&Result<Scopes, Refused>>,
) -> Result<AccountReading, CallError> {
    let (batch, azure) = tokio::join!(
        Box::pin(lists(tenant, user_id)),
        Box::pin(azure_roles(tenant, user_id, scopes)),
    );
    let Batch { user, lists } = batch?;
    let Some(user) = user else {
        let Some(deleted) = user_by_id(tenant, user_id, None).await? else {
            return Ok(AccountReading::absent(crate::families::PEOPLE));
        };
        return of_deleted(&deleted, lists, azure);
    };
    of_present(tenant, user, lists, azure).await
}

/// What one batch brought.
struct Batch {
    /// `None`: not in the directory; perhaps among the deleted items.
    user: Option<User>,
    lists: Lists,
}

/// The lists, each read to its end.
struct Lists {
    groups: Items,
    owned: Items,
    app_roles: Items,
    grants: Items,
    devices: Items,
    registered_devices: Items,
    methods: Items,
    roles: Items,
    role_schedules: Items,
    eligible_roles: Items,
    eligible_groups: Items,
    group_schedules: Items,
}

fn asks(id: &str) -> Vec<Ask> {
    vec![
        ask_user("reading the account", id),
        groups::ask("users", id),
        ownerships::ask("users", id),
        app_roles::ask("users", id),
        grants::ask("users", id),
        devices::ask(id),
        devices::ask_registered(id),
        methods::ask(id),
        roles::ask(id),
        roles::ask_schedules(id),
        roles::ask_eligible(id),
        roles::ask_eligible_groups(id),
        groups::ask_schedules(id),
    ]
}

async fn lists(tenant: &Tenant, user_id: &str) -> Result<Batch, CallError> {
    let asks = asks(user_id);
    let mut answers = batch::read_all(tenant, &asks).await?.into_iter();
    let first = answers.next().expect("there is an answer to each ask");
    let user = match first {
        Ok(body) => Some(user_of("reading the account", body, user_id)?),
        Err(refused) if refused.meaning == Meaning::Gone => None,
        Err(refused) => return Err(refused.error),
    };
    let mut whole: Vec<Items> = Vec::with_capacity(asks.len());
    for (ask, answer) in asks.iter().skip(1).zip(answers) {
        whole.push(match answer {
            Ok(first) => read_on(tenant, ask, first).await,
            Err(refused) => Err(refused),
        });
    }
    let mut whole = whole.into_iter();
    let mut next = || whole.next().expect("there is an answer to each ask");
    Ok(Batch {
        user,
        lists: Lists {
            groups: next(),
            owned: next(),
            app_roles: next(),
            grants: next(),
            devices: next(),
            registered_devices: next(),
            methods: next(),
            roles: next(),
            role_schedules: next(),
            eligible_roles: next(),
            eligible_groups: next(),
            group_schedules: next(),
        },
    })
}

/// The Azure roles of a principal as a family.
pub async fn azure_roles(
    tenant: &Tenant,
    id: &str,
    scopes: Option<&Result<Scopes, Refused>>,
) -> Result<FamilyReading, CallError> {
    match (&tenant.azure, scopes) {
        (Some(service), Some(Ok(scopes))) => {
            let read = azure::read(tenant, service, scopes, id).await;
            outcome(Kind::ResourceRole, read)
        }
        (Some(_), Some(Err(refused))) => outcome(Kind::ResourceRole, Err(refused.clone())),
        (_, _) => Ok(unsupported(
            Kind::ResourceRole,
            "the connection says that there are no Azure subscriptions",
        )),
    }
}

async fn of_present(
    tenant: &Tenant,
    user: User,
    lists: Lists,
    azure: Result<FamilyReading, CallError>,
) -> Result<AccountReading, CallError> {
    let id = user.id.as_str();
    let schedules = unlicensed_is_empty(lists.group_schedules);
    let devices = match (lists.devices, lists.registered_devices) {
        (Ok(owned), Ok(registered)) => devices::entitlements(tenant, &owned, &registered, id).await,
        (Err(refused), _) | (_, Err(refused)) => Err(refused),
    };
    let licences = match &user.license_assignment_states {
        Some(states) => complete(Kind::Licence, licences::entitlements(states)),
        None => unsupported(Kind::Licence, "the answer shows no licences"),
    };
    let families = vec![
        complete(Kind::Account, vec![account(&user)]),
        unsupported(Kind::Session, "no read lists a user's sessions"),
        outcome(
            Kind::Role,
            active_roles(lists.roles, lists.role_schedules, id),
        )?,
        outcome(
            Kind::EligibleRole,
            eligible_roles(lists.eligible_roles, lists.eligible_groups, id),
        )?,
        azure?,
        with_schedules(Kind::Group, lists.groups, &schedules, |items, schedules| {
            groups::entitlements(items, schedules, id)
        })?,
        with_schedules(
            Kind::Ownership,
            lists.owned,
            &schedules,
            |items, schedules| ownerships::entitlements(items, schedules, id),
        )?,
        outcome(
            Kind::AppAssignment,
            lists
                .app_roles
                .map(|items| app_roles::of_person(&items, id)),
        )?,
        outcome(
            Kind::Grant,
            lists.grants.map(|items| grants::of_person(&items, id)),
        )?,
        licences,
        outcome(
            Kind::Factor,
            lists.methods.map(|items| methods::entitlements(&items)),
        )?,
        outcome(Kind::Device, devices)?,
    ];
    Ok(AccountReading {
        account_state: user.state(),
        provider_state: user.provider_state().to_owned(),
        families,
    })
}

/// A deleted user is in no list that hangs on the user; what names it by id can still be read.
fn of_deleted(
    user: &User,
    lists: Lists,
    azure: Result<FamilyReading, CallError>,
) -> Result<AccountReading, CallError> {
    let id = user.id.as_str();
    let mut families = vec![
        complete(Kind::Account, vec![account(user)]),
        outcome(
            Kind::Role,
            active_roles(lists.roles, lists.role_schedules, id),
        )?,
        outcome(
            Kind::EligibleRole,
            eligible_roles(lists.eligible_roles, lists.eligible_groups, id),
        )?,
        azure?,
    ];
    let known: Vec<Kind> = families.iter().map(|family| family.family).collect();
    let others = crate::families::PEOPLE
        .iter()
        .filter(|family| !known.contains(family));
    families.extend(
        others.map(|family| unsupported(*family, "the account is among the deleted items")),
    );
    Ok(AccountReading {
        account_state: user.state(),
        provider_state: user.provider_state().to_owned(),
        families,
    })
}

/// The active roles, from both lists that show them.
pub fn active_roles(
    assignments: Items,
    schedules: Items,
    id: &str,
) -> Result<Vec<Entitlement>, Refused> {
    let schedules = unlicensed_is_empty(schedules)?;
    Ok(roles::active(&assignments?, &schedules, id))
}

/// What can be activated, of roles and of groups.
pub fn eligible_roles(
    eligible: Items,
    eligible_groups: Items,
    id: &str,
) -> Result<Vec<Entitlement>, Refused> {
    let eligible = unlicensed_is_empty(eligible)?;
    let groups = unlicensed_is_empty(eligible_groups)?;
    Ok(roles::eligible(&eligible, &groups, id))
}

/// Where Privileged Identity Management is not licensed, it holds nothing.
pub fn unlicensed_is_empty(items: Items) -> Items {
    match items {
        Err(refused) if refused.meaning == Meaning::Unlicensed => Ok(Vec::new()),
        items => items,
    }
}

fn account(user: &User) -> Entitlement {
    Entitlement {
        kind: Kind::Account,
        provider_key: user.id.clone(),
        privileged: false,
        facts: user.facts(),
    }
}
