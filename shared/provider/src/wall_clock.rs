//! The time of day, for what a provider compares with its own clock: the instants in client assertions and `notBefore`s.
//!
//! It is the database's, as far as this process has heard of it: a worker whose own clock is an hour wrong would sign
//! assertions that every provider refuses, and the connection would be parked for a credential that is right. No
//! decision of Sever's own rests on it.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

/// How far the database's clock is ahead of this machine's, in milliseconds.
static AHEAD_MS: AtomicI64 = AtomicI64::new(0);

/// Tells what the database's clock said just now.
pub fn heard(database: Timestamp) {
    let ahead = database.duration_since(Timestamp::now()).as_millis();
    AHEAD_MS.store(i64::try_from(ahead).unwrap_or(0), Ordering::Relaxed);
}

/// The time of day.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::now() + SignedDuration::from_millis(AHEAD_MS.load(Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_whose_clock_is_an_hour_wrong_tells_the_databases_time() {
        for hours in [1, -1, 0] {
            let database = Timestamp::now() + SignedDuration::from_hours(hours);
            heard(database);
            let off = now().duration_since(database).abs();
            assert!(off < SignedDuration::from_secs(60), "{off:?}");
        }
    }
}
