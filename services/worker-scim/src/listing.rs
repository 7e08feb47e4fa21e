//! Lists: every page, or an error; never a part that looks whole.
//!
//! The position moves by what was received, not by what was asked for; an item that comes twice counts once.
//! `totalResults` ends a list early where it is given, and an empty page always does. A server that knows no pages, and
//! says no total, is known by not knowing `count` either. A total that moves says that items may have moved past the
//! position: the list is read anew. Where a server counts pages by cursors, it is asked by cursor from the start (RFC 9865).

use std::collections::HashSet;

use serde_json::Value;
use sever_domain::OutcomeClass;
use sever_provider::CallError;

use crate::account::says_what_it_is;
use crate::app::{App, Ask, Endpoint, Refused, inconsistent, no_scim};
use crate::document::{Document, boolean};
use crate::errors::Meaning;

/// The items asked for on one page.
const PAGE: usize = 100;
/// The most pages of one list: 100,000 items are more than one account's list or a scan of groups should have.
const PAGES_MAX: usize = 1_000;

/// The most readings of one list that changes meanwhile.
const PASSES_MAX: usize = 3;

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

/// Reads a list to its end, and keeps of each item what `keep` makes of it: a group can have more members than should be
/// held in memory for all groups at once. A filter that matches nothing may be answered with 404.
///
/// # Errors
/// As any read; class `Retry` where the pages go in a circle or the list changes faster than it is read, class `NeedsPerson`
/// where there are more than [`PAGES_MAX`].
pub async fn list<T>(
    app: &App,
    wanted: List<'_>,
    keep: impl Fn(Document) -> Option<T>,
) -> Result<Vec<T>, Refused> {
    let mut count = PAGE;
    let mut passes = 0;
    while passes < PASSES_MAX {
        match pass(app, wanted, count, &keep).await {
            Ok(Some(items)) => return Ok(items),
            Ok(None) => passes += 1,
            Err(refused) if is_lost_cursor(&refused.error) => passes += 1,
            // A group can have more members than one answer may hold.
            Err(refused) if is_too_long(&refused.error) && count > 1 => count /= 4,
            Err(refused) => return Err(refused),
        }
        count = count.max(1);
    }
    Err(inconsistent(wanted.doing, "the list changes faster than it is read").into())
}

/// One reading of a list; `None` where its total moved.
async fn pass<T>(
    app: &App,
    wanted: List<'_>,
    count: usize,
    keep: &impl Fn(Document) -> Option<T>,
) -> Result<Option<Vec<T>>, Refused> {
    let mut gathered = Gathered::new();
    let by_cursor = wanted.filter.is_none() && pages_by_cursor(app).await?;
    let mut cursor = by_cursor.then(String::new);
    for _ in 0..PAGES_MAX {
        let at = match &cursor {
            Some(cursor) => At::Cursor(cursor),
            None => At::Index(gathered.received + 1),
        };
        let is_first = gathered.received == 0;
        let page = match read_page(app, wanted, at, count).await {
            Ok(page) => page,
            Err(refused)
                if refused.meaning == Meaning::Gone && wanted.filter.is_some() && is_first =>
            {
                return Ok(Some(Vec::new()));
            }
            Err(refused) => return Err(refused),
        };
        let by_cursor = cursor.is_some();
        cursor.clone_from(&page.next_cursor);
        let progress = gathered.take(wanted.doing, page, by_cursor, keep)?;
        let may_go_on = progress != Progress::Whole || gathered.received >= count;
        if is_first && !by_cursor && cursor.is_none() && may_go_on && pages_by_cursor(app).await? {
            gathered = Gathered::new();
            cursor = Some(String::new());
            continue;
        }
        match progress {
            Progress::More => {}
            Progress::Whole => return Ok(Some(gathered.items)),
            Progress::Moved => return Ok(None),
            Progress::Circle if gathered.total.is_none() => {
                // None was asked for: whoever answers with everything knows no pages.
                let none = read_page(app, wanted, At::Index(1), 0).await?;
                if gathered.is_all(&none) {
                    return Ok(Some(gathered.items));
                }
                return Err(circle(wanted.doing).into());
            }
            Progress::Circle => return Err(circle(wanted.doing).into()),
        }
    }
    let error = inconsistent(wanted.doing, "the list has more pages than are read");
    Err(CallError {
        class: OutcomeClass::NeedsPerson,
        ..error
    }
    .into())
}

