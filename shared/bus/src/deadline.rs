//! How long anything may wait for the broker.

use std::{future::Future, time::Duration};

use crate::error::BusError;

/// TCP, TLS and the AMQP handshake together.
pub const CONNECT: Duration = Duration::from_secs(10);
/// A declaration, a passive declaration, opening a channel, setting its prefetch, starting a consumer.
pub const DECLARE: Duration = Duration::from_secs(10);
/// All confirms of one window of published messages.
pub const CONFIRM: Duration = Duration::from_secs(10);
/// Handing an ack or a reject to the connection.
pub const ACK: Duration = Duration::from_secs(5);
/// Cancelling a consumer, closing a channel, closing a connection.
pub const CLOSE: Duration = Duration::from_secs(5);

/// Runs one call of the client under a deadline; `doing` and `what` go into the error.
pub(crate) async fn within<T>(
    limit: Duration,
    doing: &'static str,
    what: &str,
    call: impl Future<Output = lapin::Result<T>>,
) -> Result<T, BusError> {
    match tokio::time::timeout(limit, call).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(source)) => Err(BusError::Broker {
            doing,
            what: what.to_owned(),
            source: Box::new(source),
        }),
        Err(_) => Err(BusError::Deadline {
            doing,
            what: what.to_owned(),
            within: limit,
        }),
    }
}
