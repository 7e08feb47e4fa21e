//! Every metric of the product: name, type, labels, unit and meaning, once.
//!
//! Code names a metric by its constant (`metrics::counter!(catalogue::REQUESTS_ACCEPTED.name, "source_kind" => "amqp")`); the page
//! `deploy/METRICS.md` is made from this list, and the alert rules and dashboards are checked against it.
//! Label values come from small closed sets: never an id of a person, never an e-mail, never a URL.

use metrics::Unit;

/// One metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    /// Full name in the text format.
    pub name: &'static str,
    /// Counter, gauge or histogram.
    pub kind: MetricKind,
    /// Label names, each with a small closed set of values.
    pub labels: &'static [&'static str],
    /// What the number counts.
    pub unit: Unit,
    /// One sentence for the `HELP` line.
    pub help: &'static str,
}

/// Type of a metric in the text format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// Only grows, from zero at the start of its process.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Distribution over fixed buckets.
    Histogram,
}

/// Declares each metric as a constant whose docstring is its help, and the list of all.
macro_rules! metrics_of_the_product {
    ($($constant:ident: $kind:ident in $unit:ident $name:literal $labels:tt $help:literal)+) => {
        $(
            #[doc = $help]
            pub const $constant: Metric = Metric {
                name: $name,
                kind: MetricKind::$kind,
                labels: &$labels,
                unit: Unit::$unit,
                help: $help,
            };
        )+

        /// Every metric, in the order of the page.
        pub const ALL: &[Metric] = &[$($constant),+];
    };
}

