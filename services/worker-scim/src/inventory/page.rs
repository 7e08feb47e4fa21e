//! One page of a list, and whether the list goes on after it.

use serde_json::Value;
use sever_domain::entitlement::FamilyResult;
use sever_domain::{EntitlementKind, OutcomeClass};
use sever_provider::{CallError, InventoryPage};

use super::place::List;
use crate::app::{App, Ask, Endpoint, Refused, inconsistent, no_scim};
use crate::document::{Document, member, text_of};
use crate::errors::Meaning;
use crate::listing::{is_lost_cursor, pages_by_cursor};

/// The items asked for on one page.
const PAGE: usize = 200;

/// A page as it came.
pub(super) struct Read {
    pub(super) items: Vec<Value>,
    pub(super) step: Step,
}

/// How a list goes on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// With another page.
    More(List),
    /// It is whole; the total that it named.
    Whole(Option<u64>),
    /// It does not hold together.
    Broken(&'static str),
}

struct Answer {
    items: Vec<Value>,
    total: Option<u64>,
    cursor: Option<String>,
}

/// Reads the page at `list`.
///
/// # Errors
/// As any read; class `Retry` where the answer is no list.
pub(super) async fn read(
    app: &App,
    doing: &'static str,
    endpoint: Endpoint,
    collection: &str,
    list: List,
) -> Result<Read, Refused> {
    let (begin, count) = ((list.received + 1).to_string(), PAGE.to_string());
    let by_cursor = list.received == 0 && pages_by_cursor(app).await?;
    let begin = match &list.cursor {
        Some(cursor) => ("cursor", cursor.as_str()),
        None if by_cursor => ("cursor", ""),
        None => ("startIndex", begin.as_str()),
    };
    let path = [collection];
    let query = [begin, ("count", count.as_str())];
    let ask = Ask {
        doing,
        endpoint,
        path: &path,
        query: &query,
    };
    let answer = match answer(app, ask).await {
        Ok(answer) => answer,
        // What came before is stored, so that the list cannot be begun anew here: the next inventory does.
        Err(refused) if is_lost_cursor(&refused.error) => {
            return Ok(Read {
                items: Vec::new(),
                step: Step::Broken("the application let the place in the list expire"),
            });
        }
        Err(refused) => return Err(refused),
    };
    let is_first = list.received == 0 && !by_cursor;
    let pageless = answer.cursor.is_none() && answer.total.is_none() && is_first;
    if pageless && !answer.items.is_empty() {
        // None is asked for: whoever answers with everything knows no pages.
        let query = &[("startIndex", "1"), ("count", "0")];
        let none = self::answer(app, Ask { query, ..ask }).await?;
        if ids(&none.items) == ids(&answer.items) {
            let items = answer.items;
            return Ok(Read {
                items,
                step: Step::Whole(None),
            });
        }
    }
    let step = step(list, &answer, by_cursor);
    let items = match step {
        Step::Broken(_) => Vec::new(),
        Step::More(_) | Step::Whole(_) => answer.items,
    };
    Ok(Read { items, step })
}

fn step(list: List, answer: &Answer, by_cursor: bool) -> Step {
    let by_cursor = by_cursor || list.cursor.is_some();
    let first = answer.items.first().and_then(id);
    if first.is_some() && first == list.first {
        return Step::Broken("the pages of the list go in a circle");
    }
    let received = list.received + answer.items.len();
    let short = answer.total.is_some_and(|total| (received as u64) < total);
    match (&answer.cursor, answer.items.is_empty()) {
        (Some(cursor), _) => Step::More(List {
            received,
            cursor: Some(cursor.clone()),
            first,
        }),
        (None, _) if short && (by_cursor || answer.items.is_empty()) => {
            Step::Broken("the list ends before the total that it names")
        }
        (None, false) if !by_cursor && (short || answer.total.is_none()) => Step::More(List {
            received,
            cursor: None,
            first,
        }),
        (None, _) => Step::Whole(answer.total),
    }
}

async fn answer(app: &App, ask: Ask<'_>) -> Result<Answer, Refused> {
    let doing = ask.doing;
    let reply = app.get(ask, None).await?;
    let body: Value = reply.json().map_err(|_| no_scim(doing, &reply))?;
    of(body).ok_or_else(|| inconsistent(doing, "the answer is not a list").into())
}

/// A list response; one without `Resources` is empty where it names a total.
fn of(body: Value) -> Option<Answer> {
    let body = Document::of(body)?;
    let total = body.text("totalResults").and_then(|text| text.parse().ok());
    let items = match body.get("Resources") {
        Some(Value::Array(resources)) => resources.clone(),
        Some(_) => return None,
        None if total.is_some() => Vec::new(),
        None => return None,
    };
    Some(Answer {
        items,
        total,
        cursor: body.text("nextCursor"),
    })
}

fn id(item: &Value) -> Option<String> {
    member(item.as_object()?, "id").and_then(text_of)
}

fn ids(items: &[Value]) -> Vec<Option<String>> {
    items.iter().map(id).collect()
}

/// The page that ends a family which cannot be read whoever asks again.
///
/// # Errors
/// The refusal where the family may be read later.
pub(super) fn refused(
    family: EntitlementKind,
    refused: Refused,
) -> Result<InventoryPage, CallError> {
    let result = match refused.meaning {
        Meaning::NoMethod | Meaning::Gone => FamilyResult::Unsupported,
        Meaning::Forbidden => FamilyResult::Forbidden,
        Meaning::NoTarget
        | Meaning::NoFilter
        | Meaning::WrongForm
        | Meaning::Failed(OutcomeClass::Permanent, _) => FamilyResult::Failed,
        Meaning::Done | Meaning::Failed(_, _) => return Err(refused.error),
    };
    let detail = refused.error.code.unwrap_or(refused.error.what);
    Ok(InventoryPage::not_read(family, result, detail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn taken(list: List, body: Value) -> Step {
        step(list, &of(body).unwrap(), false)
    }

    fn behind(received: usize, first: &str) -> List {
        List {
            received,
            cursor: None,
            first: Some(first.to_owned()),
        }
    }

    #[test]
    fn a_list_ends_with_its_total_or_with_an_empty_page() {
        let page = json!({"totalResults": 3, "Resources": [{"id": "a"}, {"id": "b"}]});
        assert_eq!(taken(List::default(), page), Step::More(behind(2, "a")));
        let last = json!({"totalResults": "3", "resources": [{"id": "c"}]});
        assert_eq!(taken(behind(2, "a"), last), Step::Whole(Some(3)));
        let more = json!({"Resources": [{"id": "c"}]});
        assert_eq!(taken(behind(2, "a"), more), Step::More(behind(3, "c")));
        assert_eq!(
            taken(behind(3, "c"), json!({"Resources": []})),
            Step::Whole(None)
        );
        let only = of(json!({"Resources": [{"id": "a"}]})).unwrap();
        assert_eq!(step(List::default(), &only, true), Step::Whole(None));
        let cursor = json!({"nextCursor": "x", "Resources": [{"id": "a"}]});
        assert!(matches!(
            taken(List::default(), cursor),
            Step::More(List {
                cursor: Some(_),
                ..
            })
        ));
    }

    #[test]
    fn a_page_that_comes_again_and_a_list_that_is_too_short_are_broken() {
        let page = json!({"totalResults": 9, "Resources": [{"id": "a"}]});
        assert!(matches!(taken(behind(1, "a"), page), Step::Broken(_)));
        let short = json!({"totalResults": 9, "Resources": []});
        assert!(matches!(taken(behind(1, "a"), short), Step::Broken(_)));
    }
}
