//! What a run does.

use std::time::Duration;

use crate::fault::Fault;

/// Opt-outs that a minute of a full run asks for.
const OPT_OUTS_A_MINUTE: usize = 270;

/// The size of a run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Decides everything random.
    pub seed: u64,
    /// How long faults are dealt; each is dealt at least once, and the one under way at the end is finished.
    pub faults_for: Duration,
    /// People who leave, spread evenly over that time.
    pub leavers: usize,
    /// People who stay: nobody may call the provider about them.
    pub bystanders: usize,
    /// How long the rest of the work may take once everything runs again.
    pub rest_max: Duration,
    /// The quiet between two faults, at most; at least a fifth of it.
    pub pause_max: Duration,
    /// What the drawn length of a fault is multiplied with.
    pub(crate) pace: f64,
    /// The faults, each dealt once before any comes again.
    pub(crate) deck: Vec<Fault>,
}

impl Plan {
    /// Every fault that there is, for so many minutes.
    #[must_use]
    pub fn full(minutes: u64, seed: u64) -> Self {
        let leavers = usize::try_from(minutes)
            .unwrap_or(usize::MAX)
            .saturating_mul(OPT_OUTS_A_MINUTE);
        Self {
            seed,
            faults_for: Duration::from_secs(minutes * 60),
            leavers,
            bystanders: 300,
            rest_max: Duration::from_secs(180),
            pause_max: Duration::from_secs(4),
            pace: 1.0,
            deck: Fault::ALL.to_vec(),
        }
    }

    /// A few seconds of the faults that need no broker to start again, for the ordinary tests.
    #[must_use]
    pub fn short(seed: u64) -> Self {
        Self {
            seed,
            faults_for: Duration::from_secs(15),
            leavers: 60,
            bystanders: 20,
            rest_max: Duration::from_secs(120),
            pause_max: Duration::from_millis(600),
            pace: 0.3,
            deck: Fault::SHORT.to_vec(),
        }
    }
}
