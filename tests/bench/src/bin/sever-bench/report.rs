//! The table for people and the line for programs.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::json;

use crate::rounds::Round;

/// Everything measured.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    rounds: Vec<Pair>,
    pub(crate) commits: f64,
    pub(crate) calls: f64,
    /// Sorted.
    pub(crate) contained_ms: Vec<f64>,
    /// Sorted.
    pub(crate) verified_ms: Vec<f64>,
    pub(crate) worker_rss_mib: f64,
}

#[derive(Debug)]
struct Pair {
    latency_ms: u64,
    ours: Round,
    bare: Round,
}

impl Figures {
    pub(crate) fn add_rounds(&mut self, latency_ms: u64, ours: Round, bare: Round) {
        self.rounds.push(Pair {
            latency_ms,
            ours,
            bare,
        });
    }

    fn median(&self, latency_ms: u64, of: impl Fn(&Pair) -> f64) -> f64 {
        let pairs = self.rounds.iter();
        let mut values: Vec<f64> = pairs
            .filter(|pair| pair.latency_ms == latency_ms)
            .map(of)
            .collect();
        values.sort_by(f64::total_cmp);
        quantile(&values, 0.5)
    }

    fn ours(&self, latency_ms: u64) -> f64 {
        self.median(latency_ms, |pair| pair.ours.per_second())
    }

    fn bare(&self, latency_ms: u64) -> f64 {
        self.median(latency_ms, |pair| pair.bare.per_second())
    }

    fn ratio(&self, latency_ms: u64) -> f64 {
        self.ours(latency_ms) / self.bare(latency_ms)
    }

    /// The table.
    pub(crate) fn table(&self, took: Duration) -> String {
        let mut text = String::new();
        let mut row = |name: &str, value: String, wanted: &str| {
            let _ = writeln!(text, "{name:<52}{value:>12}   {wanted}");
        };
        row("at 64 in flight", String::new(), "wanted");
        row("  opt-outs per second, 0 ms", whole(self.ours(0)), "");
        row("  bare, 0 ms", whole(self.bare(0)), "");
        row("  ratio, 0 ms", two(self.ratio(0)), "at least 0.6");
        row("  opt-outs per second, 20 ms", whole(self.ours(20)), "");
        row("  bare, 20 ms", whole(self.bare(20)), "");
        row("  ratio, 20 ms", two(self.ratio(20)), "at least 0.9");
        row(
            "  commits for each opt-out",
            two(self.commits),
            "at most 12",
        );
        row("  calls for each opt-out", two(self.calls), "at most 40");
        row(
            "  peak memory of the worker, MiB",
            one(self.worker_rss_mib),
            "under 64",
        );
        row("one at a time, 0 ms", String::new(), "");
        let contained = |q| one(quantile(&self.contained_ms, q));
        row(
            "  accepted to contained, p50, ms",
            contained(0.5),
            "under 50",
        );
        row(
            "  accepted to contained, p99, ms",
            contained(0.99),
            "under 500",
        );
        let verified = |q| one(quantile(&self.verified_ms, q));
        row("  accepted to verified, p50, ms", verified(0.5), "");
        row("  accepted to verified, p99, ms", verified(0.99), "");
        let _ = writeln!(text, "\nprocessor, ms for each opt-out (medians)");
        for latency_ms in [0, 20] {
            let _ = writeln!(
                text,
                "  Sever, {latency_ms:>2} ms: {}",
                self.processor(latency_ms, |pair| pair.ours)
            );
            let _ = writeln!(
                text,
                "  bare,  {latency_ms:>2} ms: {}",
                self.processor(latency_ms, |pair| pair.bare)
            );
        }
        let _ = write!(text, "\ntook {} s", took.as_secs());
        text
    }

    fn processor(&self, latency_ms: u64, side: impl Fn(&Pair) -> Round + Copy) -> String {
        let ms = |of: fn(&Round) -> f64| {
            self.median(latency_ms, |pair| {
                let round = side(pair);
                of(&round) * 1000.0 / round.opt_outs as f64
            })
        };
        let parts = [
            ("PostgreSQL", ms(|round| round.processor.postgres)),
            ("broker", ms(|round| round.processor.broker)),
            ("worker or bare", ms(|round| round.processor.worker)),
            ("intake", ms(|round| round.processor.intake)),
            ("stub", ms(|round| round.processor.stub)),
            ("driver", ms(|round| round.processor.driver)),
        ];
        let sum: f64 = parts.iter().map(|(_, ms)| ms).sum();
        let part = |(name, ms): &(&str, f64)| format!("{name} {ms:.2} ({:.0} %)", ms * 100.0 / sum);
        let parts: Vec<String> = parts.iter().map(part).collect();
        format!("{}; together {sum:.2}", parts.join(", "))
    }

    /// The line.
    pub(crate) fn json(&self) -> String {
        let number = |value: f64, digits: i32| {
            let scale = 10_f64.powi(digits);
            (value * scale).round() / scale
        };
        json!({
            "opt_outs_per_s": number(self.ours(0), 1),
            "bare_per_s": number(self.bare(0), 1),
            "ratio": number(self.ratio(0), 3),
            "ratio_20ms": number(self.ratio(20), 3),
            "commits_per_opt_out": number(self.commits, 2),
            "calls_per_opt_out": number(self.calls, 2),
            "first_containment_p50_ms": number(quantile(&self.contained_ms, 0.5), 2),
            "first_containment_p99_ms": number(quantile(&self.contained_ms, 0.99), 2),
            "verified_p99_ms": number(quantile(&self.verified_ms, 0.99), 2),
            "worker_rss_mib": number(self.worker_rss_mib, 1),
        })
        .to_string()
    }
}

/// One round in one line.
pub(crate) fn line(round: &Round) -> String {
    format!(
        "{:>7.1} opt-outs per second ({} in {:.1} s)",
        round.per_second(),
        round.opt_outs,
        round.seconds
    )
}

/// The value below which this part of sorted values lies (nearest rank); not a number for none.
fn quantile(sorted: &[f64], part: f64) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank is a small positive number"
    )]
    let rank = (sorted.len() as f64 * part).ceil() as usize;
    sorted
        .get(rank.saturating_sub(1))
        .copied()
        .unwrap_or(f64::NAN)
}

fn whole(value: f64) -> String {
    format!("{value:.0}")
}

fn one(value: f64) -> String {
    format!("{value:.1}")
}

fn two(value: f64) -> String {
    format!("{value:.2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_by_nearest_rank() {
        let values: Vec<f64> = (1..=500).map(f64::from).collect();
        let same = |a: f64, b: f64| (a - b).abs() < f64::EPSILON;
        assert!(same(quantile(&values, 0.5), 250.0));
        assert!(same(quantile(&values, 0.99), 495.0));
        assert!(quantile(&[], 0.5).is_nan());
    }
}
