//! The recorder of this process and its text form.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;

use crate::catalogue;

/// Buckets of calls and steps, seconds: from a local stub to a hard call deadline.
const CALL_BUCKETS: [f64; 15] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
];

/// Buckets counted from acceptance, seconds: a residual token can make an opt-out wait for a day.
const ACCEPTANCE_BUCKETS: [f64; 17] = [
    0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0,
    43_200.0, 86_400.0,
];

/// Buckets of a relay pass, rows: up to the default batch.
const BATCH_BUCKETS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// Interval at which histograms are folded up; without it they grow while nobody scrapes.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// The metrics of this process. Cheap to clone.
#[derive(Clone)]
pub struct Metrics(Arc<Recorder>);

struct Recorder {
    handle: PrometheusHandle,
    process: metrics_process::Collector,
}

static INSTALLED: OnceLock<Metrics> = OnceLock::new();

impl Metrics {
    /// Installs the process-wide recorder with every metric of [`catalogue`] described; further calls hand out the same one.
    ///
    /// # Panics
    /// If another crate installed a recorder in this process: only this crate does.
    #[must_use]
    pub fn install() -> Self {
        INSTALLED.get_or_init(Self::install_now).clone()
    }

    fn install_now() -> Self {
        let named = |metric: &catalogue::Metric| Matcher::Full(metric.name.to_owned());
        let handle = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &CALL_BUCKETS)
            .and_then(|builder| {
                builder.set_buckets_for_metric(
                    named(&catalogue::FIRST_REVOCATION_SECONDS),
                    &ACCEPTANCE_BUCKETS,
                )
            })
            .and_then(|builder| {
                builder.set_buckets_for_metric(
                    named(&catalogue::VERIFIED_SECONDS),
                    &ACCEPTANCE_BUCKETS,
                )
            })
            .and_then(|builder| {
                builder.set_buckets_for_metric(named(&catalogue::RELAY_BATCH_SIZE), &BATCH_BUCKETS)
            })
            .and_then(PrometheusBuilder::install_recorder)
            .expect(
                "bucket lists are not empty and no other recorder is installed in a Sever process",
            );
        catalogue::describe_all();
        let process = metrics_process::Collector::default();
        process.describe();
        Self(Arc::new(Recorder { handle, process }))
    }

    /// The text exposition format, process metrics included. Takes well under a millisecond; reads `/proc`.
    #[must_use]
    pub fn render(&self) -> String {
        self.0.process.collect();
        self.0.handle.render()
    }

    /// Folds up histograms every five seconds until `end` is cancelled. Cancel-safe: dropping it loses nothing.
    pub async fn run_upkeep(&self, end: CancellationToken) {
        let mut interval = tokio::time::interval(UPKEEP_INTERVAL);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while end.run_until_cancelled(interval.tick()).await.is_some() {
            self.0.handle.run_upkeep();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn installing_twice_hands_out_the_same_recorder() {
        let first = Metrics::install();
        metrics::counter!(catalogue::REQUESTS_REJECTED.name, "reason" => "installing_twice")
            .increment(3);
        assert!(Arc::ptr_eq(&first.0, &Metrics::install().0));
        let page = Metrics::install().render();
        assert!(
            page.contains("sever_requests_rejected_total{reason=\"installing_twice\"} 3"),
            "{page}"
        );
        assert!(
            page.contains("# TYPE sever_requests_rejected_total counter"),
            "{page}"
        );
    }

    #[test]
    fn seconds_are_histograms_with_buckets_and_acceptance_reaches_a_day() {
        let metrics = Metrics::install();
        metrics::histogram!(catalogue::STEP_DURATION_SECONDS.name, "provider" => "p", "action" => "a").record(0.02);
        metrics::histogram!(catalogue::VERIFIED_SECONDS.name, "provider" => "p").record(40_000.0);
        let page = metrics.render();
        assert!(
            page.contains(
                "sever_step_duration_seconds_bucket{provider=\"p\",action=\"a\",le=\"0.025\"} 1"
            ),
            "{page}"
        );
        assert!(
            page.contains("sever_verified_seconds_bucket{provider=\"p\",le=\"43200\"} 1"),
            "{page}"
        );
    }

    #[test]
    fn process_metrics_are_on_the_page() {
        let page = Metrics::install().render();
        assert!(page.contains("process_resident_memory_bytes"), "{page}");
    }

    #[tokio::test]
    async fn upkeep_ends_with_its_token() {
        let end = CancellationToken::new();
        let metrics = Metrics::install();
        let upkeep = tokio::spawn({
            let end = end.clone();
            async move { metrics.run_upkeep(end).await }
        });
        end.cancel();
        tokio::time::timeout(Duration::from_secs(5), upkeep)
            .await
            .unwrap()
            .unwrap();
    }
}
