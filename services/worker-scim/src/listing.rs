//! Lists: every page, or an error; never a part that looks whole.
//!
//! The position moves by what was received, not by what was asked for; an item that comes twice counts once.
//! `totalResults` ends a list early where it is given, and an empty page always does.

use std::collections::HashSet;

use serde_json::Value;
use sever_domain::OutcomeClass;
use sever_provider::CallError;

use crate::app::{App, Ask, Endpoint, Refused, inconsistent, no_scim};
use crate::document::{Document, boolean};
use crate::errors::Meaning;

/// The items asked for on one page.
const PAGE: usize = 100;
/// The most pages of one list: 100,000 items are more than one account's list or a scan of groups should have.
const PAGES_MAX: usize = 1_000;

/// What to list.
#[derive(Debug, Clone, Copy)]
pub struct List<'a> {
    /// What is being done, for errors.
    pub doing: &'static str,
    /// The endpoint family.
    pub endpoint: Endpoint,
    /// `Users` or `Groups`.
    pub collection: &'a str,
    /// The filter.
    pub filter: Option<&'a str>,
}

/// One page as it was received.
struct Page {
    items: Vec<Document>,
    total: Option<usize>,
    next_cursor: Option<String>,
}

/// Reads a list to its end. A filter that matches nothing may be answered with 404.
///
/// # Errors
/// As any read; class `Retry` where the pages go in a circle, class `NeedsPerson` where there are more than
/// [`PAGES_MAX`].
pub async fn list(app: &App, wanted: List<'_>) -> Result<Vec<Document>, Refused> {
    let mut gathered = Gathered::default();
    let mut cursor: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let page = match page(app, wanted, gathered.received + 1, cursor.as_deref()).await {
            Ok(page) => page,
            Err(refused)
                if refused.meaning == Meaning::Gone
                    && wanted.filter.is_some()
                    && gathered.received == 0 =>
            {
                return Ok(Vec::new());
            }
            Err(refused) => return Err(refused),
        };
        cursor.clone_from(&page.next_cursor);
        if gathered.take(wanted.doing, page)? {
            return Ok(gathered.items);
        }
    }
    let error = inconsistent(wanted.doing, "the list has more pages than are read");
    Err(CallError {
        class: OutcomeClass::NeedsPerson,
        ..error
    }
    .into())
}

#[derive(Default)]
struct Gathered {
    items: Vec<Document>,
    seen: HashSet<String>,
    received: usize,
    pages_new: usize,
    pages_repeated: usize,
}

impl Gathered {
    /// Takes a page in; says whether the list is whole.
    fn take(&mut self, doing: &'static str, page: Page) -> Result<bool, CallError> {
        let count = page.items.len();
        let mut new = 0;
        for item in page.items {
            let id = item
                .text("id")
                .ok_or_else(|| inconsistent(doing, "an item of the list has no id"))?;
            if self.seen.insert(id) {
                new += 1;
                self.items.push(item);
            }
        }
        self.received += count;
        if count == 0 {
            return match page.total {
                // A page may be empty only when everything was received.
                Some(total) if self.seen.len() < total && page.next_cursor.is_none() => Err(
                    inconsistent(doing, "the list ends before the total that it names"),
                ),
                _ => Ok(page.next_cursor.is_none()),
            };
        }
        if page.next_cursor.is_some() {
            return Ok(false);
        }
        if page.total.is_some_and(|total| self.seen.len() >= total) {
            return Ok(true);
        }
        // Pages overlap while a list changes; where those that bring nothing new outnumber the others, it does not end.
        match new {
            0 => self.pages_repeated += 1,
            _ => self.pages_new += 1,
        }
        if self.pages_repeated > self.pages_new {
            return Err(inconsistent(doing, "the pages of the list go in a circle"));
        }
        Ok(false)
    }
}

async fn page(
    app: &App,
    wanted: List<'_>,
    start: usize,
    cursor: Option<&str>,
) -> Result<Page, Refused> {
    let (start, count) = (start.to_string(), PAGE.to_string());
    let mut query: Vec<(&str, &str)> = Vec::new();
    if let Some(filter) = wanted.filter {
        query.push(("filter", filter));
    }
    match cursor {
        Some(cursor) => query.push(("cursor", cursor)),
        None => query.push(("startIndex", &start)),
    }
    query.push(("count", &count));
    let ask = Ask {
        doing: wanted.doing,
        endpoint: wanted.endpoint,
        path: &[wanted.collection],
        query: &query,
    };
    let reply = app.get(ask, None).await?;
    let body: Value = reply.json().map_err(|_| no_scim(wanted.doing, &reply))?;
    read(body).ok_or_else(|| inconsistent(wanted.doing, "the answer is not a list").into())
}

