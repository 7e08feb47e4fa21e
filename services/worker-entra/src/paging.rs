//! Lists: every page, or an error; never a part that looks whole.

use std::collections::HashSet;

use serde_json::Value;
use sever_domain::OutcomeClass;
use sever_provider::CallError;

use crate::errors::Refused;
use crate::service::inconsistent;
use crate::tenant::{Ask, Tenant};
use crate::user::SELECT;

/// The most pages of one list: more than anybody has at any page size.
pub const PAGES_MAX: usize = 400;

/// The members that some family reads, besides those of a user. Nothing else of an item outlives its page: of ten thousand objects the rest would be
/// most of the memory.
const KEPT: [&str; 28] = [
    "id",
    "@odata.type",
    "displayName",
    "name",
    "groupTypes",
    "onPremisesSyncEnabled",
    "mailEnabled",
    "isAssignableToRole",
    "principalId",
    "principalType",
    "resourceId",
    "resourceDisplayName",
    "appRoleId",
    "clientId",
    "consentType",
    "scope",
    "roleDefinitionId",
    "directoryScopeId",
    "appScopeId",
    "memberType",
    "assignmentType",
    "scheduleInfo",
    "endDateTime",
    "groupId",
    "accessId",
    "issuer",
    "subject",
    "properties",
];

fn kept(item: Value) -> Value {
    match item {
        Value::Object(mut members) => {
            members.retain(|name, _| {
                KEPT.contains(&name.as_str()) || SELECT.split(',').any(|of_user| of_user == name)
            });
            Value::Object(members)
        }
        other => other,
    }
}

/// One page: its items, and the address of the next.
#[derive(Debug)]
pub struct Page {
    /// The items; empty is legal where more follows.
    pub items: Vec<Value>,
    /// The next page.
    pub next: Option<String>,
}

impl Page {
    /// The page that `body` is; `next` names the member with the address of what follows.
    ///
    /// # Errors
    /// Class `Retry` where it is none.
    pub fn of(doing: &'static str, mut body: Value, next: &str) -> Result<Self, CallError> {
        let next = body[next].as_str().map(str::to_owned);
        match body.get_mut("value").map(Value::take) {
            Some(Value::Array(items)) => Ok(Self { items, next }),
            _ => Err(inconsistent(
                doing,
                "the answer is not the list that was asked for",
            )),
        }
    }
}

/// Gathers a list page after page; an item that comes twice counts once.
#[derive(Debug, Default)]
pub struct Gathering {
    items: Vec<Value>,
    ids: HashSet<String>,
    addresses: HashSet<String>,
    /// Pages that brought nothing new although they were not empty.
    repeated: usize,
    pages: usize,
}

impl Gathering {
    /// Takes a page; returns the address of the next one.
    ///
    /// # Errors
    /// Class `Retry` where the pages go in a circle, `NeedsPerson` where there are more than [`PAGES_MAX`].
    pub fn take(&mut self, doing: &'static str, page: Page) -> Result<Option<String>, CallError> {
        self.pages += 1;
        let (empty, before) = (page.items.is_empty(), self.items.len());
        for item in page.items {
            match item["id"].as_str() {
                Some(id) if !self.ids.insert(id.to_owned()) => {}
                _ => self.items.push(kept(item)),
            }
        }
        self.repeated += usize::from(!empty && self.items.len() == before);
        let Some(next) = page.next else {
            return Ok(None);
        };
        let circle = !self.addresses.insert(next.clone()) || self.repeated > self.pages / 2 + 1;
        if circle {
            return Err(inconsistent(doing, "the pages of the list go in a circle"));
        }
        if self.pages >= PAGES_MAX {
            return Err(CallError {
                class: OutcomeClass::NeedsPerson,
                ..inconsistent(doing, "the list has more pages than any account's can have")
            });
        }
        Ok(Some(next))
    }

    /// The whole list.
    #[must_use]
    pub fn whole(self) -> Vec<Value> {
        self.items
    }
}

