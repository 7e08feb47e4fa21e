//! Lists by `first` and `max`: every page, or an error; never a part that looks whole.

use std::collections::HashSet;

use serde_json::Value;
use sever_domain::OutcomeClass;
use sever_provider::CallError;

use crate::admin::Ask;
use crate::issuer::{Issuer, Refused, inconsistent};

const PAGE: usize = 100;
/// The most pages of one list.
const PAGES_MAX: usize = 1_000;

/// Reads a list to its end, which is an empty page: a page shorter than asked for may be the server's own limit. The
/// position moves by what was received; an item that comes twice counts once.
///
/// # Errors
/// As any read; class `Retry` where the pages go in a circle, class `NeedsPerson` where there are more than
/// [`PAGES_MAX`].
pub async fn list(issuer: &Issuer, ask: Ask<'_>) -> Result<Vec<Value>, Refused> {
    let mut gathered = Gathered::default();
    for _ in 0..PAGES_MAX {
        let (first, max) = (gathered.received.to_string(), PAGE.to_string());
        let query = [ask.query, &[("first", first.as_str()), ("max", &max)]].concat();
        let page = Ask {
            query: &query,
            ..ask
        };
        let reply = issuer.get(page, None).await?;
        let page: Vec<Value> = reply.json().map_err(|_| {
            inconsistent(ask.doing, "the answer is not the list that was asked for")
        })?;
        if gathered.take(ask.doing, page)? {
            return Ok(gathered.items);
        }
    }
    let error = inconsistent(ask.doing, "the list has more pages than are read");
    Err(CallError {
        class: OutcomeClass::NeedsPerson,
        ..error
    }
    .into())
}

#[derive(Default)]
struct Gathered {
    items: Vec<Value>,
    seen: HashSet<String>,
    received: usize,
    pages_new: usize,
    pages_repeated: usize,
}

impl Gathered {
    /// Takes a page in; says whether the list is whole.
    fn take(&mut self, doing: &'static str, page: Vec<Value>) -> Result<bool, CallError> {
        if page.is_empty() {
            return Ok(true);
        }
        self.received += page.len();
        let before = self.items.len();
        for item in page {
            let id = item["id"]
                .as_str()
                .ok_or_else(|| inconsistent(doing, "an item of the list has no id"))?;
            if self.seen.insert(id.to_owned()) {
                self.items.push(item);
            }
        }
        // Pages overlap while a list changes; where those that bring nothing new outnumber the others, it does not end.
        match self.items.len() - before {
            0 => self.pages_repeated += 1,
            _ => self.pages_new += 1,
        }
        if self.pages_repeated > self.pages_new {
            return Err(inconsistent(doing, "the pages of the list go in a circle"));
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn gathered(pages: &[&[&str]]) -> Result<Option<usize>, OutcomeClass> {
        let mut gathered = Gathered::default();
        for page in pages {
            let page = page.iter().map(|id| json!({ "id": id })).collect();
            if gathered
                .take("listing", page)
                .map_err(|error| error.class)?
            {
                return Ok(Some(gathered.items.len()));
            }
        }
        Ok(None)
    }

    #[test]
    fn only_an_empty_page_ends_a_list() {
        assert_eq!(gathered(&[&["a", "b"], &["b", "c"], &[]]), Ok(Some(3)));
        assert_eq!(gathered(&[&["a"]]), Ok(None));
        assert_eq!(
            gathered(&[&["a"], &["a"], &["a"]]),
            Err(OutcomeClass::Retry)
        );
    }
}
