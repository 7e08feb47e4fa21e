//! Sets up the log of a process, once.

use std::panic::PanicHookInfo;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::json_lines::JsonLines;

/// Why the log could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogsError {
    /// The filter does not parse.
    #[error(
        "reading the log filter of SEVER_LOG; a right value is for example info,sever_bus=debug"
    )]
    Filter(#[source] tracing_subscriber::filter::ParseError),
    /// This process has a log already.
    #[error("setting up the log of {0}: this process has one already")]
    Twice(&'static str),
}

/// Sends the events of this process to standard output as JSON lines, and panics with them.
///
/// `service` stands in every line; `filter` is in the syntax of [`EnvFilter`]. A line whose strings look like an e-mail address or a
/// credential is masked and counted in `sever_log_redactions_total`.
///
/// # Errors
/// [`LogsError::Filter`] for a filter that does not parse, [`LogsError::Twice`] when called again.
pub fn init_logs(service: &'static str, filter: &str) -> Result<(), LogsError> {
    let filter = EnvFilter::builder()
        .parse(filter)
        .map_err(LogsError::Filter)?;
    let subscriber = tracing_subscriber::registry()
        .with(filter)
        .with(JsonLines::new(service, std::io::stdout));
    subscriber
        .try_init()
        .map_err(|_| LogsError::Twice(service))?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// A panic's message can quote anything, so it goes through the masking log and not to standard error.
fn log_panic(info: &PanicHookInfo<'_>) {
    let message = info.payload_as_str().unwrap_or("no message");
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(panic = message, place, "a task panicked");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_filter_is_refused_and_a_second_set_up_too() {
        assert!(matches!(
            init_logs("sever-test", "info,sever_bus=loud"),
            Err(LogsError::Filter(_))
        ));
        // Level off and the hook put back: a failing test of this binary must still say why.
        let hook = std::panic::take_hook();
        init_logs("sever-test", "off").unwrap();
        std::panic::set_hook(hook);
        assert!(matches!(
            init_logs("sever-test", "off"),
            Err(LogsError::Twice("sever-test"))
        ));
    }
}
