//! The inventory of a Vanta tenant: people with their groups and the record that Vanta keeps of each, then integrations.
//!
//! A login is no account of its own here, as in an opt-out: it decides what the person's record can do. Logins are read whole when the
//! people are begun, because no list joins the two. Monitored accounts, API applications and what a login owns are listed by no call.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sever_domain::AccountState;
use sever_domain::EntitlementKind as Kind;
use sever_domain::entitlement::FamilyResult;
use sever_domain::inventory::ObservedKind;
use sever_provider::{
    CallError, InventoryPage, SeenAccount, SeenEntitlement, parse_records, resumed_at,
};
use tokio::sync::Mutex;

use crate::errors::{Meaning, Refused};
use crate::integrations::Integration;
use crate::paging::{Page, page as page_of};
use crate::people::{Person, User, active_logins, record};
use crate::tenant::{Ask, Tenant};

/// The list that is being read, and the cursor of its next page; at its beginning there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "list", rename_all = "snake_case")]
enum Place {
    People { next: Option<String> },
    Integrations { next: Option<String> },
}

/// The beginning.
impl Default for Place {
    fn default() -> Self {
        Self::People { next: None }
    }
}

/// The active logins of the tenant while its people are read: by id, and by address in lower case.
#[derive(Debug, Default)]
pub struct Logins(Mutex<Option<HashSet<String>>>);

/// The page after `cursor`; the first one where that is `None`.
///
/// # Errors
/// What stops the whole inventory: credentials, rate, shutting down, a read that may work later, or a cursor that is none of ours.
pub async fn page(
    tenant: &Tenant,
    logins: &Logins,
    cursor: Option<&Value>,
) -> Result<InventoryPage, CallError> {
    let (page, next) = match resumed_at(cursor)? {
        Place::People { next } => people(tenant, logins, next).await?,
        Place::Integrations { next } => integrations(tenant, next).await?,
    };
    let next = next.map(|place| serde_json::to_value(place).unwrap_or_default());
    Ok(InventoryPage { next, ..page })
}

type Turned = Result<(InventoryPage, Option<Place>), CallError>;

async fn people(tenant: &Tenant, logins: &Logins, next: Option<String>) -> Turned {
    let after = Some(Place::Integrations { next: None });
    let mut known = logins.0.lock().await;
    if next.is_none() || known.is_none() {
        match active_logins(tenant).await {
            Ok(users) => *known = Some(users.iter().flat_map(names).collect()),
            // Without the logins nothing can be said of what a record can do.
            Err(error) => return Ok((refused(Kind::Account, error)?, after)),
        }
    }
    let ask = Ask {
        doing: "listing the tenant's people",
        family: "people",
        path: &["people"],
        query: &[],
    };
    let Page { items, next } = match page_of(tenant, ask, next.as_deref()).await {
        Ok(read) => read,
        Err(error) => return Ok((refused(Kind::Account, error)?, after)),
    };
    let (people, unreadable) = parse_records::<Person>(Kind::Account, items);
    let mut page = InventoryPage {
        unreadable,
        ..Default::default()
    };
    for person in &people {
        take_person(&mut page, person, known.as_ref());
    }
    Ok(match next {
        Some(next) => (page, Some(Place::People { next: Some(next) })),
        None => {
            *known = None;
            let page = page.ends(Kind::Account).ends(Kind::Group);
            (page.ends(Kind::MonitoredAccount), after)
        }
    })
}

fn take_person(page: &mut InventoryPage, person: &Person, logins: Option<&HashSet<String>>) {
    let signs_in = logins.is_some_and(|logins| login_of(person, logins));
    // Whoever works here has a record that is in use, with or without a login.
    let in_use = !person.is_former() && !person.is_offboarded();
    page.accounts.push(SeenAccount {
        kind: ObservedKind::Account,
        provider_id: person.id.clone(),
        state: if signs_in || in_use {
            AccountState::Live
        } else {
            AccountState::Deactivated
        },
        attributes: person.attributes(),
    });
    let held = |kind, provider_key| SeenEntitlement {
        account_id: person.id.clone(),
        kind,
        provider_key,
        privileged: false,
    };
    let groups = person.group_ids.iter();
    page.entitlements
        .extend(groups.map(|group| held(Kind::Group, group.clone())));
    let record = record(person).into_iter();
    page.entitlements
        .extend(record.map(|part| held(part.kind, part.provider_key)));
}

/// What a login is known by; no id of Vanta's has an at sign.
fn names(user: &User) -> impl Iterator<Item = String> {
    let address = user.address().map(str::to_lowercase);
    user.is_active
        .then(|| std::iter::once(user.id.clone()).chain(address))
        .into_iter()
        .flatten()
}

/// Whether somebody signs in as the person: by the login that the record names, or by its address.
fn login_of(person: &Person, logins: &HashSet<String>) -> bool {
    let linked = person.user_id.as_ref().and_then(Option::as_ref);
    let address = person.email_address.as_deref().map(str::trim);
    linked.is_some_and(|id| logins.contains(id))
        || address.is_some_and(|address| logins.contains(&address.to_lowercase()))
}

async fn integrations(tenant: &Tenant, next: Option<String>) -> Turned {
    let ask = Ask {
        doing: "listing the tenant's integrations",
        family: "integrations",
        path: &["integrations"],
        query: &[],
    };
    let Page { items, next } = match page_of(tenant, ask, next.as_deref()).await {
        Ok(read) => read,
        Err(error) => return Ok((refused(Kind::Resource, error)?, None)),
    };
    let (integrations, unreadable) = parse_records::<Integration>(Kind::Resource, items);
    let accounts = integrations.into_iter().map(|integration| SeenAccount {
        kind: ObservedKind::Application,
        state: integration.state(),
        provider_id: integration.integration_id,
        attributes: Default::default(),
    });
    let page = InventoryPage {
        accounts: accounts.collect(),
        unreadable,
        ..Default::default()
    };
    let next = next.map(|next| Place::Integrations { next: Some(next) });
    Ok((page, next))
}

fn refused(family: Kind, refused: Refused) -> Result<InventoryPage, CallError> {
    use sever_domain::OutcomeClass::Permanent;
    let result = match refused.meaning {
        Meaning::Forbidden => FamilyResult::Forbidden,
        Meaning::NotOffered => FamilyResult::Unsupported,
        Meaning::Gone | Meaning::Failed(Permanent, _) => FamilyResult::Failed,
        Meaning::Done | Meaning::Failed(_, _) => return Err(refused.error),
    };
    Ok(InventoryPage::not_read(family, result, refused.error.what))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_record_is_live_while_somebody_works_here_or_signs_in() {
        for (status, email, expected) in [
            ("CURRENT", "no@example.test", AccountState::Live),
            ("FORMER", "Ada@example.test", AccountState::Live),
            ("FORMER", "no@example.test", AccountState::Deactivated),
        ] {
            let person: Person = serde_json::from_value(json!({
                "id": "p", "emailAddress": email, "employment": {"status": status}, "groupIds": ["g"],
            }))
            .unwrap();
            let logins = HashSet::from(["ada@example.test".to_owned()]);
            let mut page = InventoryPage::default();
            take_person(&mut page, &person, Some(&logins));
            assert_eq!(page.accounts[0].state, expected, "{status} {email}");
            assert_eq!(page.entitlements[0].kind, Kind::Group);
        }
    }
}
