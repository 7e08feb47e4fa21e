//! What `rabbitmqctl` does for a private server. Each call starts an Erlang machine: one to three seconds.

use std::{process::Command, time::Duration};

use super::{PrivateRabbit, node::MEMORY_WATERMARK};
use crate::{error::ServerError, install::rabbit_program, tool};

const DEADLINE: Duration = Duration::from_secs(60);

/// One queue and the messages in it, delivered but unacknowledged ones included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueDepth {
    /// The queue's name.
    pub name: String,
    /// Ready and unacknowledged messages.
    pub messages: u64,
}

impl PrivateRabbit {
    /// Adds a user with permissions on the virtual host `/`, each a regular expression over names of queues and
    /// exchanges. An existing user gets the new password and permissions.
    ///
    /// # Errors
    /// [`ServerError::Tool`] if the server does not run or refuses.
    pub async fn add_user(
        &self,
        name: &str,
        password: &str,
        configure: &str,
        write: &str,
        read: &str,
    ) -> Result<(), ServerError> {
        // The password goes by standard input in neither tool version; this server is private and on loopback.
        if self.control(&["add_user", name, password]).await.is_err() {
            self.control(&["change_password", name, password]).await?;
        }
        self.control(&["set_permissions", "-p", "/", name, configure, write, read])
            .await
            .map(drop)
    }

    /// Raises (or ends) a memory alarm, as a broker short of memory does: publishing connections are blocked.
    ///
    /// # Errors
    /// [`ServerError::Tool`] if the server does not run.
    pub async fn set_alarm(&self, on: bool) -> Result<(), ServerError> {
        let watermark = if on { "1MB" } else { MEMORY_WATERMARK };
        self.control(&["set_vm_memory_high_watermark", "absolute", watermark])
            .await
            .map(drop)
    }

    /// All queues of the virtual host `/`, by name.
    ///
    /// # Errors
    /// [`ServerError::Tool`] if the server does not run.
    pub async fn list_queues(&self) -> Result<Vec<QueueDepth>, ServerError> {
        let table = self
            .control(&[
                "list_queues",
                "--silent",
                "--no-table-headers",
                "name",
                "messages",
            ])
            .await?;
        let mut queues: Vec<QueueDepth> = table.lines().filter_map(parse_queue).collect();
        queues.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(queues)
    }

    /// Closes all client connections of the server, as an operator would; clients may connect again at once.
    ///
    /// # Errors
    /// [`ServerError::Tool`] if the server does not run.
    pub async fn close_connections(&self) -> Result<(), ServerError> {
        self.control(&["close_all_connections", "closed by a test"])
            .await
            .map(drop)
    }

    /// Runs `rabbitmqctl` with these words against this server and returns what it printed.
    ///
    /// # Errors
    /// [`ServerError::Tool`] with the last lines of its output; [`ServerError::NotInstalled`].
    pub async fn control(&self, words: &[&str]) -> Result<String, ServerError> {
        let mut command = Command::new(rabbit_program("rabbitmqctl")?);
        command
            .env_clear()
            .envs(self.node.environment())
            .current_dir(self.node.directory.path());
        command
            .args(["--node", &self.node.full_name(), "--quiet"])
            .args(words);
        let what = format!("rabbitmqctl {}", words.first().copied().unwrap_or_default());
        tool::run(command, &what, DEADLINE).await
    }
}

fn parse_queue(line: &str) -> Option<QueueDepth> {
    let (name, messages) = line.rsplit_once('\t')?;
    Some(QueueDepth {
        name: name.to_owned(),
        messages: messages.trim().parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_queue_table_is_read_and_a_header_is_not() {
        let queue = QueueDepth {
            name: "sever.work.okta.v1".into(),
            messages: 12,
        };
        assert_eq!(parse_queue("sever.work.okta.v1\t12"), Some(queue));
        assert_eq!(parse_queue("name\tmessages"), None);
    }
}
