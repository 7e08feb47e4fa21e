//! The last line: what came out, counted.

use serde::Serialize;
use sever_api::hold_view::HoldView;
use sever_domain::{JobState, Status};

use super::audience::Act;
use super::cast::LEAVERS;

/// What came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Outcome {
    /// People with an opt-out because they left.
    pub(super) leavers: usize,
    /// Those without any access, proven.
    pub(super) fully_removed: usize,
    /// Those of whom everything is revoked and something issued before still works.
    pub(super) residual: usize,
    /// Those whose work a person must release.
    pub(super) held: usize,
    /// Messages that could not be taken in.
    pub(super) rejected: usize,
    /// Where the provider's own record and state contradict what Sever says.
    pub(super) journal_violations: usize,
    /// From the start of the command to this line.
    pub(super) seconds: u64,
}

impl Outcome {
    /// Counts.
    pub(super) fn of(
        acts: &[Act<'_>],
        rejected: usize,
        journal_violations: usize,
        seconds: u64,
    ) -> Self {
        let heads = || acts.iter().flat_map(|act| &act.opt_outs);
        let all_done = |opt_out: &&sever_api::opt_out_view::OptOutView| {
            opt_out.jobs.iter().all(|job| job.state == JobState::Done)
        };
        let is_open = |hold: &HoldView| hold.decided_at.is_none();
        Self {
            leavers: heads().count(),
            fully_removed: heads()
                .filter(|opt_out| opt_out.head.status == Status::FullyRemoved)
                .count(),
            residual: heads()
                .filter(all_done)
                .filter(|opt_out| opt_out.head.status != Status::FullyRemoved)
                .filter(|opt_out| opt_out.head.residual_until.is_some())
                .count(),
            held: heads()
                .filter(|opt_out| opt_out.holds.iter().any(is_open))
                .count(),
            rejected,
            journal_violations,
            seconds,
        }
    }

    /// Whether everything is as it must be.
    pub(super) fn is_expected(&self) -> bool {
        let expected = Self {
            leavers: LEAVERS,
            fully_removed: LEAVERS - 1,
            residual: 1,
            held: 0,
            rejected: 1,
            journal_violations: 0,
            seconds: self.seconds,
        };
        *self == expected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_count_that_is_off_is_not_what_was_expected() {
        let expected = Outcome {
            leavers: 48,
            fully_removed: 47,
            residual: 1,
            held: 0,
            rejected: 1,
            journal_violations: 0,
            seconds: 31,
        };
        assert!(expected.is_expected());
        let off: [fn(&mut Outcome); 6] = [
            |outcome| outcome.leavers += 1,
            |outcome| outcome.fully_removed -= 1,
            |outcome| outcome.residual += 1,
            |outcome| outcome.held += 1,
            |outcome| outcome.rejected -= 1,
            |outcome| outcome.journal_violations += 1,
        ];
        for change in off {
            let mut outcome = expected.clone();
            change(&mut outcome);
            assert!(!outcome.is_expected(), "{outcome:?}");
        }
    }
}
