//! Accounts: reading one by id, and the reads that prove tenant and credential.

use sever_domain::OutcomeClass;
use sever_provider::{CallError, FoundAccount};
use tokio::time::Instant;
use uuid::Uuid;

use crate::app::{App, Ask, DISCOVERY, Refused, USERS, inconsistent, unusable};
use crate::document::Document;
use crate::errors::Meaning;
use crate::listing::{List, equals, is_list_response, list, says_supported};
use crate::user::User;

/// Reads the user with this id; `None` where the application has none.
///
/// # Errors
/// As any read; class `NeedsPerson` where another user came back.
pub async fn user_by_id(
    app: &App,
    id: &str,
    until: Option<Instant>,
) -> Result<Option<User>, CallError> {
    const DOING: &str = "reading the account";
    let ask = Ask {
        doing: DOING,
        endpoint: USERS,
        path: &["Users", id],
        query: &[],
    };
    let (document, reply) = match app.document(ask, until).await {
        Ok(found) => found,
        Err(refused) if refused.meaning == Meaning::Gone => return Ok(None),
        Err(refused) => return Err(refused.error),
    };
    let user = User::of(document, reply.header("etag"))
        .ok_or_else(|| inconsistent(DOING, "the answer is not a user"))?;
    if user.id == id {
        Ok(Some(user))
    } else {
        let what = "the provider answered with another account than the one asked for";
        Err(unusable(DOING, what.to_owned()))
    }
}

/// [`sever_provider::Connector::find_by_id`].
///
/// # Errors
/// As [`user_by_id`].
pub async fn find_by_id(app: &App, id: &str) -> Result<FoundAccount, CallError> {
    Ok(match user_by_id(app, id, None).await? {
        Some(user) => FoundAccount::Present(Box::new(user.into_account(app))),
        None => FoundAccount::Absent,
    })
}

/// Whether the application lists a user of whom it says that they are there; `None` where it takes no filter.
///
/// # Errors
/// As any read.
pub async fn is_listed(app: &App, user: &User) -> Result<Option<bool>, CallError> {
    let Some(name) = user.document.text("userName") else {
        return Ok(None);
    };
    let filter = equals("userName", &name);
    let wanted = List {
        doing: "looking whether a deleted account is listed",
        endpoint: USERS,
        collection: "Users",
        filter: Some(&filter),
    };
    let own = |document| User::of(document, None).filter(|found| found.id == user.id);
    match list(app, wanted, own).await {
        Ok(found) => Ok(Some(!found.is_empty())),
        Err(refused) if takes_no_filter(refused.meaning) => Ok(None),
        Err(refused) => Err(refused.error),
    }
}

/// Whether a refusal says that the filter is not taken, rather than that nothing works.
#[must_use]
pub fn takes_no_filter(meaning: Meaning) -> bool {
    matches!(
        meaning,
        Meaning::NoFilter | Meaning::WrongForm | Meaning::NoMethod | Meaning::Forbidden
    )
}

/// One page of one user proves it. An application may have no user left: then what it says of itself must be SCIM. One that
/// gives no list without a filter proves it by its answer to a filter that matches nobody.
///
/// # Errors
/// As any read; class `Credentials` where the credential may not list users, class `NeedsPerson` where the answers are
/// not those of a SCIM application.
pub async fn canary(app: &App) -> Result<(), CallError> {
    const DOING: &str = "proving tenant and credential";
    let ask = Ask {
        doing: DOING,
        endpoint: USERS,
        path: &["Users"],
        query: &[("startIndex", "1"), ("count", "1")],
    };
    let (body, _) = match app.document(ask, None).await {
        Ok(page) => page,
        Err(refused) if takes_no_filter(refused.meaning) => {
            return by_nobody(app, refused).await;
        }
        Err(refused) => return Err(no_access(refused)),
    };
    let users = body.items("Resources").unwrap_or_default();
    if !users.is_empty() {
        return Ok(());
    }
    if says_what_it_is(app).await?.is_some_and(is_config) {
        return Ok(());
    }
    let what = "the application shows no user and does not say what it supports; check the base URL and the \
        credential's rights";
    Err(unusable(DOING, what.to_owned()))
}

/// An application that keeps its whole list to itself is asked for somebody who cannot be there: whoever lets the credential
/// search answers with a list, or with 404 where what it says of itself is SCIM. `refused` is what it said to the list.
async fn by_nobody(app: &App, refused: Refused) -> Result<(), CallError> {
    let filter = equals("userName", &Uuid::new_v4().to_string());
    let ask = Ask {
        doing: "proving tenant and credential by a search for nobody",
        endpoint: USERS,
        path: &["Users"],
        query: &[("filter", &filter), ("startIndex", "1"), ("count", "1")],
    };
    let is_list = match app.document(ask, None).await {
        Ok((body, _)) => is_list_response(body),
        Err(nobody) if nobody.meaning == Meaning::Gone => false,
        Err(again) if takes_no_filter(again.meaning) => return Err(no_access(refused)),
        Err(error) => return Err(error.error),
    };
    match says_what_it_is(app).await?.map(is_config) {
        Some(true) => Ok(()),
        None if is_list => Ok(()),
        Some(false) | None => Err(no_access(refused)),
    }
}

/// `/ServiceProviderConfig`; `None` where it is not served to us.
///
/// # Errors
/// As any read, where it may be served later.
pub async fn says_what_it_is(app: &App) -> Result<Option<Document>, CallError> {
    let ask = Ask {
        doing: "reading what the application supports",
        endpoint: DISCOVERY,
        path: &["ServiceProviderConfig"],
        query: &[],
    };
    match app.document(ask, None).await {
        Ok((config, _)) => Ok(Some(config)),
        Err(refused) => match refused.meaning {
            Meaning::Gone | Meaning::Forbidden | Meaning::NoMethod | Meaning::WrongForm => Ok(None),
            Meaning::Failed(OutcomeClass::Credentials, _) => Ok(None),
            _ => Err(refused.error),
        },
    }
}

fn is_config(config: Document) -> bool {
    says_supported(&config, "patch").is_some() || says_supported(&config, "filter").is_some()
}

fn no_access(refused: Refused) -> CallError {
    match refused.meaning {
        Meaning::Forbidden => CallError {
            class: OutcomeClass::Credentials,
            ..refused.error
        },
        Meaning::Gone | Meaning::NoMethod | Meaning::WrongForm | Meaning::NoFilter => CallError {
            class: OutcomeClass::NeedsPerson,
            what: format!(
                "{}: there is no SCIM at the connection's base URL",
                refused.error.what
            ),
            ..refused.error
        },
        _ => refused.error,
    }
}
