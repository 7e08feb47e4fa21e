//! The last line: what came out, counted.

use std::collections::BTreeMap;

use serde::Serialize;
use sever_api::hold_view::HoldView;
use sever_api::task_view::TaskView;
use sever_domain::{Grade, Status};

use super::audience::{Act, Subject};
use super::cast::LEAVERS;
use super::drift::Drift;
use super::matrix;

/// What came out. `connected`, `partially_disconnected` and `fully_removed` together are `subjects`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Outcome {
    /// People who left, and integrations that were disconnected.
    pub(super) subjects: usize,
    /// The people among them.
    pub(super) leavers: usize,
    /// The integrations among them.
    pub(super) integrations: usize,
    /// Simulated systems with their workers.
    pub(super) systems: usize,
    /// Subjects that have access, and no opt-out in force: those that were restored.
    pub(super) connected: usize,
    /// Subjects with an opt-out in force of which something can still work, or is not proven gone.
    pub(super) partially_disconnected: usize,
    /// Subjects without any access anywhere, proven.
    pub(super) fully_removed: usize,
    /// Those of the partially disconnected of which everything is revoked and something issued before still works.
    pub(super) residual: usize,
    /// Subjects whose work a person must release.
    pub(super) held: usize,
    /// Holds that a second person released.
    pub(super) holds_released: usize,
    /// Tasks that wait for a person.
    pub(super) tasks_open: usize,
    /// Tasks that one person did and another one confirmed.
    pub(super) tasks_done: usize,
    /// Subjects whose access came back on purpose, and was read again.
    pub(super) restored: usize,
    /// Messages that could not be taken in.
    pub(super) rejected: usize,
    /// Findings about access that came undone and that an ordinary opt-out mended.
    pub(super) findings_repaired: usize,
    /// Findings that wait for a person; `held` counts opt-outs.
    pub(super) findings_held: usize,
    /// Cells of the matrix, subject by system, for each status.
    pub(super) cells: BTreeMap<String, usize>,
    /// Where the providers' own record and state contradict what Sever says, or a cell was not read again.
    pub(super) journal_violations: usize,
    /// From the start of the command to this line.
    pub(super) seconds: u64,
}

/// What is not counted from the subjects.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beside {
    /// Messages that were set aside.
    pub(super) rejected: usize,
    /// Contradictions that were found.
    pub(super) violations: usize,
    /// What came undone.
    pub(super) drift: Drift,
    /// From the start of the command.
    pub(super) seconds: u64,
}

impl Outcome {
    /// Counts.
    pub(super) fn of(acts: &[Act<'_>], tasks: &[TaskView], beside: Beside) -> Self {
        let with = |status| {
            let subjects = acts.iter();
            subjects.filter(|act| act.status.status == status).count()
        };
        let holds = || {
            let opt_outs = acts.iter().flat_map(|act| &act.opt_outs);
            opt_outs.flat_map(|opt_out| &opt_out.holds)
        };
        let is_person = |act: &&Act<'_>| matches!(act.subject, Subject::Leaver(_));
        let leavers = acts
            .iter()
            .filter(is_person)
            .filter(|act| !act.opt_outs.is_empty());
        let leavers = leavers.count();
        let cells = matrix::counts(acts).into_iter();
        Self {
            subjects: acts.len(),
            leavers,
            integrations: acts.len() - acts.iter().filter(is_person).count(),
            systems: crate::dev::systems::SYSTEMS.len(),
            connected: with(Status::Connected),
            partially_disconnected: with(Status::PartiallyDisconnected),
            fully_removed: with(Status::FullyRemoved),
            residual: acts.iter().filter(|act| is_residual(act)).count(),
            held: acts.iter().filter(|act| is_held(act)).count(),
            holds_released: holds().filter(|hold| hold.decided_at.is_some()).count(),
            tasks_open: tasks.iter().filter(|task| task.open).count(),
            tasks_done: tasks
                .iter()
                .filter(|task| task.words.confirmed_by.is_some())
                .count(),
            restored: matrix::restored(acts),
            rejected: beside.rejected,
            findings_repaired: beside.drift.repaired,
            findings_held: beside.drift.held,
            cells: cells
                .map(|(status, count)| (status.to_string(), count))
                .collect(),
            journal_violations: beside.violations,
            seconds: beside.seconds,
        }
    }

    /// Whether everything is as it must be.
    pub(super) fn is_expected(&self) -> bool {
        let expected = Self {
            subjects: LEAVERS + 2,
            leavers: LEAVERS,
            integrations: 2,
            systems: 5,
            connected: 1,
            partially_disconnected: 1,
            fully_removed: LEAVERS,
            residual: 1,
            held: 0,
            holds_released: 1,
            tasks_open: 0,
            tasks_done: 1,
            restored: 1,
            rejected: 1,
            findings_repaired: 1,
            findings_held: 1,
            cells: self.cells.clone(),
            journal_violations: 0,
            seconds: self.seconds,
        };
        *self == expected
    }
}

/// Everything is revoked and proven, and something that was issued before works until a time.
fn is_residual(act: &Act<'_>) -> bool {
    let partial = act.status.connections.iter();
    let mut partial = partial.filter(|place| place.status == Status::PartiallyDisconnected);
    act.status.status == Status::PartiallyDisconnected
        && partial.all(|place| {
            place.residual_until.is_some() && place.weakest_grade >= Some(Grade::Attested)
        })
}

fn is_held(act: &Act<'_>) -> bool {
    let is_open = |hold: &HoldView| hold.decided_at.is_none();
    let mut holds = act.opt_outs.iter().flat_map(|opt_out| &opt_out.holds);
    holds.any(is_open)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_count_that_is_off_is_not_what_was_expected() {
        let expected = Outcome {
            subjects: 52,
            leavers: 50,
            integrations: 2,
            systems: 5,
            connected: 1,
            partially_disconnected: 1,
            fully_removed: 50,
            residual: 1,
            held: 0,
            holds_released: 1,
            tasks_open: 0,
            tasks_done: 1,
            restored: 1,
            rejected: 1,
            findings_repaired: 1,
            findings_held: 1,
            cells: BTreeMap::new(),
            journal_violations: 0,
            seconds: 61,
        };
        assert!(expected.is_expected());
        let off: [fn(&mut Outcome); 11] = [
            |outcome| outcome.findings_repaired -= 1,
            |outcome| outcome.findings_held += 1,
            |outcome| outcome.leavers += 1,
            |outcome| outcome.fully_removed -= 1,
            |outcome| outcome.connected += 1,
            |outcome| outcome.residual += 1,
            |outcome| outcome.held += 1,
            |outcome| outcome.tasks_open += 1,
            |outcome| outcome.restored -= 1,
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
