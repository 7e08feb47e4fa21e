//! Finding a person: by id, by address, and the read that proves tenant and credential.

use serde::Deserialize;
use serde_json::Value;
use sever_domain::AccountState;
use sever_domain::identity::PersonAttributes;
use sever_provider::{Account, CallError, FoundAccount};
use tokio::time::Instant;

use super::person::Person;
use super::users::signs_in;
use crate::errors::{Meaning, Refused, inconsistent, unusable};
use crate::paging::list;
use crate::tenant::{Api, Ask, Tenant};

/// Reads the record with this id; `None` where Vanta has none.
///
/// # Errors
/// As any read; class `NeedsPerson` where another record came back.
pub async fn person_by_id(
    tenant: &Tenant,
    id: &str,
    until: Option<Instant>,
) -> Result<Option<Person>, CallError> {
    const DOING: &str = "reading the person";
    let ask = Ask {
        doing: DOING,
        family: "person",
        path: &["people", id],
        query: &[],
    };
    let reply = match tenant.get(Api::Manage, ask, until).await {
        Ok(reply) => reply,
        Err(Refused {
            meaning: Meaning::Gone,
            ..
        }) => return Ok(None),
        Err(refused) => return Err(refused.error),
    };
    let person: Person = reply
        .json()
        .map_err(|_| inconsistent(DOING, "the answer is not a person"))?;
    if person.id == id {
        Ok(Some(person))
    } else {
        let what = "the provider answered with another person than the one asked for";
        Err(unusable(DOING, what.to_owned()))
    }
}

/// [`sever_provider::Connector::find_by_id`]. Whether there is a login is left to the inspection.
///
/// # Errors
/// As [`person_by_id`].
pub async fn find_by_id(tenant: &Tenant, id: &str) -> Result<FoundAccount, CallError> {
    let person = person_by_id(tenant, id, None).await?;
    Ok(person.map_or(FoundAccount::Absent, |person| {
        FoundAccount::Present(Box::new(account(&person)))
    }))
}

/// Asks for each address, and compares what comes back: the filter finds parts of addresses and names, and a server may
/// ignore it.
///
/// # Errors
/// As any list; class `NeedsPerson` where there is no record and an active login has one of the addresses.
pub async fn find_by_login(
    tenant: &Tenant,
    person: &PersonAttributes,
) -> Result<Vec<Account>, CallError> {
    let mut found: Vec<Account> = Vec::new();
    for email in person.emails.iter().map(|email| email.trim()) {
        if email.is_empty() {
            continue;
        }
        let ask = Ask {
            doing: "looking for a person by address",
            family: "people",
            path: &["people"],
            query: &[("emailAndNameFilter", email)],
        };
        let people: Vec<Person> = list(tenant, ask).await.map_err(|refused| refused.error)?;
        for person in people.iter().filter(|person| person.has_email(email)) {
            if found.iter().all(|known| known.provider_id != person.id) {
                found.push(account(person));
            }
        }
    }
    if found.is_empty() {
        refuse_login_without_record(tenant, person).await?;
    }
    Ok(found)
}

/// A login can outlive its person's record, and hangs on nothing then that an opt-out could be bound to: it is no absence.
async fn refuse_login_without_record(
    tenant: &Tenant,
    person: &PersonAttributes,
) -> Result<(), CallError> {
    let signs_in = signs_in(tenant, &person.emails).await;
    if !signs_in.map_err(|refused| refused.error)? {
        return Ok(());
    }
    let what = "an active login has the person's address, and no person's record: under Settings > Users, deactivate it, then \
        release";
    Err(unusable("looking for a person by address", what.to_owned()))
}

/// One page of one person: it cannot be empty, as somebody acknowledges.
///
/// # Errors
/// As any read; class `NeedsPerson` where the tenant shows nobody.
pub async fn canary(tenant: &Tenant) -> Result<(), CallError> {
    const DOING: &str = "proving tenant and credential";
    #[derive(Deserialize)]
    struct Page {
        results: Results,
    }
    #[derive(Deserialize)]
    struct Results {
        data: Vec<Value>,
    }
    let ask = Ask {
        doing: DOING,
        family: "people",
        path: &["people"],
        query: &[("pageSize", "1")],
    };
    let reply = tenant.get(Api::Manage, ask, None).await;
    let reply = reply.map_err(|refused| refused.error)?;
    let page: Page = reply
        .json()
        .map_err(|_| inconsistent(DOING, "the answer is not a list of people"))?;
    if page.results.data.is_empty() {
        let what =
            "the tenant shows nobody at all; check the base URL and the application's scopes";
        return Err(unusable(DOING, what.to_owned()));
    }
    Ok(())
}

fn account(person: &Person) -> Account {
    Account {
        provider_id: person.id.clone(),
        // The login is read with the inspection; until then it counts as live.
        state: AccountState::Live,
        provider_state: person.state_word().to_owned(),
        attributes: person.attributes(),
        facts: person.facts(),
    }
}
