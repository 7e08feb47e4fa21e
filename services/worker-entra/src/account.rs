//! Accounts: reading a user by id or address, and the reads that prove tenant and credential.

use serde_json::Value;
use sever_domain::AccountState;
use sever_domain::identity::PersonAttributes;
use sever_provider::http::Reply;
use sever_provider::{Account, CallError, FoundAccount};
use tokio::time::Instant;

use crate::errors::{Meaning, Refused};
use crate::families::text;
use crate::paging::list;
use crate::service::{inconsistent, unusable};
use crate::tenant::{Ask, Tenant};
use crate::user::{SELECT, User};

/// The read of one user; `name` is an id or a user principal name.
#[must_use]
pub fn ask(doing: &'static str, name: &str) -> Ask {
    Ask::new(doing, "user", &["users", name]).with("$select", SELECT)
}

/// The read of one deleted item.
#[must_use]
pub fn ask_deleted(id: &str) -> Ask {
    let path = ["directory", "deletedItems", id];
    Ask::new("looking among the deleted items", "deleted_items", &path)
}

/// Reads the user with this id, among the deleted items too; `None` where there is none in either.
///
/// # Errors
/// As any read; class `NeedsPerson` where another user came back.
pub async fn user_by_id(
    tenant: &Tenant,
    id: &str,
    until: Option<Instant>,
) -> Result<Option<User>, CallError> {
    let ask = ask("reading the account", id);
    let user = |reply: Reply| {
        let body = reply
            .json()
            .map_err(|_| inconsistent(ask.doing, "the answer is not a user"))?;
        user_of(ask.doing, body, id)
    };
    if let Some(reply) = found(tenant.get(&ask, until).await)? {
        return user(reply).map(Some);
    }
    let deleted = found(tenant.get(&ask_deleted(id), until).await)?;
    Ok(deleted.map(user).transpose()?.map(User::among_the_deleted))
}

/// The user that `body` is, if it is the one with this id.
///
/// # Errors
/// Class `Retry` where it is no user, `NeedsPerson` where it is another.
pub fn user_of(doing: &'static str, body: Value, id: &str) -> Result<User, CallError> {
    let user: User = serde_json::from_value(body)
        .map_err(|_| inconsistent(doing, "the answer is not a user"))?;
    if user.id == id {
        Ok(user)
    } else {
        let what = "the provider answered with another account than the one asked for";
        Err(unusable(doing, what.to_owned()))
    }
}

/// [`sever_provider::Connector::find_by_id`].
///
/// # Errors
/// As [`user_by_id`].
pub async fn find_by_id(tenant: &Tenant, id: &str) -> Result<FoundAccount, CallError> {
    Ok(match user_by_id(tenant, id, None).await? {
        Some(user) => FoundAccount::Present(Box::new(user.into_account())),
        None => FoundAccount::Absent,
    })
}

/// Looks up each of the person's addresses, as the user principal name and as the mail: plain reads, no advanced query,
/// which would lag. What came back is compared. Where no address leads to a user, one that was deleted may still answer to
/// it: it can be restored, and what hangs on its id can outlive it.
///
/// # Errors
/// As any read.
pub async fn find_by_login(
    tenant: &Tenant,
    person: &PersonAttributes,
) -> Result<Vec<Account>, CallError> {
    let trimmed = person.emails.iter().map(|address| address.trim());
    let addresses: Vec<&str> = trimmed.filter(|address| !address.is_empty()).collect();
    let mut users = present(tenant, &addresses).await?;
    if users.is_empty() && !addresses.is_empty() {
        users = deleted(tenant, &addresses).await?;
    }
    Ok(users.into_iter().map(User::into_account).collect())
}