/// Whether the application says that it counts pages by cursors; asked once.
///
/// # Errors
/// As any read, where the application says nothing now and may later.
pub async fn pages_by_cursor(app: &App) -> Result<bool, CallError> {
    if let Some(known) = app.dialects.by_cursor.get() {
        return Ok(*known);
    }
    let config = match says_what_it_is(app).await {
        Err(error) if error.status == Some(500) => None,
        config => config?,
    };
    let cursor = |config: &Document| {
        let pagination = Document::of(config.get("pagination")?.clone())?;
        pagination.get("cursor").and_then(boolean)
    };
    let by_cursor = config.as_ref().and_then(cursor).unwrap_or(false);
    Ok(*app.dialects.by_cursor.get_or_init(|| by_cursor))
}

/// Whether a cursor leads nowhere any more (RFC 9865).
#[must_use]
pub fn is_lost_cursor(error: &CallError) -> bool {
    let code = error.code.as_deref().unwrap_or_default();
    ["expiredCursor", "invalidCursor"]
        .iter()
        .any(|lost| lost.eq_ignore_ascii_case(code))
}

/// Whether the answer was a success that is longer than is read.
fn is_too_long(error: &CallError) -> bool {
    let is_success = error
        .status
        .is_some_and(|status| (200..300).contains(&status));
    error.class == OutcomeClass::Permanent && is_success
}

fn circle(doing: &'static str) -> CallError {
    inconsistent(doing, "the pages of the list go in a circle")
}

/// Where a page begins.
#[derive(Debug, Clone, Copy)]
enum At<'a> {
    /// At an item, counted from 1.
    Index(usize),
    /// Where the page before said.
    Cursor(&'a str),
}

/// How far a list has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// There may be more.
    More,
    /// That was all.
    Whole,
    /// Page after page brings nothing new.
    Circle,
    /// The total is another one by now: items may have moved past the position.
    Moved,
}

struct Gathered<T> {
    items: Vec<T>,
    seen: HashSet<String>,
    received: usize,
    total: Option<usize>,
    pages_new: usize,
    pages_repeated: usize,
}

impl<T> Gathered<T> {
    fn new() -> Self {
        Self {
            items: Vec::new(),
            seen: HashSet::new(),
            received: 0,
            total: None,
            pages_new: 0,
            pages_repeated: 0,
        }
    }

    /// Takes a page in; says how far the list has come. A cursor holds its place whatever the total is.
    fn take(
        &mut self,
        doing: &'static str,
        page: Page,
        by_cursor: bool,
        keep: &impl Fn(Document) -> Option<T>,
    ) -> Result<Progress, CallError> {
        let moved = self
            .total
            .zip(page.total)
            .is_some_and(|(was, is)| was != is);
        if moved && !by_cursor {
            return Ok(Progress::Moved);
        }
        self.total = page.total.or(self.total);
        let leads_on = page.next_cursor.is_some();
        let count = page.items.len();
        let mut new = 0;
        for item in page.items {
            let id = item
                .text("id")
                .ok_or_else(|| inconsistent(doing, "an item of the list has no id"))?;
            if self.seen.insert(id) {
                new += 1;
                self.items.extend(keep(item));
            }
        }
        self.received += count;
        if count == 0 || (by_cursor && !leads_on) {
            return match page.total {
                // The last page comes only when everything was received.
                Some(total) if self.seen.len() < total && !leads_on => Err(inconsistent(
                    doing,
                    "the list ends before the total that it names",
                )),
                _ if leads_on => Ok(Progress::More),
                _ => Ok(Progress::Whole),
            };
        }
        if !leads_on && page.total.is_some_and(|total| self.seen.len() >= total) {
            return Ok(Progress::Whole);
        }
        // Pages overlap while a list changes; where those that bring nothing new outnumber the others, it does not end.
        match new {
            0 => self.pages_repeated += 1,
            _ => self.pages_new += 1,
        }
        Ok(match self.pages_repeated > self.pages_new {
            true => Progress::Circle,
            false => Progress::More,
        })
    }

