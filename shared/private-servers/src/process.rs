//! A child process that cannot outlive this program.
//!
//! The kernel sends the parent-death signal when the *thread* that started the child ends. Therefore every child gets
//! a thread of its own, which starts it and then waits for it; a runtime or a test that ends takes nothing with it.

use std::{
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tokio::sync::{oneshot, watch};

use crate::{
    error::ServerError,
    process_table::{Identity, descendants},
};

/// How long the remains of a killed process may take to disappear.
const KILL_DEADLINE: Duration = Duration::from_secs(10);
/// How long a dropped process may take to end by its own quit signal.
const QUIT_DEADLINE: Duration = Duration::from_secs(3);
const POLL: Duration = Duration::from_millis(10);

/// A running (or ended) child; dropping it ends it and everything below it, blocking for at most a few seconds.
#[derive(Debug)]
pub struct OwnedProcess {
    identity: Identity,
    quit_signal: &'static str,
    ended: watch::Receiver<Option<String>>,
}

impl OwnedProcess {
    /// Starts `program` after `as_user`, tied to us: the kernel sends it `quit_signal` when this program ends, and a
    /// drop sends the same, with SIGKILL to follow. `quit_signal` is a name such as `KILL`. `as_user` are words that go
    /// before the program and may change its identity; none for our own. `set_up` completes the command. The child is
    /// in a process group of its own and reads nothing from standard input.
    ///
    /// # Errors
    /// [`ServerError::Io`] if it cannot be started.
    pub async fn start(
        as_user: &[String],
        program: &Path,
        quit_signal: &'static str,
        set_up: impl FnOnce(&mut Command),
    ) -> Result<Self, ServerError> {
        let mut command = tied(as_user, quit_signal, program);
        set_up(&mut command);
        let (started, start) = oneshot::channel();
        let (end, ended) = watch::channel(None);
        thread::Builder::new()
            .name("private-server".into())
            .spawn(move || {
                let mut child = match command.spawn() {
                    Ok(child) => child,
                    Err(error) => return drop(started.send(Err(error))),
                };
                let _ = started.send(Ok(child.id()));
                let outcome = match child.wait() {
                    Ok(status) => status.to_string(),
                    Err(error) => error.to_string(),
                };
                end.send_replace(Some(outcome));
            })
            .map_err(ServerError::io("starting a thread for", program))?;
        let started = start
            .await
            .unwrap_or_else(|_| Err(std::io::Error::other("the starting thread ended")));
        let pid = started.map_err(ServerError::io("starting", program))?;
        // A child that has ended already has no entry; its end is reported by `outcome`.
        let identity = Identity::of(pid).unwrap_or(Identity { pid, started: 0 });
        Ok(Self {
            identity,
            quit_signal,
            ended,
        })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.identity.pid
    }

    /// The line under which this process is recorded in its directory.
    pub(crate) fn record(&self) -> String {
        format!("{} {}\n", self.identity.pid, self.identity.started)
    }

    /// How the process ended; `None` while it runs.
    pub fn outcome(&self) -> Option<String> {
        self.ended.borrow().clone()
    }

    /// Waits for its end, which the value then describes. Holds no part of the process, and is cancel-safe.
    pub fn ended(&self) -> impl Future<Output = String> + Send + use<> {
        let mut ended = self.ended.clone();
        async move {
            match ended.wait_for(Option::is_some).await {
                Ok(outcome) => outcome.clone().unwrap_or_default(),
                Err(_) => "it was not waited for".to_owned(),
            }
        }
    }

    /// Asks for an end with `signal` (a name such as `TERM`) and kills what is left after `deadline`. Returns when
    /// nothing is left, with whether the signal was enough.
    pub async fn stop(self, signal: &str, deadline: Duration) -> bool {
        let below = descendants(self.pid());
        self.signal(signal);
        let in_time = tokio::time::timeout(deadline, self.ended()).await.is_ok();
        self.end(&below);
        let start = Instant::now();
        while !self.is_gone(&below) && start.elapsed() < KILL_DEADLINE {
            tokio::time::sleep(POLL).await;
        }
        in_time
    }

    /// SIGKILL to the process and everything below it. Returns when nothing is left.
    pub(crate) async fn kill(self) {
        self.stop("KILL", KILL_DEADLINE).await;
    }

    fn signal(&self, name: &str) {
        // After the end its id may be somebody else's.
        if self.outcome().is_none() {
            signal(self.identity.pid, name);
        }
    }

    fn end(&self, below: &[Identity]) {
        self.signal("KILL");
        for process in below {
            kill_if_alive(*process);
        }
    }

    fn is_gone(&self, below: &[Identity]) -> bool {
        self.outcome().is_some() && !below.iter().any(|process| process.is_alive())
    }
}

impl Drop for OwnedProcess {
    fn drop(&mut self) {
        if self.outcome().is_some() {
            return; // stopped, and its remains were waited for
        }
        let below = descendants(self.pid());
        self.signal(self.quit_signal);
        if !block_until(QUIT_DEADLINE, || self.is_gone(&below)) {
            self.end(&below);
            block_until(KILL_DEADLINE, || self.is_gone(&below));
        }
    }
}

/// Waits for the condition, blocking this thread; false if the deadline came first.
#[expect(
    clippy::disallowed_methods,
    reason = "a drop cannot await, and must not return while its server still runs"
)]
fn block_until(deadline: Duration, condition: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    while !condition() {
        if start.elapsed() >= deadline {
            return false;
        }
        thread::sleep(POLL);
    }
    true
}

/// A command that the kernel ends with `signal` when this program ends: `setpriv` asks for it, then becomes `program`.
/// `as_user` goes first and may change the identity. It is in a process group of its own, so a Ctrl-C that is meant
/// for us does not stop it behind our back.
fn tied(as_user: &[String], signal: &str, program: &Path) -> Command {
    let mut words =
        as_user
            .iter()
            .map(String::as_str)
            .chain(["setpriv", "--pdeathsig", signal, "--"]);
    let mut command = Command::new(words.next().unwrap_or("setpriv"));
    command
        .args(words)
        .arg(program)
        .stdin(Stdio::null())
        .process_group(0);
    command
}

/// Kills the processes that an earlier program left, by the lines of their record. A recycled id is not touched.
pub(crate) fn kill_recorded(record: &str) {
    let recorded = record.lines().filter_map(|line| {
        let (pid, started) = line.split_once(' ')?;
        Some(Identity {
            pid: pid.parse().ok()?,
            started: started.parse().ok()?,
        })
    });
    for process in recorded.filter(|process| process.is_alive()) {
        let below = descendants(process.pid);
        tracing::warn!(
            pid = process.pid,
            "killing a private server that an earlier program left behind"
        );
        kill_if_alive(process);
        below.into_iter().for_each(kill_if_alive);
        block_until(KILL_DEADLINE, || !process.is_alive());
    }
}

fn kill_if_alive(process: Identity) {
    if process.is_alive() {
        signal(process.pid, "KILL");
    }
}

/// Sends a signal through the shell, which needs neither `unsafe` nor a package. A process that is gone is no error.
fn signal(pid: u32, name: &str) {
    let sent = Command::new("sh")
        .args([
            "-c",
            "kill -s \"$1\" \"$2\" 2>/dev/null",
            "sh",
            name,
            &pid.to_string(),
        ])
        .stdin(Stdio::null())
        .status();
    if let Err(error) = sent {
        tracing::warn!(pid, %error, "could not run sh to signal a private server");
    }
}
