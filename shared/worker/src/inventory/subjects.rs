//! Accounts that are read one by one: whom a list of changes names, and whom a full inventory looks at for what no list shows.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sever_domain::entitlement::{AccountReading, FamilyResult};
use sever_domain::identity::AccountAttributes;
use sever_domain::inventory::{FamilyRecord, ObservedKind};
use sever_domain::{AccountState, EntitlementKind};
use sever_provider::{CallError, Changes, Connector, FoundAccount, SeenAccount, SeenEntitlement};
use sever_store::inventory::{SubjectReading, UnlistedFamily};

/// The most accounts that are read one by one where something changed; where more did, everything is read.
pub(super) const NAMED_MAX: usize = 2_000;
/// The most pages of one list of changes; one that is longer goes in a circle, or everything is read sooner.
const PAGES_MAX: usize = 10_000;

/// Accounts that are still to be read one by one; stored with the rows of those that were.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Subjects {
    /// The accounts.
    of: Vec<String>,
    /// How many of them are done with.
    done: usize,
    /// How many of those could not be read.
    #[serde(default)]
    left_out: usize,
    /// How well each family was read so far: the worst of all, and the rows.
    families: BTreeMap<EntitlementKind, (FamilyResult, u64)>,
}

/// One account as it was read.
pub(super) struct Read {
    pub(super) account: SeenAccount,
    pub(super) reading: AccountReading,
}

impl Subjects {
    pub(super) fn of(of: Vec<String>) -> Self {
        Self {
            of,
            ..Self::default()
        }
    }

    /// The next account to be read.
    pub(super) fn next(&self) -> Option<&str> {
        self.of.get(self.done).map(String::as_str)
    }

    /// Notes how well an account was read.
    pub(super) fn note(&mut self, reading: &AccountReading) {
        self.done += 1;
        for family in &reading.families {
            let read = self.families.entry(family.family);
            let (result, rows) = read.or_insert((family.result, 0));
            *result = worse(*result, family.result);
            *rows += family.entitlements.len() as u64;
        }
    }

    /// Notes that the next account cannot be read.
    pub(super) fn leave_out(&mut self) {
        self.done += 1;
        self.left_out += 1;
    }

    /// Whether any could not be read.
    pub(super) const fn any_left_out(&self) -> bool {
        self.left_out > 0
    }

    /// What an incremental run says of the families that lists show: of the accounts that it names, and of no others.
    pub(super) fn records(&self, unlisted: &[EntitlementKind]) -> Vec<FamilyRecord> {
        let accounts = (self.done - self.left_out) as u64;
        let of_accounts = (EntitlementKind::Account, (FamilyResult::Complete, accounts));
        let others = self.families.iter().map(|(family, read)| (*family, *read));
        let others = others.filter(|(family, _)| {
            *family != EntitlementKind::Account && !unlisted.contains(family)
        });
        let record = |(family, (result, rows))| FamilyRecord {
            family,
            result,
            rows,
            expected: None,
            detail: None,
        };
        std::iter::once(of_accounts)
            .chain(others)
            .map(record)
            .collect()
    }
}

/// The one that says less.
const fn worse(one: FamilyResult, other: FamilyResult) -> FamilyResult {
    use FamilyResult::{Complete, Failed, Forbidden, Unsupported};
    match (one, other) {
        (Failed, _) | (_, Failed) => Failed,
        (Forbidden, _) | (_, Forbidden) => Forbidden,
        (Unsupported, _) | (_, Unsupported) => Unsupported,
        (Complete, Complete) => Complete,
    }
}

impl Read {
    /// What hangs on the account, of the families that lists show or of the others.
    pub(super) fn listed(&self, unlisted: &[EntitlementKind]) -> Vec<SeenEntitlement> {
        let held = self
            .reading
            .entitlements()
            .filter(|held| held.kind != EntitlementKind::Account && !unlisted.contains(&held.kind));
        held.map(|held| SeenEntitlement {
            account_id: self.account.provider_id.clone(),
            kind: held.kind,
            provider_key: held.provider_key.clone(),
            privileged: held.privileged,
        })
        .collect()
    }

    /// What is kept of the reading itself. `listed` says whether the rows of the families that lists show are staged with it.
    pub(super) fn kept(
        &self,
        read_at: Timestamp,
        listed: bool,
        unlisted: &[EntitlementKind],
    ) -> SubjectReading {
        let whole = self
            .reading
            .families
            .iter()
            .filter(|family| family.result == FamilyResult::Complete);
        let (hidden, shown): (Vec<_>, Vec<_>) =
            whole.partition(|family| unlisted.contains(&family.family));
        let unlisted = hidden.into_iter().map(|family| {
            let keys = |privileged: bool| {
                let held = family.entitlements.iter();
                let held = held.filter(move |held| held.privileged || !privileged);
                held.map(|held| held.provider_key.clone()).collect()
            };
            UnlistedFamily {
                family: family.family,
                held: keys(false),
                privileged: keys(true),
            }
        });
        SubjectReading {
            provider_id: self.account.provider_id.clone(),
            read_at,
            whole: listed.then(|| shown.iter().map(|family| family.family).collect()),
            unlisted: unlisted.collect(),
        }
    }
}