/// Reads on from the first page of a list to its end.
///
/// # Errors
/// As any read, and as [`Gathering::take`].
pub async fn read_on(tenant: &Tenant, ask: &Ask, first: Value) -> Result<Vec<Value>, Refused> {
    let mut gathering = Gathering::default();
    let mut page = Page::of(ask.doing, first, "@odata.nextLink")?;
    while let Some(next) = gathering.take(ask.doing, page)? {
        let reply = tenant.follow(ask, &next).await?;
        let body = reply
            .json()
            .map_err(|_| inconsistent(ask.doing, "the answer is not JSON"))?;
        page = Page::of(ask.doing, body, "@odata.nextLink")?;
    }
    Ok(gathering.whole())
}

/// Reads a list whole.
///
/// # Errors
/// As [`read_on`].
pub async fn list(tenant: &Tenant, ask: &Ask) -> Result<Vec<Value>, Refused> {
    let reply = tenant.get(ask, None).await?;
    let first = reply
        .json()
        .map_err(|_| inconsistent(ask.doing, "the answer is not JSON"))?;
    read_on(tenant, ask, first).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn take(
        gathering: &mut Gathering,
        ids: &[&str],
        next: Option<&str>,
    ) -> Result<bool, OutcomeClass> {
        let page = Page {
            items: ids.iter().map(|id| json!({"id": id})).collect(),
            next: next.map(str::to_owned),
        };
        gathering
            .take("reading", page)
            .map(|next| next.is_some())
            .map_err(|error| error.class)
    }

    #[test]
    fn empty_pages_are_read_on_and_items_that_come_twice_count_once() {
        let mut gathering = Gathering::default();
        assert_eq!(take(&mut gathering, &["1", "2"], Some("a")), Ok(true));
        assert_eq!(take(&mut gathering, &[], Some("b")), Ok(true));
        assert_eq!(take(&mut gathering, &["2", "3"], None), Ok(false));
        assert_eq!(gathering.whole().len(), 3);
    }

    #[test]
    fn what_no_family_reads_does_not_outlive_its_page() {
        let item = json!({"id": "a", "displayName": "A", "requiredResourceAccess": [{}], "givenName": "Ada", "@odata.type": "t"});
        let mut gathering = Gathering::default();
        let page = Page {
            items: vec![item],
            next: None,
        };
        gathering.take("reading", page).unwrap();
        let left = json!({"id": "a", "displayName": "A", "givenName": "Ada", "@odata.type": "t"});
        assert_eq!(gathering.whole(), [left]);
    }

    #[test]
    fn a_circle_ends_and_so_does_a_list_without_end() {
        let mut gathering = Gathering::default();
        assert_eq!(take(&mut gathering, &["1"], Some("a")), Ok(true));
        assert_eq!(
            take(&mut gathering, &["2"], Some("a")),
            Err(OutcomeClass::Retry)
        );
        let mut gathering = Gathering::default();
        let ended =
            (0..10).find_map(|page| take(&mut gathering, &["1"], Some(&page.to_string())).err());
        assert_eq!(ended, Some(OutcomeClass::Retry));
        let mut gathering = Gathering::default();
        let ended = (0..=PAGES_MAX).find_map(|page| {
            let page = page.to_string();
            take(&mut gathering, &[&page], Some(&page)).err()
        });
        assert_eq!(ended, Some(OutcomeClass::NeedsPerson));
    }

    #[test]
    fn each_page_twice_is_read_whole() {
        let mut gathering = Gathering::default();
        for page in 0..20 {
            let id = (page / 2).to_string();
            assert_eq!(
                take(&mut gathering, &[&id], Some(&page.to_string())),
                Ok(true)
            );
        }
        assert_eq!(gathering.whole().len(), 10);
    }

    #[test]
    fn what_is_no_list_is_no_empty_list() {
        assert!(Page::of("reading", json!({"error": {}}), "@odata.nextLink").is_err());
        assert!(Page::of("reading", json!([]), "@odata.nextLink").is_err());
    }
}
