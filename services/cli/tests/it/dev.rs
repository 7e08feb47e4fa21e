//! `sever dev` leaves no process behind, however it ends.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A broker boots in about ten seconds on an idle machine.
const UP_MAX: Duration = Duration::from_secs(150);
const DOWN_MAX: Duration = Duration::from_secs(60);
/// After a SIGKILL nobody drains.
const KILLED_MAX: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(50);

#[test]
fn sigkill_leaves_no_process_and_the_next_start_stops_in_order() {
    let place = tempfile::tempdir().unwrap();

    let mut killed = Dev::start(place.path(), &[]);
    killed.wait_until_up();
    let processes = killed.processes();
    // PostgreSQL's and Erlang's own children come on top.
    assert!(processes.len() > 10, "{processes:?}");
    killed.child.kill().unwrap();
    killed.child.wait().unwrap();
    wait_until_gone(&processes, KILLED_MAX);

    let mut stopped = Dev::start(place.path(), &[]);
    let printed = stopped.wait_until_up();
    for word in [
        "SEVER_TOKEN_FILE=",
        "console ",
        "intake ",
        "simulator ",
        "worker-vanta ",
        "/entra/main",
        "PostgreSQL on",
        "RabbitMQ on",
    ] {
        assert!(printed.contains(word), "{word} is not in\n{printed}");
    }
    let listed = stopped.ask_the_console(&printed);
    for connection in [
        "okta-main",
        "entra-main",
        "scim-wiki",
        "keycloak-main",
        "vanta-main",
    ] {
        assert!(listed.contains(connection), "{listed}");
    }
    let processes = stopped.processes();
    signal(stopped.child.id(), "TERM");
    assert!(stopped.wait().success(), "{}", stopped.said());
    wait_until_gone(&processes, Duration::ZERO);
}

#[test]
fn the_end_of_one_service_is_named_and_ends_the_others() {
    let place = tempfile::tempdir().unwrap();
    let mut dev = Dev::start(place.path(), &[]);
    dev.wait_until_up();
    let processes = dev.processes();
    let console = processes
        .iter()
        .find(|process| process.name.starts_with("sever-console"));
    signal(console.unwrap().pid, "KILL");
    let status = dev.wait();
    assert_eq!(status.code(), Some(1), "{}", dev.said());
    let said = dev.said();
    assert!(
        said.contains("sever-console ended by itself (signal: 9"),
        "{said}"
    );
    assert!(
        said.contains("the console serves"),
        "the last lines of its log are missing:\n{said}"
    );
    wait_until_gone(&processes, Duration::ZERO);
}

#[test]
fn a_start_that_fails_half_way_leaves_no_process() {
    let place = tempfile::tempdir().unwrap();
    // Nobody listens on port 1, so the database fails while the broker boots.
    let mut dev = Dev::start(
        place.path(),
        &[("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none")],
    );
    let status = dev.wait();
    assert_eq!(status.code(), Some(1), "{}", dev.said());
    assert!(dev.said().contains("DATABASE_URL"), "{}", dev.said());
    let left = everything().into_iter().filter(|process| {
        let arguments = fs::read(format!("/proc/{}/cmdline", process.pid)).unwrap_or_default();
        String::from_utf8_lossy(&arguments).contains(&place.path().display().to_string())
    });
    assert_eq!(left.collect::<Vec<_>>(), []);
}

/// A running `sever dev`, killed when dropped.
struct Dev {
    child: Child,
    place: PathBuf,
}

impl Dev {
    fn start(place: &Path, environment: &[(&str, &str)]) -> Self {
        let file = |name: &str| fs::File::create(place.join(name)).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_sever"))
            .args(["dev", "--any-ports", "--people", "5", "--directory"])
            .arg(place.join("fleet"))
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(file("out"))
            .stderr(file("err"))
            .spawn()
            .unwrap();
        Self {
            child,
            place: place.to_owned(),
        }
    }

    /// Waits for the addresses and returns them.
    fn wait_until_up(&mut self) -> String {
        let start = Instant::now();
        loop {
            let out = self.read("out");
            if out.contains("Ctrl-C stops everything.") {
                return out;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none() && start.elapsed() < UP_MAX,
                "it is not up:\n{}",
                self.said()
            );
            pause();
        }
    }

    fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                start.elapsed() < DOWN_MAX,
                "it does not end:\n{}",
                self.said()
            );
            pause();
        }
    }

    /// Everything below the command.
    fn processes(&self) -> Vec<Process> {
        let all = everything();
        let mut parents = vec![self.child.id()];
        let mut found = Vec::new();
        while let Some(parent) = parents.pop() {
            let children = all.iter().filter(|process| process.parent == parent);
            for child in children {
                parents.push(child.pid);
                found.push(child.clone());
            }
        }
        found
    }

    /// What the printed variables are for.
    fn ask_the_console(&self, printed: &str) -> String {
        let exported = printed
            .lines()
            .find_map(|line| line.trim().strip_prefix("export "));
        let variables = exported
            .unwrap()
            .split(' ')
            .filter_map(|pair| pair.split_once('='));
        let output = Command::new(env!("CARGO_BIN_EXE_sever"))
            .args(["connection", "list"])
            .env_clear()
            .envs(variables)
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr)
    }

    fn said(&self) -> String {
        self.read("err")
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.place.join(name)).unwrap()
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A process, told apart from a later one with the same id by its start.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Process {
    pid: u32,
    parent: u32,
    started: String,
    name: String,
}

impl Process {
    /// proc(5): the name stands in parentheses and may hold anything.
    fn of(pid: u32) -> Option<Self> {
        let mut stat = String::new();
        fs::File::open(format!("/proc/{pid}/stat"))
            .ok()?
            .read_to_string(&mut stat)
            .ok()?;
        let (open, close) = (stat.find('(')?, stat.rfind(')')?);
        let fields: Vec<&str> = stat[close + 1..].split_ascii_whitespace().collect();
        (!matches!(fields[0], "Z" | "X")).then(|| Self {
            pid,
            parent: fields[1].parse().unwrap(),
            started: fields[19].to_owned(),
            name: stat[open + 1..close].to_owned(),
        })
    }
}

fn everything() -> Vec<Process> {
    let entries = fs::read_dir("/proc").unwrap();
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter_map(Process::of).collect()
}

fn wait_until_gone(processes: &[Process], limit: Duration) {
    let start = Instant::now();
    loop {
        let alive = |process: &&Process| {
            Process::of(process.pid).is_some_and(|now| now.started == process.started)
        };
        let left: Vec<&Process> = processes.iter().filter(alive).collect();
        if left.is_empty() {
            return;
        }
        assert!(start.elapsed() < limit, "still there: {left:?}");
        pause();
    }
}

fn signal(pid: u32, name: &str) {
    let sent = Command::new("sh")
        .args(["-c", "kill -s \"$1\" \"$2\"", "sh", name, &pid.to_string()])
        .status();
    assert!(sent.unwrap().success());
}

#[expect(
    clippy::disallowed_methods,
    reason = "between two looks at a condition with a deadline, on the test's own thread"
)]
fn pause() {
    std::thread::sleep(POLL);
}
