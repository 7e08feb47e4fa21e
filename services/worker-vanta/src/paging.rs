//! Lists: every page, or an error; never a part that looks whole.

use std::collections::HashSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use sever_domain::OutcomeClass;
use sever_provider::CallError;
use sever_provider::http::Reply;

use crate::errors::{Refused, inconsistent};
use crate::tenant::{Api, Ask, Tenant};

/// The largest page (documentation, "Pagination"); the default is 10.
const PAGE_SIZE: &str = "100";
/// The most pages of one list: 500 pages are 50,000 people.
pub const PAGES_MAX: usize = 500;

/// An item of a list, told apart by its id.
pub trait Listed: DeserializeOwned {
    /// Its id within the list.
    fn id(&self) -> &str;
}

#[derive(Deserialize)]
struct Envelope<T> {
    results: Results<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Results<T> {
    data: Vec<T>,
    page_info: PageInfo,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PageInfo {
    end_cursor: Option<String>,
    has_next_page: bool,
}

/// Reads a list to its end. An item that comes twice (pages overlap while the list changes) counts once.
///
/// # Errors
/// As any read; class `Retry` where the pages go in a circle or one has no cursor, class `NeedsPerson` where there are
/// more than [`PAGES_MAX`].
pub async fn list<T: Listed>(tenant: &Tenant, ask: Ask<'_>) -> Result<Vec<T>, Refused> {
    let mut progress = Progress::default();
    let mut items = Vec::new();
    let mut seen = HashSet::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut query = ask.query.to_vec();
        query.push(("pageSize", PAGE_SIZE));
        query.extend(cursor.as_deref().map(|cursor| ("pageCursor", cursor)));
        let ask = Ask {
            query: &query,
            ..ask
        };
        let reply = tenant.get(Api::Manage, ask, None).await?;
        let (page, info) = page_of::<T>(ask.doing, &reply)?;
        let before = items.len();
        for item in page {
            if seen.insert(item.id().to_owned()) {
                items.push(item);
            }
        }
        if !info.has_next_page {
            return Ok(items);
        }
        let next = progress.turn(ask.doing, info.end_cursor, items.len() > before)?;
        cursor = Some(next);
    }
}

/// One page of a list, as it came.
#[derive(Debug)]
pub struct Page {
    /// Its items.
    pub items: Vec<serde_json::Value>,
    /// The cursor of the next page.
    pub next: Option<String>,
}

/// Reads the page at a cursor; the first one without.
///
/// # Errors
/// As any read; class `Retry` where the answer is no list, or a page that is not the last has no cursor.
pub async fn page(tenant: &Tenant, ask: Ask<'_>, cursor: Option<&str>) -> Result<Page, Refused> {
    let mut query = ask.query.to_vec();
    query.push(("pageSize", PAGE_SIZE));
    query.extend(cursor.map(|cursor| ("pageCursor", cursor)));
    let ask = Ask {
        query: &query,
        ..ask
    };
    let reply = tenant.get(Api::Manage, ask, None).await?;
    let (items, info) = page_of(ask.doing, &reply)?;
    if info.has_next_page && info.end_cursor.is_none() {
        let what = "a page that is not the last has no cursor";
        return Err(inconsistent(ask.doing, what).into());
    }
    let next = info.end_cursor.filter(|_| info.has_next_page);
    Ok(Page { items, next })
}

/// A page in its envelope, or a bare array, which is always whole.
fn page_of<T: DeserializeOwned>(
    doing: &'static str,
    reply: &Reply,
) -> Result<(Vec<T>, PageInfo), CallError> {
    if let Ok(Envelope { results }) = reply.json::<Envelope<T>>() {
        return Ok((results.data, results.page_info));
    }
    let bare = reply.json::<Vec<T>>();
    bare.map(|items| (items, PageInfo::default()))
        .map_err(|_| inconsistent(doing, "the answer is not the list that was asked for"))
}

/// Notices pages that do not lead on.
#[derive(Debug, Default)]
struct Progress {
    cursors: HashSet<String>,
    pages: usize,
    repeated: usize,
}

impl Progress {
    /// Called before each following page. A page may come twice; when repeated pages outnumber the others, or a cursor
    /// comes again, the list does not end.
    fn turn(
        &mut self,
        doing: &'static str,
        cursor: Option<String>,
        brought_news: bool,
    ) -> Result<String, CallError> {
        self.pages += 1;
        self.repeated += usize::from(!brought_news);
        let cursor = cursor
            .ok_or_else(|| inconsistent(doing, "a page that is not the last has no cursor"))?;
        if !self.cursors.insert(cursor.clone()) || self.repeated * 2 > self.pages {
            return Err(inconsistent(doing, "the pages of the list go in a circle"));
        }
        if self.pages >= PAGES_MAX {
            return Err(CallError {
                class: OutcomeClass::NeedsPerson,
                ..inconsistent(doing, "the list has more pages than any tenant's can have")
            });
        }
        Ok(cursor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOING: &str = "reading";

    #[test]
    fn a_cursor_that_comes_again_and_pages_without_news_end_the_list_with_an_error() {
        let mut progress = Progress::default();
        assert!(progress.turn(DOING, Some("a".into()), true).is_ok());
        assert!(
            progress.turn(DOING, Some("b".into()), false).is_ok(),
            "one repeat"
        );
        assert!(
            progress.turn(DOING, Some("c".into()), false).is_err(),
            "too many"
        );
        let mut progress = Progress::default();
        assert!(progress.turn(DOING, Some("a".into()), true).is_ok());
        assert!(progress.turn(DOING, Some("a".into()), true).is_err());
        assert!(progress.turn(DOING, None, true).is_err());
    }

    #[test]
    fn a_list_without_end_needs_a_person() {
        let mut progress = Progress::default();
        let last = (0..PAGES_MAX).map(|page| progress.turn(DOING, Some(page.to_string()), true));
        let error = last.last().unwrap().unwrap_err();
        assert_eq!(error.class, OutcomeClass::NeedsPerson);
    }
}
