//! Lists: every page, or an error; never a part that looks whole.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::de::DeserializeOwned;
use sever_domain::OutcomeClass;
use sever_provider::CallError;
use sever_provider::http::{Reply, next_link};
use url::Url;

use crate::org::{Ask, Org, Refused, inconsistent, unusable};

/// The most pages of one list: 200 pages of 200 items are more than any person has.
pub const PAGES_MAX: usize = 200;

/// An item of a list, told apart by its id.
pub trait Listed: DeserializeOwned {
    /// Its id within the list.
    fn id(&self) -> &str;
}

/// Reads a list to its end. `next` is followed verbatim, within the org only; an item that comes twice
/// (pages overlap while the list changes) counts once.
///
/// # Errors
/// As any read; class `Retry` where the pages go in a circle, class `NeedsPerson` where there are more
/// than [`PAGES_MAX`] or `next` leaves the org.
pub async fn list<T: Listed>(org: &Org, ask: Ask<'_>) -> Result<Vec<T>, Refused> {
    let mut progress = Progress::default();
    let mut items = Vec::new();
    let mut seen = HashSet::new();
    let mut reply = org.get(ask, None).await?;
    loop {
        for item in page_items::<T>(ask.doing, &reply)? {
            if seen.insert(item.id().to_owned()) {
                items.push(item);
            }
        }
        let Some(next) = following(org, ask.doing, &reply)? else {
            return Ok(items);
        };
        progress.turn(ask.doing, &reply.body, &next)?;
        reply = org.get_url(ask.doing, ask.endpoint, next, None).await?;
    }
}

fn page_items<T: Listed>(doing: &'static str, reply: &Reply) -> Result<Vec<T>, CallError> {
    reply
        .json()
        .map_err(|_| inconsistent(doing, "the answer is not the list that was asked for"))
}

fn following(org: &Org, doing: &'static str, reply: &Reply) -> Result<Option<Url>, CallError> {
    next_link(&reply.headers)
        .map(|next| org.http.base().follow(next))
        .transpose()
        .map_err(|cause| unusable(doing, cause.to_string()))
}

/// Notices pages that do not lead on.
#[derive(Debug, Default)]
struct Progress {
    addresses: HashSet<String>,
    bodies: HashSet<u64>,
    pages: usize,
}

impl Progress {
    /// Called before each following page. A page may come twice; when repeated pages outnumber the
    /// others, or an address comes again, the list does not end.
    fn turn(&mut self, doing: &'static str, body: &[u8], next: &Url) -> Result<(), CallError> {
        self.pages += 1;
        let mut hasher = DefaultHasher::new();
        body.hash(&mut hasher);
        self.bodies.insert(hasher.finish());
        let repeated = self.pages - self.bodies.len();
        if !self.addresses.insert(next.as_str().to_owned()) || repeated > self.bodies.len() {
            return Err(inconsistent(doing, "the pages of the list go in a circle"));
        }
        if self.pages >= PAGES_MAX {
            return Err(CallError {
                class: OutcomeClass::NeedsPerson,
                ..inconsistent(doing, "the list has more pages than any person's can have")
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(progress: &mut Progress, body: &str, next: &str) -> Result<(), OutcomeClass> {
        let next = format!("https://acme.okta.com/{next}").parse().unwrap();
        progress
            .turn("reading", body.as_bytes(), &next)
            .map_err(|error| error.class)
    }

    #[test]
    fn an_address_that_comes_again_is_a_circle() {
        let mut progress = Progress::default();
        assert_eq!(turn(&mut progress, "1", "a"), Ok(()));
        assert_eq!(turn(&mut progress, "2", "b"), Ok(()));
        assert_eq!(turn(&mut progress, "3", "a"), Err(OutcomeClass::Retry));
    }

    #[test]
    fn pages_that_come_twice_are_read_on_and_one_that_comes_for_ever_is_not() {
        let mut progress = Progress::default();
        for page in 0..20 {
            let body = (page / 2).to_string();
            assert_eq!(turn(&mut progress, &body, &page.to_string()), Ok(()));
        }
        let mut progress = Progress::default();
        let turns: Vec<_> = (0..4)
            .map(|page| turn(&mut progress, "same", &page.to_string()))
            .collect();
        assert!(turns.contains(&Err(OutcomeClass::Retry)));
    }

    #[test]
    fn a_list_without_end_is_a_persons_business() {
        let mut progress = Progress::default();
        let ended = (0..=PAGES_MAX)
            .find_map(|page| turn(&mut progress, &page.to_string(), &page.to_string()).err());
        assert_eq!(ended, Some(OutcomeClass::NeedsPerson));
    }
}
