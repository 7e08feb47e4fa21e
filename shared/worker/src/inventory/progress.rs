//! How far an inventory is: stored with the rows, so that another worker goes on where this one stopped.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sever_domain::EntitlementKind;
use sever_domain::entitlement::FamilyResult;
use sever_domain::inventory::{FamilyRecord, ObservedKind, judge_family};
use sever_provider::{FamilyEnd, InventoryPage};

use super::subjects::Subjects;

/// What a family came to so far.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Tally {
    rows: u64,
    /// Records that could not be read: the provider counts them in its total.
    #[serde(default)]
    set_aside: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended: Option<Ended>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Ended {
    result: FamilyResult,
    expected: Option<u64>,
    detail: Option<String>,
}

/// The stored cursor of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// The connector's own cursor; `None` at the beginning.
    at: Option<Value>,
    families: BTreeMap<EntitlementKind, Tally>,
    /// Whether the lists were read to their end.
    #[serde(default)]
    listed: bool,
    /// From where the provider tells later what changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) mark: Option<Value>,
    /// Accounts that are read one by one; `None` before they were chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) subjects: Option<Subjects>,
    /// Places and pages that were met in this process; not stored, so that the cursor stays small.
    #[serde(skip)]
    met: HashSet<u64>,
}

impl Progress {
    /// What a run stored; a run at its beginning has none.
    pub(super) fn of(cursor: Option<&Value>) -> Result<Self, serde_json::Error> {
        cursor.map_or_else(|| Ok(Self::default()), Self::deserialize)
    }

    /// Where reading goes on.
    pub(super) const fn at(&self) -> Option<&Value> {
        self.at.as_ref()
    }

    /// Whether nothing was read yet.
    pub(super) fn is_new(&self) -> bool {
        self.at.is_none() && self.families.is_empty() && self.subjects.is_none()
    }

    /// Whether the lists were read to their end.
    pub(super) const fn is_listed(&self) -> bool {
        self.listed
    }

    /// Counts a page. Returns whether the reading goes on after it: a page whose rows all came before, or a place that was passed
    /// before, ends it, and every family that is not whole yet has failed.
    pub(super) fn turn(&mut self, page: &InventoryPage) -> bool {
        let repeated = !self.note(page);
        if !repeated {
            let accounts = page
                .accounts
                .iter()
                .filter(|account| account.kind == ObservedKind::Account);
            self.families
                .entry(EntitlementKind::Account)
                .or_default()
                .rows += accounts.count() as u64;
            for entitlement in &page.entitlements {
                self.families.entry(entitlement.kind).or_default().rows += 1;
            }
            for record in &page.unreadable {
                self.families.entry(record.family).or_default().set_aside += 1;
            }
        }
        for end in &page.ended {
            self.end(end);
        }
        self.at.clone_from(&page.next);
        let circle = page
            .next
            .as_ref()
            .is_some_and(|next| !self.met.insert(digest(&next.to_string())));
        if repeated || circle {
            self.fail("the pages of the list go in a circle");
        }
        self.listed = repeated || circle || page.next.is_none();
        !self.listed
    }

    /// Notes a page's rows; `false` where the same page came before.
    fn note(&mut self, page: &InventoryPage) -> bool {
        let accounts = page
            .accounts
            .iter()
            .map(|account| account.provider_id.as_str());
        let entitlements = page.entitlements.iter().flat_map(|entitlement| {
            [
                entitlement.kind.as_str(),
                &entitlement.account_id,
                &entitlement.provider_key,
            ]
        });
        let names: Vec<&str> = accounts.chain(entitlements).collect();
        names.is_empty() || self.met.insert(digest(&names))
    }

    fn end(&mut self, end: &FamilyEnd) {
        self.families.entry(end.family).or_default().ended = Some(Ended {
            result: end.result,
            expected: end.expected,
            detail: end.detail.clone(),
        });
    }

    /// Ends every family that has not ended as failed; where none had begun, the accounts.
    fn fail(&mut self, why: &str) {
        self.families.entry(EntitlementKind::Account).or_default();
        for tally in self
            .families
            .values_mut()
            .filter(|tally| tally.ended.is_none())
        {
            tally.ended = Some(Ended {
                result: FamilyResult::Failed,
                expected: None,
                detail: Some(why.to_owned()),
            });
        }
    }

