//! Something that is done with a running fleet, between its start and its stop.

use super::fleet::{Fleet, Plan};
use super::narrator::Narrator;
use super::signals::Signals;

/// How it went.
#[derive(Debug)]
pub(crate) enum Finished<T> {
    /// The work came to its end.
    Worked(T),
    /// A signal came first; true where the fleet was up by then.
    Interrupted(bool),
    /// A program of the fleet ended by itself, or was killed by a second signal during the stop.
    Broken,
}

/// Starts a fleet, does the work, and stops the fleet, whatever comes: an error, a signal, the end of a program. A second signal
/// kills what has not stopped yet.
///
/// # Errors
/// Whatever could not be started or stopped, and the work's own. Nothing is left running in any case.
pub(crate) async fn with_fleet<T>(
    plan: &Plan,
    narrator: Narrator,
    work: impl AsyncFnOnce(&Fleet) -> anyhow::Result<T>,
) -> anyhow::Result<Finished<T>> {
    let mut signals = Signals::watch()?;
    let started = tokio::select! {
        started = Fleet::start(plan, narrator) => started,
        signal = signals.next() => {
            narrator.say(format!("{signal}: the start was broken off, everything is stopped"));
            Fleet::clean_up(plan, narrator).await;
            return Ok(Finished::Interrupted(false));
        }
    };
    let fleet = match started {
        Ok(fleet) => fleet,
        Err(error) => {
            Fleet::clean_up(plan, narrator).await;
            return Err(error);
        }
    };
    let finished = tokio::select! {
        worked = work(&fleet) => worked.map(Finished::Worked),
        ended = fleet.ended() => {
            narrator.say(ended.report());
            Ok(Finished::Broken)
        }
        signal = signals.next() => {
            narrator.say(format!("{signal}: stopping (once more kills at once) …"));
            Ok(Finished::Interrupted(true))
        }
    };
    tokio::select! {
        stopped = fleet.stop(narrator) => stopped?,
        signal = signals.next() => {
            narrator.say(format!("{signal} again: everything is killed"));
            return Ok(Finished::Broken);
        }
    }
    narrator.say("everything has stopped");
    finished
}
