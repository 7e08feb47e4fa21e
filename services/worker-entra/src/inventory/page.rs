//! One page of a list of the tenant: its items, what of it cannot be read, and where it goes on.

use serde_json::Value;
use sever_domain::entitlement::FamilyResult;
use sever_domain::{EntitlementKind, OutcomeClass};
use sever_provider::{CallError, InventoryPage};

use crate::errors::{Meaning, Refused};
use crate::paging::Page;
use crate::service::inconsistent;
use crate::tenant::{Ask, Tenant};

/// The most items that a page of accounts may have, and of objects whose lists are read one by one.
pub(super) const ACCOUNTS: &str = "999";
pub(super) const OBJECTS: &str = "200";

/// Asks for a page of Graph: the list's first, or the one that the page before named.
pub(super) async fn ask_for(
    tenant: &Tenant,
    ask: &Ask,
    next: Option<&str>,
) -> Result<Page, Refused> {
    let reply = match next {
        None => tenant.get(ask, None).await?,
        Some(next) => tenant.follow(ask, next).await?,
    };
    let body: Value = reply
        .json()
        .map_err(|_| inconsistent(ask.doing, "the answer is not JSON"))?;
    Ok(Page::of(ask.doing, body, "@odata.nextLink")?)
}

/// How a family ends whose list is refused whoever asks again; the error where it may be read later.
pub(super) fn refused(refused: Refused) -> Result<(FamilyResult, String), CallError> {
    let result = match refused.meaning {
        Meaning::Denied => FamilyResult::Forbidden,
        Meaning::Unlicensed => FamilyResult::Unsupported,
        Meaning::Done
        | Meaning::Failed(
            OutcomeClass::Retry
            | OutcomeClass::RetryAt
            | OutcomeClass::Wait
            | OutcomeClass::Credentials
            | OutcomeClass::ShuttingDown
            | OutcomeClass::Done
            | OutcomeClass::NeedsPerson,
            _,
        ) => return Err(refused.error),
        _ => FamilyResult::Failed,
    };
    Ok((result, refused.error.code.unwrap_or(refused.error.what)))
}

/// A page or, where the family cannot be read, the one that says so.
pub(super) fn page_or_end(
    family: EntitlementKind,
    read: Result<Page, Refused>,
) -> Result<Result<Page, InventoryPage>, CallError> {
    match read {
        Ok(page) => Ok(Ok(page)),
        Err(error) => {
            let (result, detail) = refused(error)?;
            Ok(Err(InventoryPage::not_read(family, result, detail)))
        }
    }
}
