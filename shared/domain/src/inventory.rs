//! Inventory runs: readings of a whole connection, and when one is believed.

use crate::entitlement::{EntitlementKind, FamilyResult};
use crate::text_enum::text_enum;

text_enum! {
    /// How much a run reads.
    pub enum RunKind {
        /// Everything; what is not in it is not there.
        Full = "full",
        /// The accounts that the provider names as changed since a run before, each read by id; it proves no absence but of these.
        Incremental = "incremental",
    }
}

text_enum! {
    /// The life of a run.
    pub enum RunState {
        /// It is asked for, or its worker gave it back.
        Waiting = "waiting",
        /// A worker reads under a lease.
        Running = "running",
        /// Every row is there; it has not been compared yet.
        Loaded = "loaded",
        /// It would open more findings than the mass guard allows; a person looks.
        Held = "held",
        /// Compared, and the newest inventory of its connection (or merged into it).
        Promoted = "promoted",
        /// A newer run took its place.
        Superseded = "superseded",
        /// Its accounts were not read whole; nothing is concluded from it but that.
        Incomplete = "incomplete",
        /// Its rows are not those of its record: the database lost them.
        Refused = "refused",
        /// It was given up.
        Failed = "failed",
    }
}

text_enum! {
    /// What a row of an account names.
    pub enum ObservedKind {
        /// A person's account, or one that should be.
        Account = "account",
        /// The object of an integration.
        Application = "application",
    }
}

impl RunState {
    /// Whether the run stands in the way of another one at its connection.
    #[must_use]
    pub const fn is_open(self) -> bool {
        match self {
            Self::Waiting | Self::Running | Self::Loaded | Self::Held => true,
            Self::Promoted | Self::Superseded | Self::Incomplete | Self::Refused | Self::Failed => {
                false
            }
        }
    }
}

/// How well one family was read in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FamilyRecord {
    /// The family.
    pub family: EntitlementKind,
    /// How well it was read.
    pub result: FamilyResult,
    /// Rows seen.
    pub rows: u64,
    /// How many the provider said there are, where it says so.
    pub expected: Option<u64>,
    /// Why it is not complete, without personal data.
    pub detail: Option<String>,
}

/// The rows of a run: as its record says, and as they are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowCounts {
    /// Account rows.
    pub accounts: u64,
    /// Entitlement rows.
    pub entitlements: u64,
}

/// Whether a loaded run is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunVerdict {
    /// It is.
    Compare,
    /// Its accounts were not read whole.
    Incomplete,
    /// Its rows do not match its record.
    Refused,
}

/// Judges a family that a provider answered for without an error.
///
/// A total that does not agree, or an empty answer where the inventory before it had rows, is a failed read: a provider
/// that answers 200 with nothing must not look like a thousand deletions.
#[must_use]
pub fn judge_family(rows: u64, expected: Option<u64>, before: Option<u64>) -> FamilyResult {
    let lied = expected.is_some_and(|expected| expected != rows);
    let vanished = rows == 0 && before.is_some_and(|before| before > 0);
    if lied || vanished {
        FamilyResult::Failed
    } else {
        FamilyResult::Complete
    }
}

/// Judges a loaded run. Without a complete reading of the accounts nothing can be compared.
#[must_use]
pub fn judge_run(families: &[FamilyRecord], record: RowCounts, counted: RowCounts) -> RunVerdict {
    if record != counted {
        return RunVerdict::Refused;
    }
    let accounts = families
        .iter()
        .find(|record| record.family == EntitlementKind::Account);
    match accounts.map(|record| record.result) {
        Some(FamilyResult::Complete) => RunVerdict::Compare,
        Some(FamilyResult::Unsupported | FamilyResult::Forbidden | FamilyResult::Failed) | None => {
            RunVerdict::Incomplete
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn family(result: FamilyResult) -> FamilyRecord {
        FamilyRecord {
            family: EntitlementKind::Account,
            result,
            rows: 1,
            expected: None,
            detail: None,
        }
    }

    const ONE: RowCounts = RowCounts {
        accounts: 1,
        entitlements: 0,
    };

    #[test]
    fn rows_that_are_not_those_of_the_record_are_refused_before_anything_else() {
        let lost = RowCounts {
            accounts: 0,
            entitlements: 0,
        };
        for result in FamilyResult::ALL {
            assert_eq!(
                judge_run(&[family(*result)], ONE, lost),
                RunVerdict::Refused
            );
        }
    }

    #[test]
    fn only_accounts_that_were_read_whole_are_compared() {
        for result in FamilyResult::ALL {
            let compared = judge_run(&[family(*result)], ONE, ONE) == RunVerdict::Compare;
            assert_eq!(compared, *result == FamilyResult::Complete);
        }
        assert_eq!(judge_run(&[], ONE, ONE), RunVerdict::Incomplete);
    }

    #[test]
    fn an_empty_answer_and_a_total_that_lies_are_no_deletions() {
        assert_eq!(judge_family(0, None, Some(3)), FamilyResult::Failed);
        assert_eq!(judge_family(2, Some(3), None), FamilyResult::Failed);
        assert_eq!(judge_family(0, Some(0), None), FamilyResult::Complete);
        assert_eq!(judge_family(3, Some(3), Some(900)), FamilyResult::Complete);
    }
}