/// The users who answer to one of these addresses.
async fn present(tenant: &Tenant, addresses: &[&str]) -> Result<Vec<User>, CallError> {
    const DOING: &str = "looking for an account by login";
    let mut users: Vec<User> = Vec::new();
    for address in addresses {
        if address.starts_with('$') || address.contains('/') {
            let what = "an address like this can be found by id only; import the account's id";
            return Err(unusable(DOING, what.to_owned()));
        }
        let by_login = found(tenant.get(&ask(DOING, address), None).await)?;
        let by_login = by_login
            .map(|reply| reply.json::<Value>())
            .transpose()
            .map_err(|_| inconsistent(DOING, "the answer is not a user"))?;
        let literal = address.replace('\'', "''");
        let by_mail = Ask::new(DOING, "users", &["users"])
            .with("$filter", format!("mail eq '{literal}'"))
            .with("$select", SELECT);
        let by_mail = list(tenant, &by_mail)
            .await
            .map_err(|refused| refused.error)?;
        for item in by_login.into_iter().chain(by_mail) {
            let user: User = serde_json::from_value(item)
                .map_err(|_| inconsistent(DOING, "the answer is not a user"))?;
            if user.answers_to(address) && !users.iter().any(|known| known.id == user.id) {
                users.push(user);
            }
        }
    }
    Ok(users)
}

/// The deleted users who answered to one of these addresses. The whole list is read: no filter is documented but by id, and
/// the login can stand behind the id.
async fn deleted(tenant: &Tenant, addresses: &[&str]) -> Result<Vec<User>, CallError> {
    const DOING: &str = "looking for an account by login among the deleted items";
    let path = ["directory", "deletedItems", "microsoft.graph.user"];
    let ask = Ask::new(DOING, "deleted_items", &path).with("$select", SELECT);
    let items = list(tenant, &ask).await.map_err(|refused| refused.error)?;
    let mut users: Vec<User> = Vec::new();
    for item in items {
        let user: User = serde_json::from_value(item)
            .map_err(|_| inconsistent(DOING, "an answer is not a user"))?;
        let user = user.among_the_deleted();
        if addresses.iter().any(|address| user.answers_to(address)) {
            users.push(user);
        }
    }
    Ok(users)
}

/// The organisation, which no tenant lacks; its id is compared where the credential names the tenant by id.
///
/// # Errors
/// As any read; class `NeedsPerson` where it is another tenant or none.
pub async fn canary(tenant: &Tenant) -> Result<(), CallError> {
    const DOING: &str = "proving tenant and credential";
    let ask = Ask::new(DOING, "organization", &["organization"]).with("$select", "id");
    let organizations = list(tenant, &ask).await.map_err(|refused| refused.error)?;
    let wanted = &tenant.endpoint.tenant_id;
    let by_id = uuid::Uuid::parse_str(wanted).is_ok();
    let known = organizations
        .iter()
        .any(|found| !by_id || text(found, "id").eq_ignore_ascii_case(wanted));
    if known {
        return Ok(());
    }
    let what = "the provider shows another organization, or none; check tenant_id and base URL";
    Err(unusable(DOING, what.to_owned()))
}

/// Whether administrators are protected from us by what this account holds now: an active directory role, or a
/// membership of a role-assignable group.
///
/// # Errors
/// As any read.
pub async fn is_administrator(tenant: &Tenant, id: &str) -> Result<bool, CallError> {
    use crate::families::{groups, roles};
    let roles = list(tenant, &roles::ask(id)).await;
    let roles = roles.map_err(|refused| refused.error)?;
    if roles.iter().any(|role| text(role, "principalId") == id) {
        return Ok(true);
    }
    let groups = list(tenant, &groups::ask("users", id)).await;
    let groups = groups.map_err(|refused| refused.error)?;
    Ok(groups
        .iter()
        .any(|group| group["isAssignableToRole"] == true))
}

/// The account's state by a fresh read.
///
/// # Errors
/// As any read.
pub async fn state(tenant: &Tenant, id: &str, until: Instant) -> Result<AccountState, CallError> {
    let user = user_by_id(tenant, id, Some(until)).await?;
    Ok(user.map_or(AccountState::Absent, |user| user.state()))
}

/// An answer, or nothing where the object does not exist.
fn found<T>(answer: Result<T, Refused>) -> Result<Option<T>, CallError> {
    match answer {
        Ok(reply) => Ok(Some(reply)),
        Err(refused) if refused.meaning == Meaning::Gone => Ok(None),
        Err(refused) => Err(refused.error),
    }
}
