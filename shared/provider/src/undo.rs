//! The way back of one verified step, and how many others an integration concerns.

use serde::{Deserialize, Serialize};
use sever_domain::plan::PlannedStep;

/// How a verified step comes back.
#[derive(Debug, Clone, PartialEq)]
pub enum Undo {
    /// By this step: same binding and target as the verified one, an inverse action, class `revoke`. Its needs are
    /// empty; the runtime lets every account come back before what hangs on it.
    Step(Box<PlannedStep>),
    /// There is nothing to bring back: it was no change (inert, already gone before us).
    Nothing,
    /// Not at all, or not by us.
    Impossible {
        /// Why, in plain words.
        reason: String,
    },
}

/// Who else is affected when a subject is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlastRadius {
    /// People who lose access; the mass guard is charged with them, and with one at least.
    pub people: u64,
    /// Groups through which they had it.
    pub groups: u64,
    /// Applications that depend on the subject.
    pub applications: u64,
    /// Whether every number was counted whole; where not, the truth may be larger.
    pub complete: bool,
    /// Whether the organisation's last way to sign in goes through the subject.
    pub last_sign_in_path: bool,
}

impl BlastRadius {
    /// One person, who is the subject: nobody else is affected.
    pub const ONE_PERSON: Self = Self {
        people: 1,
        groups: 0,
        applications: 0,
        complete: true,
        last_sign_in_path: false,
    };
}