    /// Whether a page is everything that was received.
    fn is_all(&self, page: &Page) -> bool {
        let known = |item: &Document| item.text("id").is_some_and(|id| self.seen.contains(&id));
        page.items.len() == self.seen.len() && page.items.iter().all(known)
    }
}

async fn read_page(app: &App, wanted: List<'_>, at: At<'_>, count: usize) -> Result<Page, Refused> {
    let count = count.to_string();
    let at = match at {
        At::Index(index) => ("startIndex", index.to_string()),
        At::Cursor(cursor) => ("cursor", cursor.to_owned()),
    };
    let mut query: Vec<(&str, &str)> = Vec::new();
    if let Some(filter) = wanted.filter {
        query.push(("filter", filter));
    }
    query.extend([(at.0, at.1.as_str()), ("count", &count)]);
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

/// Whether a document is a list, whatever is in it.
#[must_use]
pub fn is_list_response(body: Document) -> bool {
    read(Value::Object(body.0)).is_some()
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

    /// How many items the pages make; the progress where they are not whole.
    fn gathered(pages: Vec<Value>) -> Result<usize, Progress> {
        let mut gathered = Gathered::new();
        let mut by_cursor = false;
        for page in pages {
            let page = read(page).unwrap();
            let leads_on = page.next_cursor.is_some();
            match gathered.take("listing", page, by_cursor, &Some) {
                Ok(Progress::More) => {}
                Ok(Progress::Whole) => return Ok(gathered.items.len()),
                Ok(Progress::Moved) => return Err(Progress::Moved),
                Ok(Progress::Circle) | Err(_) => return Err(Progress::Circle),
            }
            by_cursor = leads_on;
        }
        Err(Progress::More)
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
        assert_eq!(gathered(forever), Err(Progress::Circle));
        let total = |ids: &[&str]| json!({"totalResults": 3, "Resources": of(ids)});
        assert_eq!(
            gathered(vec![total(&["a", "b"]), total(&["b", "c"])]),
            Ok(3)
        );
    }

    #[test]
    fn a_total_that_moves_makes_the_list_another_one() {
        let page =
            |total: usize, ids: &[&str]| json!({ "totalResults": total, "Resources": of(ids) });
        let shifted = vec![page(4, &["a", "b"]), page(3, &["d"])];
        assert_eq!(gathered(shifted), Err(Progress::Moved));
        let with_cursor =
            json!({"nextCursor": "x", "totalResults": 2, "Resources": of(&["a", "b"])});
        assert_eq!(gathered(vec![with_cursor, page(1, &["c"])]), Ok(3));
    }

    #[test]
    fn a_list_that_ends_early_is_no_list() {
        let page = |ids: &[&str]| json!({"totalResults": 9, "Resources": of(ids)});
        assert_eq!(
            gathered(vec![page(&["a"]), page(&[])]),
            Err(Progress::Circle)
        );
    }

    #[test]
    fn a_cursor_leads_on_until_it_is_gone() {
        let first = json!({"nextCursor": "x", "Resources": of(&["a"])});
        let empty = json!({"nextCursor": "y", "Resources": []});
        let last = json!({"Resources": of(&["b"]), "totalResults": 2});
        assert_eq!(gathered(vec![first.clone(), empty, last]), Ok(2));
        assert_eq!(gathered(vec![first; 3]), Err(Progress::Circle));
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
