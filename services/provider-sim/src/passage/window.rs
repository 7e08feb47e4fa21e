//! A rate limit: one fixed window for all calls of an instance.

use serde::{Deserialize, Serialize};

/// How many calls are allowed.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WindowSettings {
    /// Calls per window.
    pub calls: u32,
    /// Length of a window in seconds.
    pub window_s: i64,
}

impl Default for WindowSettings {
    fn default() -> Self {
        Self {
            calls: 100_000,
            window_s: 60,
        }
    }
}

/// The window that runs.
#[derive(Debug, Default)]
pub struct Window {
    started_ms: Option<i64>,
    used: u32,
}

impl Window {
    /// Counts a call; the error tells the whole seconds until the window ends.
    pub fn count(&mut self, settings: WindowSettings, now_ms: i64) -> Result<(), i64> {
        let length_ms = settings.window_s.max(1) * 1000;
        let started_ms = match self.started_ms {
            Some(started_ms) if now_ms < started_ms + length_ms => started_ms,
            _ => {
                self.started_ms = Some(now_ms);
                self.used = 0;
                now_ms
            }
        };
        if self.used >= settings.calls {
            return Err((started_ms + length_ms - now_ms + 999).div_euclid(1000));
        }
        self.used += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_window_refuses_until_its_end() {
        let settings = WindowSettings {
            calls: 2,
            window_s: 10,
        };
        let mut window = Window::default();
        let answers: Vec<_> = [1_000, 2_000, 3_000, 10_999, 11_000]
            .into_iter()
            .map(|now_ms| window.count(settings, now_ms))
            .collect();
        assert_eq!(answers, [Ok(()), Ok(()), Err(8), Err(1), Ok(())]);
    }
}