metrics_of_the_product! {
    REQUESTS_ACCEPTED: Counter in Count "sever_requests_accepted_total" ["source_kind"]
        "Requests accepted and committed, by the way they came in (amqp, http, console)."
    REQUESTS_REJECTED: Counter in Count "sever_requests_rejected_total" ["reason"]
        "Requests kept as rejected and never acted on, by reason."
    UNMATCHED_REQUESTS: Gauge in Count "sever_unmatched_requests" []
        "Requests about a person whom nobody knows yet; tried again at each import and every minute."
    JOBS: Gauge in Count "sever_jobs" ["state", "provider"]
        "Open jobs by state, as PostgreSQL has them."
    ATTEMPTS: Counter in Count "sever_attempts_total" ["provider", "class"]
        "Attempts that ended, by outcome class."
    STEP_DURATION_SECONDS: Histogram in Seconds "sever_step_duration_seconds" ["provider", "action"]
        "Time of one step from its call to its result."
    FIRST_REVOCATION_SECONDS: Histogram in Seconds "sever_first_revocation_seconds" ["provider"]
        "Time from acceptance to the first revoking or containing call that succeeded."
    VERIFIED_SECONDS: Histogram in Seconds "sever_verified_seconds" ["provider"]
        "Time from acceptance to the closing inspection that found nothing live."
    OUTBOX_ROWS: Gauge in Count "sever_outbox_rows" []
        "Rows in the outbox."
    OUTBOX_OLDEST_SECONDS: Gauge in Seconds "sever_outbox_oldest_seconds" []
        "Age of the oldest outbox row, one that cannot be routed included; 0 where there is none."
    RELAY_BATCH_SIZE: Histogram in Count "sever_relay_batch_size" []
        "Outbox rows that one pass of the relay claimed."
    SWEEPER_RINGS: Counter in Count "sever_sweeper_rings_total" ["why"]
        "Bells that the sweeper rang, by reason (due, lease, rung_too_long, broker_lost)."
    DLQ_DEPTH: Gauge in Count "sever_dlq_depth" ["provider"]
        "Messages in the dead-letter queue."
    DLQ_OUT_OF_STEP_SECONDS: Gauge in Seconds "sever_dlq_out_of_step_seconds" ["provider"]
        "How long the dead-letter queue and the database have disagreed about what is dead; 0 while they agree."
    JANITOR_LOOK_AGE_SECONDS: Gauge in Seconds "sever_janitor_look_age_seconds" []
        "Time since the janitor last looked at the dead-letter queue that it has not looked at for longest."
    JANITOR_MESSAGES: Counter in Count "sever_janitor_messages_total" ["provider", "what"]
        "Messages of dead-letter queues that the janitor dealt with: kept, acked, rung, stored, published."
    DEAD_LETTERS_OPEN: Gauge in Count "sever_dead_letters_open" ["provider", "fingerprint"]
        "Dead letters that wait for a person, for the twenty largest fingerprints; the others together as other."
    DEAD_RAW_OPEN: Gauge in Count "sever_dead_raw_open" ["provider"]
        "Dead messages that no job belongs to and that wait for a person."
    REPLAYS: Gauge in Count "sever_replays" ["state"]
        "Replays that run, and replays that were stopped within the last day."
    REPLAY_MEMBERS: Gauge in Count "sever_replay_members" ["state"]
        "Dead letters in replays that run, by what became of them."
    HOLDS_OPEN: Gauge in Count "sever_holds_open" ["reason"]
        "Holds that wait for a person, by reason."
    TASKS_OPEN: Gauge in Count "sever_tasks_open" ["provider", "state"]
        "Tasks that wait for a person, by state: asked (nobody did it yet) or asserted (nobody confirmed it yet)."
    TASKS_OVERDUE: Gauge in Count "sever_tasks_overdue" ["provider"]
        "Tasks that wait for a person and whose time is over."
    CONNECTIONS_PARKED: Gauge in Count "sever_connections_parked" ["provider"]
        "Connections parked for wrong credentials."
    CONNECTION_BREAKERS_OPEN: Gauge in Count "sever_connection_breakers_open" ["provider"]
        "Connections whose circuit breaker is open or half-open: their provider does not answer, and their jobs wait."
    CONNECTION_BLOCKED_SECONDS: Gauge in Seconds "sever_connection_blocked_seconds" ["provider"]
        "Longest time for which a connection is still blocked by its provider's rate limit."
    GUARD_TRIPS: Counter in Count "sever_guard_trips_total" ["guard"]
        "Times that a guard stopped something and opened a hold."
    INVARIANT_VIOLATIONS: Gauge in Count "sever_invariant_violations" ["invariant"]
        "Violations of an invariant that the last check found."
    PROVIDER_CALLS: Counter in Count "sever_provider_calls_total" ["provider", "endpoint_family", "status"]
        "Calls at a provider, by endpoint family and HTTP status; `none` where no answer came."
    PROVIDER_CALL_DURATION_SECONDS: Histogram in Seconds "sever_provider_call_duration_seconds" ["provider", "endpoint_family"]
        "Time of one call at a provider, to the end of its body."
    WORKER_SLOTS_BUSY: Gauge in Count "sever_worker_slots_busy" ["provider"]
        "Slots of this worker that run a job."
    WORKER_LEASES: Gauge in Count "sever_worker_leases" ["provider"]
        "Leases that this worker holds."
    INVENTORY_ROWS: Counter in Count "sever_inventory_rows_total" []
        "Rows that inventories staged."
    INVENTORIES: Counter in Count "sever_inventories_total" ["result"]
        "Inventories compared, by result (promoted, held, incomplete, refused, not_loaded)."
    RECONCILE_SECONDS: Histogram in Seconds "sever_reconcile_seconds" []
        "Time from a loaded inventory to its findings and promotion."
    FINDINGS: Gauge in Count "sever_findings" ["situation", "state"]
        "Open findings by situation and state; told by the reconciler that leads."
    FINDINGS_RETURNED: Gauge in Count "sever_findings_returned" []
        "Open findings about access that came back after a repair had taken it away again."
    CONCERNS: Gauge in Count "sever_concerns" ["check"]
        "What the last check of Sever's own integrity found, by check; at most a hundred of each."
    BUS_CONNECTED: Gauge in Count "sever_bus_connected" ["connection"]
        "1 while this broker connection of the process is up, else 0."
    BUS_BLOCKED: Gauge in Count "sever_bus_blocked" ["connection"]
        "1 while the broker blocks publishing on this connection by an alarm, else 0."
    BUS_RECONNECTS: Counter in Count "sever_bus_reconnects_total" ["connection"]
        "Times that a broker connection was lost or could not be made."
    BUS_PUBLISHED: Counter in Count "sever_bus_published_total" ["outcome"]
        "Messages published, by outcome (confirmed, returned, nacked, unknown)."
    BUS_CONSUMED: Counter in Count "sever_bus_consumed_total" ["queue", "settled"]
        "Deliveries taken from a queue, by how they were settled (ack, dead_letter, left, lost, returned, panicked)."
    LOG_REDACTIONS: Counter in Count "sever_log_redactions_total" []
        "Log lines in which something that looks like an e-mail address or a credential was masked."
}

/// Gives every metric's help and unit to the recorder of this process.
pub fn describe_all() {
    for metric in ALL {
        match metric.kind {
            MetricKind::Counter => {
                metrics::describe_counter!(metric.name, metric.unit, metric.help)
            }
            MetricKind::Gauge => metrics::describe_gauge!(metric.name, metric.unit, metric.help),
            MetricKind::Histogram => {
                metrics::describe_histogram!(metric.name, metric.unit, metric.help)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_follow_the_prometheus_conventions() {
        let names: BTreeSet<_> = ALL.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), ALL.len());
        for Metric {
            name, kind, unit, ..
        } in ALL
        {
            assert!(name.starts_with("sever_"), "{name}");
            assert_eq!(
                name.ends_with("_total"),
                *kind == MetricKind::Counter,
                "{name}"
            );
            assert_eq!(name.ends_with("_seconds"), *unit == Unit::Seconds, "{name}");
        }
    }
}
