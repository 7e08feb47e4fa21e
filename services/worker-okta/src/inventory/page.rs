//! One page of a list of the org: its items, what of it cannot be read, and where it goes on.

use serde::de::DeserializeOwned;
use serde_json::Value;
use sever_domain::entitlement::FamilyResult;
use sever_domain::{EntitlementKind, OutcomeClass};
use sever_provider::http::{Reply, next_link};
use sever_provider::{CallError, FamilyEnd, InventoryPage, Unreadable};

use super::place::Nested;
use crate::errors::Meaning;
use crate::org::{Ask, Org, Refused, inconsistent, unusable};

/// An answer with where the list goes on.
pub(super) struct Answer {
    doing: &'static str,
    reply: Reply,
}

/// What a page holds.
pub(super) struct Items<T> {
    /// With what could not be read.
    pub(super) page: InventoryPage,
    pub(super) values: Vec<T>,
    pub(super) next: Option<String>,
}

/// The items of a page, or the page that ends the family because it cannot be read.
type Read<T> = Result<Result<T, InventoryPage>, CallError>;

/// Asks for a page: the list's first, or the one that the page before named.
pub(super) async fn ask_for(
    org: &Org,
    ask: Ask<'_>,
    next: Option<&str>,
) -> Result<Answer, Refused> {
    let reply = match next {
        None => org.get(ask, None).await?,
        Some(next) => {
            let url = org
                .http
                .base()
                .follow(next)
                .map_err(|cause| unusable(ask.doing, cause.to_string()))?;
            org.get_url(ask.doing, ask.endpoint, url, None).await?
        }
    };
    Ok(Answer {
        doing: ask.doing,
        reply,
    })
}

/// The items of a list that is an array, with its next page in the `Link` header.
pub(super) fn items<T: DeserializeOwned>(
    family: EntitlementKind,
    read: Result<Answer, Refused>,
) -> Read<Items<T>> {
    let answer = match answered(family, read)? {
        Ok(answer) => answer,
        Err(page) => return Ok(Err(page)),
    };
    let list: Vec<Value> = answer.reply.json().map_err(|_| {
        inconsistent(
            answer.doing,
            "the answer is not the list that was asked for",
        )
    })?;
    let next = next_link(&answer.reply.headers).map(str::to_owned);
    Ok(Ok(parsed(family, list, next)))
}

/// The items of a list that pages through its body: `value` and `_links.next.href`.
pub(super) fn wrapped<T: DeserializeOwned>(
    family: EntitlementKind,
    read: Result<Answer, Refused>,
) -> Read<Items<T>> {
    let answer = match answered(family, read)? {
        Ok(answer) => answer,
        Err(page) => return Ok(Err(page)),
    };
    let mut body: Value = answer.reply.json().map_err(|_| {
        inconsistent(
            answer.doing,
            "the answer is not the list that was asked for",
        )
    })?;
    let next = body["_links"]["next"]["href"].as_str().map(str::to_owned);
    let Value::Array(list) = body["value"].take() else {
        return Err(inconsistent(
            answer.doing,
            "the answer is not the list that was asked for",
        ));
    };
    Ok(Ok(parsed(family, list, next)))
}

/// The items of the first object's list, and where the nested lists go on. An object that has gone meanwhile has no items.
pub(super) fn turn<T: DeserializeOwned>(
    family: EntitlementKind,
    read: Result<Answer, Refused>,
    mut nested: Nested,
) -> Read<(Items<T>, Nested)> {
    if matches!(&read, Err(refused) if refused.meaning == Meaning::Gone) {
        nested.of.remove(0);
        nested.next = None;
        let none = Items {
            page: InventoryPage::default(),
            values: Vec::new(),
            next: None,
        };
        return Ok(Ok((none, nested)));
    }
    let items = match items(family, read)? {
        Ok(items) => items,
        Err(page) => return Ok(Err(page)),
    };
    nested.next.clone_from(&items.next);
    if nested.next.is_none() {
        nested.of.remove(0);
    }
    Ok(Ok((items, nested)))
}

/// The same page with the end of a family that was read whole.
pub(super) fn end(mut page: InventoryPage, family: EntitlementKind) -> InventoryPage {
    page.ended.push(FamilyEnd::complete(family));
    page
}

/// An answer; or, where the family cannot be read whoever asks again, the page that says so.
fn answered(family: EntitlementKind, read: Result<Answer, Refused>) -> Read<Answer> {
    let refused = match read {
        Ok(answer) => return Ok(Ok(answer)),
        Err(refused) => refused,
    };
    let result = match refused.meaning {
        Meaning::Unsupported => FamilyResult::Unsupported,
        Meaning::Forbidden => FamilyResult::Forbidden,
        Meaning::Failed(OutcomeClass::Permanent, _)
        | Meaning::Gone
        | Meaning::WrongState
        | Meaning::GroupStillGrants => FamilyResult::Failed,
        Meaning::Done | Meaning::Failed(_, _) => return Err(refused.error),
    };
    let detail = Some(refused.error.code.unwrap_or(refused.error.what));
    Ok(Err(InventoryPage {
        ended: vec![FamilyEnd {
            family,
            result,
            expected: None,
            detail,
        }],
        ..Default::default()
    }))
}

/// What can be read of a list, and what is set aside.
fn parsed<T: DeserializeOwned>(
    family: EntitlementKind,
    list: Vec<Value>,
    next: Option<String>,
) -> Items<T> {
    let mut page = InventoryPage::default();
    let mut values = Vec::with_capacity(list.len());
    for value in list {
        let record = value.to_string();
        match serde_json::from_value(value) {
            Ok(item) => values.push(item),
            Err(error) => page.unreadable.push(Unreadable {
                family,
                record,
                // The position says what is wrong; the message could quote the record.
                reason: format!("it cannot be read ({:?})", error.classify()),
            }),
        }
    }
    Items { page, values, next }
}
