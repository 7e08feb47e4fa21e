//! How long to wait before the next try: doubling from a minimum to a maximum, with jitter.
//!
//! The arithmetic is the `backoff` crate's; clock and randomness are the caller's, so every delay can be repeated.
#![forbid(unsafe_code)]

use std::time::Duration;

use backoff::{SystemClock, backoff::Backoff as _, exponential::ExponentialBackoff};

/// After this many doublings every permitted window has reached its maximum.
const DOUBLINGS_MAX: u32 = 40;
const MIN_FLOOR: Duration = Duration::from_millis(1);
const MAX_CEILING: Duration = Duration::from_secs(24 * 60 * 60);

/// A validated window of delays.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    min: Duration,
    max: Duration,
    jitter: f64,
}

/// Why a window is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBackoff {
    /// The shortest delay is under a millisecond, or longer than the longest.
    #[error("the shortest delay of a backoff must be at least 1 ms and at most its longest delay")]
    Min,
    /// The longest delay is over a day.
    #[error("the longest delay of a backoff must be at most 24 h")]
    Max,
    /// The share of randomness is not a number from 0 to 1.
    #[error("the jitter of a backoff must be from 0 to 1")]
    Jitter,
}

impl Backoff {
    /// A window from `min` (at least 1 ms) to `max` (at most 24 h). `jitter`, from 0 to 1, is the share of each delay
    /// that is random: with 0.5 a delay lies between half and all of its step.
    ///
    /// # Errors
    /// [`InvalidBackoff`] names the argument that is out of range.
    pub fn new(min: Duration, max: Duration, jitter: f64) -> Result<Self, InvalidBackoff> {
        if min < MIN_FLOOR || min > max {
            return Err(InvalidBackoff::Min);
        }
        if max > MAX_CEILING {
            return Err(InvalidBackoff::Max);
        }
        if !(0.0..=1.0).contains(&jitter) {
            return Err(InvalidBackoff::Jitter);
        }
        Ok(Self { min, max, jitter })
    }

    /// The delay after `failures` failures in a row (0 counts as 1). `random` is drawn from `[0, 1)` by the caller;
    /// what lies outside is clamped. The step is `min` doubled per further failure, at most `max`; the delay lies
    /// between `step * (1 - jitter)` and `step`.
    #[must_use]
    pub fn delay(&self, failures: u32, random: f64) -> Duration {
        let random = if random.is_nan() {
            0.0
        } else {
            random.clamp(0.0, 1.0)
        };
        self.step(failures).mul_f64(1.0 - self.jitter * random)
    }

    fn step(&self, failures: u32) -> Duration {
        let mut steps = ExponentialBackoff::<SystemClock> {
            current_interval: self.min,
            initial_interval: self.min,
            // Its own randomness cannot be repeated; ours is applied on top.
            randomization_factor: 0.0,
            multiplier: 2.0,
            max_interval: self.max,
            // Giving up is decided elsewhere, never by the arithmetic.
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        };
        let mut step = self.min;
        for _ in 0..failures.clamp(1, DOUBLINGS_MAX) {
            step = steps.next_backoff().unwrap_or(self.max);
        }
        step.clamp(self.min, self.max)
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    reason = "a failed step of a test is a failed test"
)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn windows() -> impl Strategy<Value = Backoff> {
        (1_u64..60_000, 0_u64..86_000_000, 0.0..=1.0_f64).prop_map(|(min, more, jitter)| {
            let (min, max) = (
                Duration::from_millis(min),
                Duration::from_millis((min + more).min(86_400_000)),
            );
            Backoff::new(min, max, jitter).unwrap()
        })
    }

    proptest! {
        #[test]
        fn a_delay_stays_between_its_jittered_step_and_the_maximum(
            window in windows(), failures in 0_u32..100, random in 0.0..1.0_f64,
        ) {
            let delay = window.delay(failures, random);
            prop_assert!(delay <= window.max);
            let lowest = window.min.mul_f64(1.0 - window.jitter);
            prop_assert!(delay + Duration::from_micros(1) >= lowest, "{delay:?} < {lowest:?}");
        }

        #[test]
        fn more_failures_never_wait_less_and_enough_failures_wait_the_maximum(
            window in windows(), failures in 1_u32..60, random in 0.0..1.0_f64,
        ) {
            prop_assert!(window.delay(failures, random) <= window.delay(failures + 1, random));
            prop_assert_eq!(window.delay(60, 0.0), window.max);
        }

        #[test]
        fn the_same_draw_gives_the_same_delay(window in windows(), failures in 0_u32..60, random in 0.0..1.0_f64) {
            prop_assert_eq!(window.delay(failures, random), window.delay(failures, random));
        }
    }

    #[test]
    fn the_steps_double_from_the_minimum() {
        let window =
            Backoff::new(Duration::from_millis(200), Duration::from_secs(15), 0.5).unwrap();
        let steps: Vec<u128> = (1..=8)
            .map(|failures| window.delay(failures, 0.0).as_millis())
            .collect();
        assert_eq!(steps, [200, 400, 800, 1_600, 3_200, 6_400, 12_800, 15_000]);
        assert_eq!(window.delay(1, 1.0).as_millis(), 100);
    }

    #[test]
    fn each_argument_out_of_range_is_named() {
        let (short, long) = (Duration::from_secs(1), Duration::from_secs(2));
        assert_eq!(
            Backoff::new(Duration::ZERO, long, 0.0),
            Err(InvalidBackoff::Min)
        );
        assert_eq!(Backoff::new(long, short, 0.0), Err(InvalidBackoff::Min));
        assert_eq!(
            Backoff::new(short, Duration::from_secs(90_000), 0.0),
            Err(InvalidBackoff::Max)
        );
        for jitter in [-0.1, 1.1, f64::NAN] {
            assert_eq!(
                Backoff::new(short, long, jitter),
                Err(InvalidBackoff::Jitter)
            );
        }
    }
}
