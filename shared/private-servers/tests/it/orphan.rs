//! A program that is killed with SIGKILL leaves no server behind.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use sever_private_servers::{PrivatePostgres, PrivateRabbit};

/// The directory for [`program_with_servers`]; unset in an ordinary test run.
const DIRECTORY: &str = "SEVER_TEST_SERVERS_DIRECTORY";
const DEADLINE: Duration = Duration::from_secs(120);

/// Not a test by itself: the program that the test below starts from this same binary, and kills.
#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "the test harness leaves no other way to pass a path to a test"
)]
async fn program_with_servers() {
    let Some(dir) = std::env::var_os(DIRECTORY).map(PathBuf::from) else {
        return;
    };
    let postgres = PrivatePostgres::start(&dir.join("postgres")).await.unwrap();
    // As root, this one runs in a user namespace.
    let closed = dir.join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    let mapped = PrivatePostgres::start(&closed.join("postgres"))
        .await
        .unwrap();
    let rabbit = PrivateRabbit::start(&dir.join("rabbit")).await.unwrap();
    let pids = [&postgres.pid(), &mapped.pid(), &rabbit.pid()]
        .map(|pid| pid.unwrap().to_string())
        .join(" ");
    fs::write(dir.join("up.new"), pids).unwrap();
    fs::rename(dir.join("up.new"), dir.join("up")).unwrap();
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn the_servers_of_a_killed_program_die_with_it_and_their_directories_can_be_used_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut program = start_program(dir.path());
    let pids = wait_for(|| fs::read_to_string(dir.path().join("up")).ok());
    let server_processes = || {
        let all = [pids.as_str(), &recorded(&dir.path().join("rabbit"))].join(" ");
        all.split_whitespace()
            .filter(|pid| Path::new("/proc").join(pid).join("exe").exists())
            .count()
    };
    assert!(
        server_processes() >= 4,
        "two of PostgreSQL, RabbitMQ and epmd should run"
    );

    program.kill().unwrap();
    program.wait().unwrap();

    wait_for(|| (server_processes() == 0).then_some(()));
    let postgres = PrivatePostgres::start(&dir.path().join("postgres"))
        .await
        .unwrap();
    assert!(postgres.pid().is_some());
}

fn start_program(dir: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "orphan::program_with_servers"])
        .env(DIRECTORY, dir)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// The process ids in a server's record.
fn recorded(dir: &Path) -> String {
    let record = fs::read_to_string(dir.join("processes")).unwrap_or_default();
    record
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect::<Vec<_>>()
        .join(" ")
}

#[expect(
    clippy::disallowed_methods,
    reason = "it waits for a condition, with a deadline, on the test's own thread"
)]
fn wait_for<T>(mut condition: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(
            start.elapsed() < DEADLINE,
            "the condition did not come true in time"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}
