//! The program itself: how it starts, refuses to start, and stops.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sever_testkit::Database;

use crate::broker::{PATIENCE, eventually, exclusive};

/// The program with nothing in its environment but what it is given.
fn program(environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sever-intake"));
    command.env_clear().envs(environment.iter().copied());
    command
        .env("SEVER_HTTP_LISTEN", "127.0.0.1:0")
        .env("SEVER_OPS_LISTEN", "127.0.0.1:0");
    command
}

fn fails(environment: &[(&str, &str)]) -> String {
    let output = program(environment).output().unwrap();
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_missing_or_wrong_variable_ends_it_by_name() {
    let said = fails(&[
        ("SEVER_DATABASE_URL", "mysql://h/x"),
        ("SEVER_HTTP_BODY_MAX_BYTES", "-1"),
    ]);
    for name in [
        "SEVER_DATABASE_URL",
        "SEVER_AMQP_URL",
        "SEVER_HTTP_BODY_MAX_BYTES",
    ] {
        assert!(said.contains(name), "{name}: {said}");
    }
}

#[tokio::test]
async fn a_schema_of_another_version_ends_it() {
    let database = Database::fresh().await.unwrap();
    database
        .sql("DELETE FROM refinery_schema_history WHERE version > 1")
        .await
        .unwrap();
    let said = fails(&[
        ("SEVER_DATABASE_URL", database.app_url()),
        ("SEVER_AMQP_URL", "amqp://guest:guest@127.0.0.1:1/%2f"),
    ]);
    assert!(said.contains("sever migrate"), "{said}");
}

#[tokio::test]
async fn it_gets_ready_and_a_sigterm_ends_it_in_order() {
    let broker = exclusive().await;
    let database = Database::fresh().await.unwrap();
    let url = broker.url();
    let mut running = program(&[
        ("SEVER_DATABASE_URL", database.app_url()),
        ("SEVER_AMQP_URL", &url),
    ])
    .stdout(Stdio::piped())
    .spawn()
    .unwrap();
    let ops = ops_address(&mut running);
    eventually("it is ready", async || {
        get(&ops, "/readyz").await.contains("200 OK")
    })
    .await;
    assert!(get(&ops, "/metrics").await.contains("sever_outbox_rows"));
    let stopped = Command::new("kill")
        .args(["-TERM", &running.id().to_string()])
        .status()
        .unwrap();
    assert!(stopped.success());
    let ended = tokio::task::spawn_blocking(move || running.wait());
    let status = tokio::time::timeout(PATIENCE, ended)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(status.success(), "{status}");
}

/// The address in the line in which the service says that it serves.
fn ops_address(running: &mut Child) -> String {
    let mut lines = BufReader::new(running.stdout.take().unwrap()).lines();
    let line = lines
        .by_ref()
        .map(Result::unwrap)
        .find(|line| line.contains("intake serves"))
        .unwrap();
    let address = serde_json::from_str::<serde_json::Value>(&line).unwrap()["ops"]
        .as_str()
        .unwrap()
        .to_owned();
    // Somebody must go on reading, or the service blocks on a full pipe.
    std::thread::spawn(move || lines.for_each(drop));
    address
}

async fn get(address: &str, path: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let exchange = async {
        let mut stream = tokio::net::TcpStream::connect(address).await?;
        let request = format!("GET {path} HTTP/1.1\r\nhost: ops\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        std::io::Result::Ok(answer)
    };
    tokio::time::timeout(Duration::from_secs(10), exchange)
        .await
        .unwrap()
        .unwrap_or_default()
}
