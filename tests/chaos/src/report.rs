//! What a run found: a table for people and one line of JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use crate::checker::{Figures, Findings};
use crate::driver::Kills;
use crate::recovery::Recoveries;

/// The most lines that are printed of one kind of finding.
const LINES_MAX: usize = 20;

/// A finished run.
#[derive(Debug)]
pub struct Report {
    pub(crate) seed: u64,
    pub(crate) took: Duration,
    pub(crate) kills: BTreeMap<&'static str, Kills>,
    pub(crate) recoveries: Recoveries,
    pub(crate) findings: Findings,
    pub(crate) figures: Figures,
    /// Requests that no replica accepted before the end, and other troubles of clients and processes.
    pub(crate) troubles: Vec<String>,
    pub(crate) notes: Vec<String>,
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.kinds().iter().all(|(_, lines)| lines.is_empty())
    }

    fn kinds(&self) -> [(&'static str, &[String]); 7] {
        let findings = &self.findings;
        [
            ("lost", &findings.lost),
            ("calls for somebody nobody named", &findings.unnamed_calls),
            ("done without verification", &findings.unverified_done),
            ("double audit events", &findings.double_audit),
            ("violations", &findings.violations),
            ("never went on", &self.recoveries.never),
            ("troubles", &self.troubles),
        ]
    }

    /// For people.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = format!(
            "\n{:<24}{:>7}{:>9}{:>11}{:>11}\n",
            "fault", "times", "jobs", "median s", "worst s"
        );
        for (fault, (times, seconds)) in &self.recoveries.by_fault {
            let figure =
                |part| quantile(seconds, part).map_or("-".to_owned(), |s| format!("{s:.1}"));
            let (median, worst) = (figure(0.5), figure(1.0));
            let _ = writeln!(
                text,
                "{fault:<24}{times:>7}{:>9}{median:>11}{worst:>11}",
                seconds.len()
            );
        }
        let takeovers = &self.recoveries.takeovers;
        let figure = |part| quantile(takeovers, part).map_or("-".to_owned(), |s| format!("{s:.1}"));
        let _ = writeln!(
            text,
            "{} jobs of killed workers were taken over: median {} s, worst {} s after the kill",
            takeovers.len(),
            figure(0.5),
            figure(1.0)
        );
        for (kind, kills) in &self.kills {
            let _ = writeln!(
                text,
                "killed {kind}: {} times, with {} jobs in flight",
                kills.kills, kills.jobs_in_flight
            );
        }
        for note in &self.notes {
            let _ = writeln!(text, "{note}");
        }
        for (kind, lines) in self.kinds().iter().filter(|(_, lines)| !lines.is_empty()) {
            let _ = writeln!(text, "\n{kind}: {}", lines.len());
            for line in lines.iter().take(LINES_MAX) {
                let _ = writeln!(text, "  {line}");
            }
        }
        let _ = write!(text, "\ntook {} s", self.took.as_secs());
        text
    }

    /// The last line.
    #[must_use]
    pub fn json(&self) -> String {
        let (all, takeovers) = (self.recoveries.all(), &self.recoveries.takeovers);
        let seconds = |of: &[f64], part| {
            quantile(of, part).map_or(Value::Null, |s| json!((s * 10.0).round() / 10.0))
        };
        let kills: BTreeMap<&str, Value> = self
            .kills
            .iter()
            .map(|(kind, kills)| {
                (
                    *kind,
                    json!({"kills": kills.kills, "jobs_in_flight": kills.jobs_in_flight}),
                )
            })
            .collect();
        let findings = &self.findings;
        json!({
            "seed": self.seed,
            "opt_outs": self.figures.opt_outs,
            "kills": kills,
            "lost": findings.lost.len(),
            "unnamed_calls": findings.unnamed_calls.len(),
            "unverified_done": findings.unverified_done.len(),
            "double_audit": findings.double_audit.len(),
            "violations": findings.violations.len(),
            "troubles": self.troubles.len() + self.recoveries.never.len(),
            "takeovers": takeovers.len(),
            "takeover_p50_s": seconds(takeovers, 0.5),
            "takeover_max_s": seconds(takeovers, 1.0),
            "recovery_p50_s": seconds(&all, 0.5),
            "recovery_max_s": seconds(&all, 1.0),
        })
        .to_string()
    }
}

/// The value below which this part of sorted values lies (nearest rank); `None` for none.
fn quantile(sorted: &[f64], part: f64) -> Option<f64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank is a small positive number"
    )]
    let rank = (sorted.len() as f64 * part).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_by_nearest_rank_and_none_for_none() {
        assert_eq!(quantile(&[1.0, 2.0, 9.0], 0.5), Some(2.0));
        assert_eq!(quantile(&[1.0, 2.0, 9.0], 1.0), Some(9.0));
        assert_eq!(quantile(&[], 0.5), None);
    }
}