/// A list response; one without `Resources` is empty where it says that it is a list.
fn read(body: Value) -> Option<Page> {
    let body = Document::of(body)?;
    let total = body.text("totalResults").and_then(|text| text.parse().ok());
    let resources = match body.get("Resources") {
        Some(Value::Array(resources)) => resources.clone(),
        Some(_) => return None,
        None if total.is_some() || is_list(&body) => Vec::new(),
        None => return None,
    };
    let items: Option<Vec<Document>> = resources.into_iter().map(Document::of).collect();
    Some(Page {
        items: items?,
        total,
        next_cursor: body.text("nextCursor"),
    })
}

fn is_list(body: &Document) -> bool {
    let schemas = body.items("schemas").unwrap_or_default();
    schemas
        .iter()
        .filter_map(|schema| schema.as_str())
        .any(|schema| schema.to_ascii_lowercase().ends_with(":listresponse"))
}

/// A filter `name eq "value"`, with the value as a JSON string.
#[must_use]
pub fn equals(name: &str, value: &str) -> String {
    format!("{name} eq {}", Value::String(value.to_owned()))
}

/// Whether `patch` is said to be supported; none where the application does not say.
#[must_use]
pub fn says_supported(config: &Document, feature: &str) -> Option<bool> {
    let feature = Document::of(config.get(feature)?.clone())?;
    feature.get("supported").and_then(boolean)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn gathered(pages: Vec<Value>) -> Result<usize, OutcomeClass> {
        let mut gathered = Gathered::default();
        for page in pages {
            let page = read(page).unwrap();
            if gathered
                .take("listing", page)
                .map_err(|error| error.class)?
            {
                return Ok(gathered.items.len());
            }
        }
        Err(OutcomeClass::Wait)
    }

    fn of(ids: &[&str]) -> Value {
        ids.iter().map(|id| json!({ "id": id })).collect()
    }

    #[test]
    fn totals_are_believed_and_not_needed() {
        let whole = json!({"totalResults": 2, "Resources": of(&["a", "b"])});
        assert_eq!(gathered(vec![whole]), Ok(2));
        let text = json!({"TotalResults": "1", "resources": of(&["a"])});
        assert_eq!(gathered(vec![text]), Ok(1));
        let without = |ids: &[&str]| json!({"Resources": of(ids)});
        assert_eq!(
            gathered(vec![without(&["a"]), without(&["b"]), without(&[])]),
            Ok(2)
        );
        let empty = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"]});
        assert_eq!(gathered(vec![empty]), Ok(0));
    }

    #[test]
    fn a_page_that_comes_again_is_a_circle_and_an_overlap_is_not() {
        let page = |ids: &[&str]| json!({"totalResults": 9, "Resources": of(ids)});
        let forever = vec![page(&["a"]), page(&["a"]), page(&["a"])];
        assert_eq!(gathered(forever), Err(OutcomeClass::Retry));
        let total = |ids: &[&str]| json!({"totalResults": 3, "Resources": of(ids)});
        assert_eq!(
            gathered(vec![total(&["a", "b"]), total(&["b", "c"])]),
            Ok(3)
        );
    }

    #[test]
    fn a_list_that_ends_early_is_no_list() {
        let page = |ids: &[&str]| json!({"totalResults": 9, "Resources": of(ids)});
        assert_eq!(
            gathered(vec![page(&["a"]), page(&[])]),
            Err(OutcomeClass::Retry)
        );
    }

    #[test]
    fn a_cursor_leads_on_until_it_is_gone() {
        let first = json!({"nextCursor": "x", "Resources": of(&["a"])});
        let empty = json!({"nextCursor": "y", "Resources": []});
        let last = json!({"Resources": of(&["b"]), "totalResults": 2});
        assert_eq!(gathered(vec![first, empty, last]), Ok(2));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        assert!(read(json!({"id": "u1"})).is_none());
        assert!(read(json!({"Resources": {"id": "u1"}})).is_none());
        assert!(read(json!({"Resources": ["u1"]})).is_none());
    }

    #[test]
    fn a_value_in_a_filter_stays_a_value() {
        assert_eq!(
            equals("userName", "a\" or id pr"),
            r#"userName eq "a\" or id pr""#
        );
    }
}
