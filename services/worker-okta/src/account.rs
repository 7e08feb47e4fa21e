//! Accounts: reading one by id or login, and the reads that prove tenant and credential.

use serde_json::Value;
use sever_domain::identity::PersonAttributes;
use sever_provider::http::Reply;
use sever_provider::{Account, CallError, FoundAccount};
use tokio::time::Instant;

use crate::errors::Meaning;
use crate::org::{Ask, Org, Refused, endpoint, inconsistent, unusable};
use crate::paging::list;
use crate::user::User;

/// Reads the user with this id; `None` where Okta has none.
///
/// # Errors
/// As any read; class `NeedsPerson` where another user came back.
pub async fn user_by_id(
    org: &Org,
    id: &str,
    until: Option<Instant>,
) -> Result<Option<User>, CallError> {
    const DOING: &str = "reading the account";
    let Some(user) = look_up(org, DOING, id, until).await? else {
        return Ok(None);
    };
    if user.id == id {
        Ok(Some(user))
    } else {
        Err(unusable(
            DOING,
            "the provider answered with another account than the one asked for".to_owned(),
        ))
    }
}

/// [`sever_provider::Connector::find_by_id`].
///
/// # Errors
/// As [`user_by_id`].
pub async fn find_by_id(org: &Org, id: &str) -> Result<FoundAccount, CallError> {
    Ok(match user_by_id(org, id, None).await? {
        Some(user) => FoundAccount::Present(Box::new(user.into_account())),
        None => FoundAccount::Absent,
    })
}

/// Looks up each of the person's addresses as a login, and as the e-mail address of whoever signs in by another name.
/// `GET /users/{login}` and `filter` are strongly consistent, unlike `search`. The first answers to ids and to logins
/// without their domain too, and servers exist that ignore a filter, so what came back is compared.
///
/// # Errors
/// As any read; class `NeedsPerson` for a login with a slash, which Okta finds by id only.
pub async fn find_by_login(
    org: &Org,
    person: &PersonAttributes,
) -> Result<Vec<Account>, CallError> {
    const DOING: &str = "looking for an account by login";
    let mut found: Vec<Account> = Vec::new();
    for address in &person.emails {
        let address = address.trim();
        if address.contains('/') {
            return Err(unusable(
                DOING,
                "a login with a slash can be found by id only; import the account's id".to_owned(),
            ));
        }
        if address.is_empty() {
            continue;
        }
        let by_login = look_up(org, DOING, address, None).await?.into_iter();
        let by_login = by_login
            .map(User::into_account)
            .filter(|account| is_same(account.attributes.login.as_deref(), address));
        let by_email = by_email(org, address).await?;
        for account in by_login.chain(by_email) {
            let known = found
                .iter()
                .any(|known| known.provider_id == account.provider_id);
            if !known {
                found.push(account);
            }
        }
    }
    Ok(found)
}

/// Everybody whose profile has this e-mail address, those who are deactivated included.
async fn by_email(org: &Org, address: &str) -> Result<Vec<Account>, CallError> {
    let is = |address: &str| format!("profile.email eq {}", Value::from(address));
    let lower = address.to_lowercase();
    // Whether Okta compares without case is not documented; an import may write it either way.
    let filter = if lower == address {
        is(address)
    } else {
        format!("{} or {}", is(address), is(&lower))
    };
    let ask = Ask {
        doing: "looking for an account by e-mail address",
        endpoint: endpoint::USERS,
        path: &["users"],
        query: &[("filter", filter.as_str()), ("limit", "200")],
    };
    let users: Vec<User> = list(org, ask).await.map_err(|refused| refused.error)?;
    Ok(users
        .into_iter()
        .map(User::into_account)
        .filter(|account| is_same(account.attributes.email.as_deref(), address))
        .collect())
}

fn is_same(found: Option<&str>, address: &str) -> bool {
    found.is_some_and(|found| found.trim().to_lowercase() == address.to_lowercase())
}

/// The account that owns an SSWS token, which Okta calls `me`; `None` where it cannot tell.
///
/// # Errors
/// As any read.
pub async fn token_owner(org: &Org) -> Result<Option<String>, CallError> {
    let user = look_up(org, "reading the credential's owner", "me", None).await?;
    Ok(user.map(|user| user.id))
}

/// One page of one user: it cannot be empty, as the credential itself belongs to somebody.
///
/// # Errors
/// As any read; class `NeedsPerson` where the org has no user.
pub async fn canary(org: &Org) -> Result<(), CallError> {
    const DOING: &str = "proving tenant and credential";
    let ask = Ask {
        doing: DOING,
        endpoint: endpoint::USERS,
        path: &["users"],
        query: &[("limit", "1")],
    };
    let reply = org.get(ask, None).await.map_err(|refused| refused.error)?;
    let users: Vec<User> = parse(DOING, &reply)?;
    if users.is_empty() {
        let what =
            "the organization shows no user at all; check the base URL and the credential's rights";
        return Err(unusable(DOING, what.to_owned()));
    }
    Ok(())
}

async fn look_up(
    org: &Org,
    doing: &'static str,
    name: &str,
    until: Option<Instant>,
) -> Result<Option<User>, CallError> {
    let ask = Ask {
        doing,
        endpoint: endpoint::USER,
        path: &["users", name],
        query: &[],
    };
    match org.get(ask, until).await {
        Ok(reply) => parse(doing, &reply).map(Some),
        Err(Refused {
            meaning: Meaning::Gone,
            ..
        }) => Ok(None),
        Err(refused) => Err(refused.error),
    }
}

fn parse<T: serde::de::DeserializeOwned>(
    doing: &'static str,
    reply: &Reply,
) -> Result<T, CallError> {
    reply
        .json()
        .map_err(|_| inconsistent(doing, "the answer is not a user"))
}