/// Reads one account whole. Absence is believed after a canary only, whichever read says so.
///
/// # Errors
/// As the connector's reads.
pub(super) async fn read<C: Connector>(connector: &C, id: &str) -> Result<Read, CallError> {
    let (attributes, reading) = match connector.find_by_id(id).await? {
        FoundAccount::Present(account) => (account.attributes, connector.inspect(id).await?),
        FoundAccount::Absent => {
            let absent = AccountReading::absent(connector.families());
            (AccountAttributes::default(), absent)
        }
    };
    if reading.account_state == AccountState::Absent {
        connector.canary().await?;
    }
    let account = SeenAccount {
        kind: ObservedKind::Account,
        provider_id: id.to_owned(),
        state: reading.account_state,
        attributes,
    };
    Ok(Read { account, reading })
}

/// What the provider says has changed since a mark: the accounts, and the mark behind it.
pub(super) struct Changed {
    pub(super) accounts: Vec<String>,
    pub(super) mark: Value,
}

/// Reads a list of changes to its end; `None` where only reading everything tells what changed.
///
/// # Errors
/// As the connector's reads.
pub(super) async fn changed<C: Connector>(
    connector: &C,
    mut mark: Value,
) -> Result<Option<Changed>, CallError> {
    let mut accounts = BTreeSet::new();
    for _ in 0..PAGES_MAX {
        match connector.changes_since(&mark).await? {
            Changes::Lost => return Ok(None),
            Changes::Named {
                accounts: named,
                mark: next,
                more,
            } => {
                accounts.extend(named);
                mark = next;
                if accounts.len() > NAMED_MAX {
                    return Ok(None);
                }
                if !more {
                    let accounts = accounts.into_iter().collect();
                    return Ok(Some(Changed { accounts, mark }));
                }
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use sever_domain::entitlement::{Entitlement, FamilyReading};

    use super::*;

    fn reading(family: EntitlementKind, result: FamilyResult, rows: usize) -> FamilyReading {
        let held = Entitlement {
            kind: family,
            provider_key: "k".into(),
            privileged: false,
            facts: Value::Null,
        };
        FamilyReading {
            family,
            result,
            detail: None,
            entitlements: vec![held; rows],
        }
    }

    fn account(families: Vec<FamilyReading>) -> AccountReading {
        AccountReading {
            account_state: AccountState::Live,
            provider_state: "live".into(),
            families,
        }
    }

    #[test]
    fn a_family_is_as_good_as_its_worst_reading_and_goes_on_after_a_resumption() {
        use EntitlementKind::{Account, Factor, Group};
        let of = |result, rows| account(vec![reading(Group, result, rows)]);
        let mut subjects = Subjects::of(vec!["a".into(), "b".into(), "c".into()]);
        subjects.note(&of(FamilyResult::Complete, 2));
        let stored = serde_json::to_value(&subjects).unwrap();
        let mut resumed: Subjects = serde_json::from_value(stored).unwrap();
        assert_eq!(resumed.next(), Some("b"));
        resumed.note(&of(FamilyResult::Forbidden, 0));
        resumed.note(&account(vec![reading(Factor, FamilyResult::Complete, 1)]));
        assert_eq!((resumed.next(), resumed.any_left_out()), (None, false));
        let records = resumed.records(&[Factor]).into_iter();
        let records: Vec<_> = records
            .map(|record| (record.family, record.result, record.rows))
            .collect();
        let expected = [
            (Account, FamilyResult::Complete, 3),
            (Group, FamilyResult::Forbidden, 2),
        ];
        assert_eq!(records, expected);
    }

    #[test]
    fn only_what_was_read_whole_is_kept_and_what_no_list_shows_is_kept_apart() {
        use EntitlementKind::{Account, Device, Factor, Group, Role};
        let read = Read {
            account: SeenAccount {
                kind: ObservedKind::Account,
                provider_id: "a".into(),
                state: AccountState::Live,
                attributes: AccountAttributes::default(),
            },
            reading: account(vec![
                reading(Account, FamilyResult::Complete, 1),
                reading(Group, FamilyResult::Complete, 2),
                reading(Role, FamilyResult::Forbidden, 0),
                reading(Factor, FamilyResult::Complete, 1),
                reading(Device, FamilyResult::Failed, 0),
            ]),
        };
        let unlisted = [Factor, Device];
        assert_eq!(read.listed(&unlisted).len(), 2, "the groups");
        let kept = read.kept(Timestamp::UNIX_EPOCH, true, &unlisted);
        assert_eq!(kept.whole, Some(vec![Account, Group]));
        let factors = UnlistedFamily {
            family: Factor,
            held: vec!["k".into()],
            privileged: Vec::new(),
        };
        assert_eq!(kept.unlisted, [factors]);
        let sampled = read.kept(Timestamp::UNIX_EPOCH, false, &unlisted);
        assert_eq!(sampled.whole, None);
    }
}
