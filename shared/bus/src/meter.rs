//! The metrics of this crate. A label is a connection's role, a queue or an outcome: never an id.

use metrics::{counter, gauge};

/// 1 while the connection is up (or blocked), else 0.
pub(crate) fn connected(connection: &str, up: bool) {
    gauge!("sever_bus_connected", "connection" => connection.to_owned())
        .set(f64::from(u8::from(up)));
}

/// 1 while the broker blocks publishing on the connection, else 0.
pub(crate) fn blocked(connection: &str, blocked: bool) {
    gauge!("sever_bus_blocked", "connection" => connection.to_owned())
        .set(f64::from(u8::from(blocked)));
}

/// Connections that were lost or could not be made.
pub(crate) fn reconnects(connection: &str) {
    counter!("sever_bus_reconnects_total", "connection" => connection.to_owned()).increment(1);
}

/// Messages by what became of them.
pub(crate) fn published(outcome: &'static str, count: u64) {
    counter!("sever_bus_published_total", "outcome" => outcome).increment(count);
}

/// Deliveries by queue and by how they were settled.
pub(crate) fn consumed(queue: &str, settled: &'static str) {
    counter!("sever_bus_consumed_total", "queue" => queue.to_owned(), "settled" => settled)
        .increment(1);
}
