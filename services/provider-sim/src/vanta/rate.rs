//! Rate limits: a fixed window for each bucket. No header tells the quota; a 429 may say when to come back.

use std::collections::HashMap;

/// The windows of a tenant.
#[derive(Debug, Default)]
pub struct Limiter {
    windows: HashMap<String, Window>,
}

#[derive(Debug)]
struct Window {
    started_ms: i64,
    used: u32,
}

impl Limiter {
    /// Counts a call in `bucket`. A refused call is not counted.
    ///
    /// # Errors
    /// Seconds until the window ends, where it has `limit` calls already.
    pub fn count(
        &mut self,
        bucket: String,
        limit: u32,
        window_s: i64,
        now_ms: i64,
    ) -> Result<(), i64> {
        let fresh = Window {
            started_ms: now_ms,
            used: 0,
        };
        let window = self.windows.entry(bucket).or_insert(fresh);
        let length_ms = window_s * 1000;
        if now_ms >= window.started_ms + length_ms {
            *window = Window {
                started_ms: now_ms,
                used: 0,
            };
        }
        if window.used >= limit {
            let left_ms = window.started_ms + length_ms - now_ms;
            return Err((left_ms + 999).div_euclid(1000));
        }
        window.used += 1;
        Ok(())
    }

    /// Forgets all windows, as after a change of the limits.
    pub fn clear(&mut self) {
        self.windows.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_starts_with_its_first_call_and_says_when_it_ends() {
        let mut limiter = Limiter::default();
        let mut call = |now_ms| limiter.count("token".into(), 2, 60, now_ms);
        assert_eq!([call(10_500), call(20_000)], [Ok(()), Ok(())]);
        assert_eq!(call(70_400), Err(1));
        assert_eq!(call(30_500), Err(40), "a refused call is not counted");
        assert_eq!(call(70_500), Ok(()));
    }
}
