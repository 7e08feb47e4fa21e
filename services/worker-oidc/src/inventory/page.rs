//! One page of a list by `first` and `max`.

use std::collections::HashSet;

use serde_json::Value;
use sever_domain::entitlement::FamilyResult;
use sever_domain::{EntitlementKind, OutcomeClass};
use sever_provider::{CallError, InventoryPage};

use crate::admin::Ask;
use crate::errors::Meaning;
use crate::issuer::{Issuer, Refused, inconsistent};

/// The items asked for on one page.
const PAGE: &str = "500";
/// The most pages of a list that is read at once.
const PAGES_MAX: usize = 400;

/// The items of a page; none where the object that they hang on has gone.
pub(super) struct Items {
    pub(super) read: Vec<Value>,
    pub(super) gone: bool,
}

/// The items, or the page that ends the family because it cannot be read.
type Read<T> = Result<Result<T, InventoryPage>, CallError>;

/// The page that begins at `first`; only an empty one ends a list, as a short one may be the server's own limit.
pub(super) async fn items(
    issuer: &Issuer,
    family: EntitlementKind,
    ask: Ask<'_>,
    first: usize,
) -> Read<Items> {
    let first = first.to_string();
    let paged = Ask {
        query: &[
            ("first", &first),
            ("max", PAGE),
            ("briefRepresentation", "false"),
        ],
        ..ask
    };
    match list(issuer, paged).await {
        Ok(read) => Ok(Ok(Items { read, gone: false })),
        Err(refused) if refused.meaning == Meaning::Gone && ask.path.len() > 1 => Ok(Ok(Items {
            read: Vec::new(),
            gone: true,
        })),
        Err(refused) => self::refused(family, refused).map(Err),
    }
}

/// A list that is read whole at once: roles and clients are few, and not every version knows pages there.
pub(super) async fn all(
    issuer: &Issuer,
    family: EntitlementKind,
    ask: Ask<'_>,
) -> Read<Vec<Value>> {
    match whole(issuer, ask).await {
        Ok(read) => Ok(Ok(read)),
        Err(refused) if refused.meaning == Meaning::Gone && ask.path.len() > 1 => {
            Ok(Ok(Vec::new()))
        }
        Err(refused) => self::refused(family, refused).map(Err),
    }
}

async fn whole(issuer: &Issuer, ask: Ask<'_>) -> Result<Vec<Value>, Refused> {
    let mut read: Vec<Value> = Vec::new();
    let mut known = HashSet::new();
    for _ in 0..PAGES_MAX {
        let first = read.len().to_string();
        let page = part(issuer, ask, &first, PAGE).await?;
        if page.is_empty() {
            return Ok(read);
        }
        let ids = page.iter().map(|item| item["id"].as_str());
        let news = ids.flatten().filter(|id| known.insert((*id).to_owned()));
        if news.count() > 0 {
            read.extend(page);
            continue;
        }
        // One is asked for: whoever answers with everything knows no pages.
        let one = part(issuer, ask, "0", "1").await?;
        if one.len() == read.len() {
            return Ok(read);
        }
        break;
    }
    Err(inconsistent(ask.doing, "the pages of the list go in a circle").into())
}

async fn part(
    issuer: &Issuer,
    ask: Ask<'_>,
    first: &str,
    max: &str,
) -> Result<Vec<Value>, Refused> {
    let query = [("first", first), ("max", max)];
    list(
        issuer,
        Ask {
            query: &query,
            ..ask
        },
    )
    .await
}

async fn list(issuer: &Issuer, ask: Ask<'_>) -> Result<Vec<Value>, Refused> {
    let reply = issuer.get(ask, None).await?;
    reply.json().map_err(|_| {
        inconsistent(ask.doing, "the answer is not the list that was asked for").into()
    })
}

fn refused(family: EntitlementKind, refused: Refused) -> Result<InventoryPage, CallError> {
    let result = match refused.meaning {
        Meaning::Unsupported => FamilyResult::Unsupported,
        Meaning::Forbidden => FamilyResult::Forbidden,
        Meaning::Gone | Meaning::Failed(OutcomeClass::Permanent, _) => FamilyResult::Failed,
        Meaning::Done | Meaning::Failed(_, _) => return Err(refused.error),
    };
    let detail = refused.error.code.unwrap_or(refused.error.what);
    Ok(InventoryPage::not_read(family, result, detail))
}