    /// The records of the families, judged against their totals and the inventory before. What that read and this never came to has
    /// failed.
    pub(super) fn families(mut self, before: &[(EntitlementKind, u64)]) -> Vec<FamilyRecord> {
        for (family, _) in before {
            self.families.entry(*family).or_default();
        }
        self.fail("the list did not come to its end");
        let record = |(family, tally): (EntitlementKind, Tally)| {
            let before = before
                .iter()
                .find(|(known, _)| *known == family)
                .map(|(_, rows)| *rows);
            let ended = tally.ended?;
            let judged = judge_family(tally.rows + tally.set_aside, ended.expected, before);
            let lied = ended.result == FamilyResult::Complete && judged == FamilyResult::Failed;
            Some(FamilyRecord {
                family,
                result: if lied {
                    FamilyResult::Failed
                } else {
                    ended.result
                },
                rows: tally.rows,
                expected: ended.expected,
                detail: if lied {
                    Some("the provider's total or its empty answer does not agree".to_owned())
                } else {
                    ended.detail
                },
            })
        };
        self.families.into_iter().filter_map(record).collect()
    }
}

fn digest(of: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sever_domain::AccountState;
    use sever_domain::identity::AccountAttributes;
    use sever_provider::{SeenAccount, Unreadable};

    use super::*;

    fn page(ids: &[&str], next: Option<&str>) -> InventoryPage {
        let account = |id: &&str| SeenAccount {
            kind: ObservedKind::Account,
            provider_id: (*id).to_owned(),
            state: AccountState::Live,
            attributes: AccountAttributes::default(),
        };
        InventoryPage {
            accounts: ids.iter().map(account).collect(),
            ended: if next.is_none() {
                vec![FamilyEnd::complete(EntitlementKind::Account)]
            } else {
                vec![]
            },
            next: next.map(|next| json!({ "page": next })),
            ..Default::default()
        }
    }

    #[test]
    fn a_family_that_was_read_before_and_never_reached_now_has_failed() {
        let mut progress = Progress::default();
        assert!(!progress.turn(&page(&["a"], None)));
        let before = [(EntitlementKind::Account, 1), (EntitlementKind::Role, 4)];
        assert_eq!(
            results(progress, &before),
            [(FamilyResult::Complete, 1), (FamilyResult::Failed, 0)]
        );
    }

    fn results(progress: Progress, before: &[(EntitlementKind, u64)]) -> Vec<(FamilyResult, u64)> {
        progress
            .families(before)
            .iter()
            .map(|record| (record.result, record.rows))
            .collect()
    }

    #[test]
    fn what_was_read_to_its_end_is_complete_also_after_a_resumption() {
        let mut progress = Progress::default();
        assert!(progress.turn(&page(&["a", "b"], Some("2"))));
        let stored = serde_json::to_value(&progress).unwrap();
        let mut resumed = Progress::of(Some(&stored)).unwrap();
        assert_eq!(resumed.at(), Some(&json!({"page": "2"})));
        assert!(!resumed.turn(&page(&["c"], None)));
        assert_eq!(results(resumed, &[]), [(FamilyResult::Complete, 3)]);
    }

    #[test]
    fn a_page_that_comes_again_and_a_place_that_comes_again_make_the_family_failed() {
        let mut repeated = Progress::default();
        assert!(repeated.turn(&page(&["a"], Some("2"))));
        assert!(!repeated.turn(&page(&["a"], Some("3"))));
        assert_eq!(results(repeated, &[]), [(FamilyResult::Failed, 1)]);
        let mut circle = Progress::default();
        assert!(circle.turn(&page(&["a"], Some("2"))));
        assert!(!circle.turn(&page(&["b"], Some("2"))));
        assert_eq!(results(circle, &[]), [(FamilyResult::Failed, 2)]);
    }

    #[test]
    fn a_total_that_lies_is_no_list_and_a_record_that_is_set_aside_counts_in_it() {
        let whole = |expected, unreadable| {
            let mut progress = Progress::default();
            let mut page = page(&["a", "b"], None);
            page.ended[0].expected = Some(expected);
            page.unreadable = unreadable;
            assert!(!progress.turn(&page));
            results(progress, &[])
        };
        assert_eq!(whole(2, vec![]), [(FamilyResult::Complete, 2)]);
        assert_eq!(whole(3, vec![]), [(FamilyResult::Failed, 2)]);
        let aside = Unreadable::without(EntitlementKind::Account, &json!({}), "id");
        assert_eq!(whole(3, vec![aside]), [(FamilyResult::Complete, 2)]);
    }

    #[test]
    fn an_empty_list_after_a_full_one_is_no_list() {
        let mut progress = Progress::default();
        assert!(!progress.turn(&page(&[], None)));
        assert_eq!(
            results(progress.clone(), &[(EntitlementKind::Account, 7)]),
            [(FamilyResult::Failed, 0)]
        );
        assert_eq!(results(progress, &[]), [(FamilyResult::Complete, 0)]);
    }
}
