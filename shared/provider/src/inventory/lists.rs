//! What connectors share when they walk lists: records that cannot be read, lists below lists, families that end.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sever_domain::EntitlementKind;
use sever_domain::entitlement::FamilyResult;

use super::{FamilyEnd, InventoryPage, Unreadable};

/// Lists below a list: the objects of one outer page whose own lists are still to be read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Nested {
    /// The objects; the first one is being read.
    pub of: Vec<String>,
    /// The outer list's next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outer: Option<String>,
    /// The next page of the first object's list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl Nested {
    /// The lists of the objects of a page, after which the outer list goes on at `outer`.
    #[must_use]
    pub const fn below(of: Vec<String>, outer: Option<String>) -> Self {
        Self {
            of,
            outer,
            next: None,
        }
    }

    /// The object whose list is read; `None` where all of this page were.
    #[must_use]
    pub fn first(&self) -> Option<&str> {
        self.of.first().map(String::as_str)
    }

    /// Goes on to the next page of the first object's list, or to the next object where there is none.
    pub fn turn(&mut self, next: Option<String>) {
        self.next = next;
        if self.next.is_none() && !self.of.is_empty() {
            self.of.remove(0);
        }
    }
}

/// What can be read of a list, and what is set aside.
#[must_use]
pub fn parse_records<T: DeserializeOwned>(
    family: EntitlementKind,
    list: Vec<Value>,
) -> (Vec<T>, Vec<Unreadable>) {
    let mut values = Vec::with_capacity(list.len());
    let mut unreadable = Vec::new();
    for value in list {
        match T::deserialize(&value) {
            Ok(item) => values.push(item),
            // The kind of error says what is wrong; its message could quote the record.
            Err(error) => unreadable.push(Unreadable {
                family,
                record: value.to_string(),
                reason: format!("it cannot be read ({:?})", error.classify()),
            }),
        }
    }
    (values, unreadable)
}

impl Unreadable {
    /// A record without what it must have.
    #[must_use]
    pub fn without(family: EntitlementKind, record: &Value, what: &str) -> Self {
        Self {
            family,
            record: record.to_string(),
            reason: format!("it has no {what}"),
        }
    }
}

impl InventoryPage {
    /// A page on which a family ends because it cannot be read.
    #[must_use]
    pub fn not_read(family: EntitlementKind, result: FamilyResult, detail: String) -> Self {
        Self {
            ended: vec![FamilyEnd {
                family,
                result,
                expected: None,
                detail: Some(detail),
            }],
            ..Self::default()
        }
    }

    /// The same page with the end of a family that was read whole.
    #[must_use]
    pub fn ends(mut self, family: EntitlementKind) -> Self {
        self.ended.push(FamilyEnd::complete(family));
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_below_a_list_are_read_one_after_the_other_page_by_page() {
        let mut nested = Nested::below(vec!["a".into(), "b".into()], Some("2".into()));
        nested.turn(Some("a2".into()));
        assert_eq!(
            (nested.first(), nested.next.as_deref()),
            (Some("a"), Some("a2"))
        );
        nested.turn(None);
        assert_eq!((nested.first(), nested.next.as_deref()), (Some("b"), None));
        nested.turn(None);
        assert_eq!((nested.first(), nested.outer.as_deref()), (None, Some("2")));
    }

    #[test]
    fn one_record_that_cannot_be_read_is_set_aside_and_the_others_count() {
        #[derive(Deserialize)]
        struct Item {
            id: String,
        }
        let list = vec![
            json!({"id": "a"}),
            json!({"id": 7, "mail": "ada@example.test"}),
        ];
        let (items, unreadable) = parse_records::<Item>(EntitlementKind::Account, list);
        assert_eq!(
            items
                .iter()
                .map(|item| item.id.as_str())
                .collect::<Vec<_>>(),
            ["a"]
        );
        assert_eq!(unreadable.len(), 1);
        assert!(!unreadable[0].reason.contains("ada"));
    }
}
