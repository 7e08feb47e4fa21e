//! Running a short program to its end, with a deadline.

use std::{process::Stdio, time::Duration};

use crate::{directory::last_lines, error::ServerError};

/// Runs the command and returns what it printed. `what` names it in errors; its output must hold no secret.
pub(crate) async fn run(
    command: std::process::Command,
    what: &str,
    within: Duration,
) -> Result<String, ServerError> {
    let mut command = tokio::process::Command::from(command);
    command.stdin(Stdio::null()).kill_on_drop(true);
    let failed = |outcome: String, output: String| ServerError::Tool {
        what: what.to_owned(),
        outcome,
        output,
    };
    let output = match tokio::time::timeout(within, command.output()).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => return Err(failed(error.to_string(), String::new())),
        Err(_) => {
            return Err(failed(
                format!("no answer within {} s", within.as_secs()),
                String::new(),
            ));
        }
    };
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(stdout);
    }
    let printed = format!("{stdout}\n{}", String::from_utf8_lossy(&output.stderr));
    Err(failed(output.status.to_string(), last_lines(&printed, 8)))
}
