//! Crash points: named places at which a test makes a process die on the spot, as `kill -9` would.
//!
//! A point sits before and after each commit, publish, ack and provider call. It exists in builds with
//! debug assertions only; in a release build [`hit`] is empty and [`arm`] refuses.

use std::str::FromStr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use thiserror::Error;

/// Every point, as `<what>.<when>`.
pub const POINTS: &[&str] = &[
    "accept.before_commit",
    "accept.after_commit",
    "relay.after_claim",
    "relay.after_publish",
    "relay.after_confirm",
    "relay.after_put_back",
    "sweep.before_ring",
    "sweep.after_ring",
    "broker_lost.after_note",
    "broker_lost.after_marker",
    "janitor.before_copy",
    "janitor.after_copy",
    "janitor.after_ack",
    "replay.before_commit",
    "replay.after_commit",
    "bell.before_ack",
    "bell.after_ack",
    "claim.before_commit",
    "claim.after_commit",
    "intent.before_commit",
    "intent.after_commit",
    "call.before",
    "call.after",
    "settle.before_commit",
    "settle.after_commit",
    "plan.before_commit",
    "plan.after_commit",
    "cancel.before_commit",
    "cancel.after_commit",
    "release.before_commit",
    "release.after_commit",
    "restore.before_commit",
    "restore.after_commit",
    "task.before_commit",
    "task.after_commit",
];

/// Which point kills the process, and at which passing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrashAt {
    point: &'static str,
    passing: u64,
}

/// Why a crash point cannot be armed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotArmed {
    /// The text is no point, with an optional passing from 1 on.
    #[error("'{0}' is no crash point; write POINT or POINT:N, with POINT one of: {list}", list = POINTS.join(", "))]
    Unknown(String),
    /// This build has no crash points.
    #[error("this build has no crash points; they exist in debug builds only")]
    ReleaseBuild,
}

impl FromStr for CrashAt {
    type Err = NotArmed;

    fn from_str(text: &str) -> Result<Self, NotArmed> {
        let unknown = || NotArmed::Unknown(text.chars().take(64).collect());
        let (name, passing) = text.split_once(':').unwrap_or((text, "1"));
        let point = POINTS
            .iter()
            .find(|point| **point == name)
            .ok_or_else(unknown)?;
        let passing = passing
            .parse()
            .ok()
            .filter(|passing| *passing > 0)
            .ok_or_else(unknown)?;
        Ok(Self { point, passing })
    }
}

static ARMED: OnceLock<CrashAt> = OnceLock::new();
static PASSED: AtomicU64 = AtomicU64::new(0);

/// Arms one point for the life of the process. A second call changes nothing.
///
/// # Errors
/// [`NotArmed`] for an unknown point, or in a release build.
pub fn arm(text: &str) -> Result<(), NotArmed> {
    if !cfg!(debug_assertions) {
        return Err(NotArmed::ReleaseBuild);
    }
    let at = text.parse()?;
    ARMED.get_or_init(|| at);
    Ok(())
}

/// Dies here if this is the armed point and passing. Costs one load otherwise, and nothing in a release build.
pub fn hit(point: &'static str) {
    debug_assert!(POINTS.contains(&point), "{point} is not in the list");
    if cfg!(debug_assertions)
        && let Some(at) = ARMED.get()
        && at.point == point
        && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == at.passing
    {
        std::process::abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_and_its_passing_are_read() {
        assert_eq!(
            "call.after:3".parse(),
            Ok(CrashAt {
                point: "call.after",
                passing: 3
            })
        );
        assert_eq!(
            "call.after".parse(),
            Ok(CrashAt {
                point: "call.after",
                passing: 1
            })
        );
        for wrong in ["", "call", "call.after:0", "call.after:x", ":1"] {
            assert_eq!(
                wrong.parse::<CrashAt>(),
                Err(NotArmed::Unknown(wrong.to_owned()))
            );
        }
    }

    #[test]
    fn an_unarmed_point_does_nothing() {
        hit("call.before");
    }
}
