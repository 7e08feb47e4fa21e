//! The invariants of the design as statements: each finds the rows that break it.
//!
//! `sever doctor` runs them in production and the end-to-end tests after every fault run. What only a provider's own journal can
//! show (whether a write had a committed intent before it, and a target that was ours: I5, I11) is compared there; here stands
//! what the database alone can say of it.

use std::time::Duration;

use crate::error::StoreError;
use crate::pool::Client;

mod dead;
mod evidence;
mod records;
mod subjects;
mod work;

/// How long a due job or an outbox row may wait in production before it counts as forgotten.
pub const PRODUCTION_GRACE: Duration = Duration::from_secs(60);

/// The most violations that one statement reports; more of the same say nothing new.
pub const VIOLATIONS_MAX: i64 = 100;

/// One statement. It returns `id` (text) and `detail` (text or null) for each violation, and takes the limit as `$1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invariant {
    /// `I1` to `I12`, as in the design.
    pub number: &'static str,
    /// Its own name, unique.
    pub name: &'static str,
    /// What a violation means, in one sentence.
    pub what: &'static str,
    /// The statement.
    sql: &'static str,
    /// Whether it takes the grace in seconds as `$2`.
    takes_grace: bool,
}

/// One row that breaks an invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// `I1` to `I12`.
    pub invariant: &'static str,
    /// The statement's name.
    pub name: &'static str,
    /// What it means.
    pub what: &'static str,
    /// The row: a job, request, opt-out, step, hold, outbox row or audit event, by its id.
    pub id: String,
    /// The particulars, without personal data.
    pub detail: Option<String>,
}

/// Every statement, in the order of the invariants.
#[must_use]
pub fn all() -> Vec<Invariant> {
    let mut all: Vec<Invariant> = [
        work::WORK,
        evidence::EVIDENCE,
        records::RECORDS,
        subjects::SUBJECTS,
        dead::DEAD,
    ]
    .concat();
    // I2 before I10.
    all.sort_by_key(|invariant| invariant.number[1..].parse::<u8>().unwrap_or(u8::MAX));
    all
}

/// Runs every statement. What is due or unpublished for longer than `grace` counts as forgotten: [`PRODUCTION_GRACE`], or zero
/// for a fleet that has come to rest. Reads whole tables; give the client a generous statement timeout.
///
/// # Errors
/// As any statement.
pub async fn check(client: &Client, grace: Duration) -> Result<Vec<Violation>, StoreError> {
    let grace_s = grace.as_secs_f64();
    let mut violations = Vec::new();
    for invariant in all() {
        let doing = "checking the invariants";
        let rows = if invariant.takes_grace {
            client
                .query(invariant.sql, &[&VIOLATIONS_MAX, &grace_s], doing)
                .await?
        } else {
            client
                .query(invariant.sql, &[&VIOLATIONS_MAX], doing)
                .await?
        };
        violations.extend(rows.iter().map(|row| Violation {
            invariant: invariant.number,
            name: invariant.name,
            what: invariant.what,
            id: row.get("id"),
            detail: row.get("detail"),
        }));
    }
    Ok(violations)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_invariant_of_the_design_has_a_statement_and_every_name_is_its_own() {
        let numbers: BTreeSet<_> = all().iter().map(|invariant| invariant.number).collect();
        for n in 1..=12 {
            assert!(numbers.contains(format!("I{n}").as_str()), "I{n}");
        }
        let names: BTreeSet<_> = all().iter().map(|invariant| invariant.name).collect();
        assert_eq!(names.len(), all().len());
    }
}
