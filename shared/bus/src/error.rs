//! What can go wrong between us and the broker.

use std::time::Duration;

/// Why something asked of the broker did not happen.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// The configured URL cannot be used. The URL is not shown: it holds a password.
    #[error(
        "the AMQP URL cannot be used: it must be amqp:// or amqps://, with the virtual host percent-encoded"
    )]
    BadUrl,
    /// There is no connection at the moment; the supervisor is working on it.
    #[error("there is no connection to the broker")]
    NotConnected,
    /// The broker did not answer in time.
    #[error("{doing} {what} took longer than {} s", within.as_secs())]
    Deadline {
        /// What was being done, as a verb phrase.
        doing: &'static str,
        /// To which connection, queue or exchange.
        what: String,
        /// How long it had.
        within: Duration,
    },
    /// The broker refused, or the connection failed.
    #[error("{doing} {what} failed")]
    Broker {
        /// What was being done, as a verb phrase.
        doing: &'static str,
        /// To which connection, queue or exchange.
        what: String,
        /// The broker's or the operating system's answer.
        #[source]
        source: Box<lapin::Error>,
    },
}

impl BusError {
    /// Whether the broker answered that the queue or exchange does not exist (AMQP 404).
    pub(crate) fn is_not_found(&self) -> bool {
        const NOT_FOUND: u16 = 404;
        let Self::Broker { source, .. } = self else {
            return false;
        };
        matches!(source.kind(), lapin::ErrorKind::ProtocolError(error) if error.get_id() == NOT_FOUND)
    }
}

/// Why nothing was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The broker is short of memory or disk and has blocked this connection. Messages published now would pile up in
    /// our memory; keep them in the outbox and try again.
    #[error("the broker has blocked publishing (memory or disk alarm)")]
    Blocked,
    /// There is no connection at the moment; the supervisor is working on it.
    #[error("there is no connection to the broker")]
    NotConnected,
}
