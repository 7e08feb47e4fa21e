//! PostgreSQL: data, identity, stop, kill and restart.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
};

use sever_private_servers::{Durability, PostgresOptions, PrivatePostgres, ServerError};

const RELAXED: PostgresOptions = PostgresOptions {
    durability: Durability::Relaxed,
};

/// What a statement prints.
fn sql(url: &str, statement: &str) -> String {
    let output = Command::new("psql")
        .args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement, url])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{statement}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn is_alive(pid: u32) -> bool {
    Path::new("/proc").join(pid.to_string()).exists()
}

#[tokio::test]
async fn data_survives_stop_kill_and_a_new_start_on_the_same_directory() {
    let dir = tempfile::tempdir().unwrap();
    let server = PrivatePostgres::start_with(dir.path(), RELAXED)
        .await
        .unwrap();
    let url = server.url("postgres");
    sql(&url, "CREATE TABLE kept (n int)");

    sql(&url, "INSERT INTO kept VALUES (1)");
    server.restart().await.unwrap();
    sql(&url, "INSERT INTO kept VALUES (2)");
    let killed = server.pid().unwrap();
    server.kill().await;
    assert_eq!(server.pid(), None);
    assert!(!is_alive(killed));
    server.restart().await.unwrap();
    sql(&url, "INSERT INTO kept VALUES (3)");
    drop(server);

    let server = PrivatePostgres::start_with(dir.path(), RELAXED)
        .await
        .unwrap();
    assert_eq!(
        sql(
            &server.url("postgres"),
            "SELECT string_agg(n::text, ',' ORDER BY n) FROM kept"
        ),
        "1,2,3"
    );
    server.stop().await;
    server.stop().await;
}

#[tokio::test]
async fn the_server_listens_on_loopback_only_and_keeps_the_asked_durability() {
    let (relaxed, full) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let relaxed = PrivatePostgres::start_with(relaxed.path(), RELAXED)
        .await
        .unwrap();
    let full = PrivatePostgres::start(full.path()).await.unwrap();
    for (server, fsync) in [(&relaxed, "off"), (&full, "on")] {
        let url = server.url("postgres");
        assert_eq!(sql(&url, "SHOW fsync"), fsync);
        assert_eq!(sql(&url, "SHOW synchronous_commit"), "on");
        assert_eq!(sql(&url, "SHOW listen_addresses"), "127.0.0.1");
        assert!(server.port() < 32_768);
    }
    assert_ne!(relaxed.port(), full.port());
}

/// Root's home is such a place: the user `postgres` cannot enter it.
#[tokio::test]
async fn a_directory_below_a_closed_one_works_and_its_data_is_found_again() {
    let closed = tempfile::tempdir().unwrap();
    fs::set_permissions(closed.path(), Permissions::from_mode(0o700)).unwrap();
    let dir = closed.path().join("inner");
    let server = PrivatePostgres::start_with(&dir, RELAXED).await.unwrap();
    sql(&server.url("postgres"), "CREATE TABLE kept (n int)");
    server.kill().await;
    drop(server);
    let server = PrivatePostgres::start_with(&dir, RELAXED).await.unwrap();
    assert_eq!(
        sql(&server.url("postgres"), "SELECT count(*) FROM kept"),
        "0"
    );
}

#[tokio::test]
async fn a_second_server_on_a_directory_in_use_is_refused_and_the_first_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let server = PrivatePostgres::start_with(dir.path(), RELAXED)
        .await
        .unwrap();
    let second = PrivatePostgres::start_with(dir.path(), RELAXED).await;
    assert!(
        matches!(second, Err(ServerError::InUse { .. })),
        "{second:?}"
    );
    assert_eq!(sql(&server.url("postgres"), "SELECT 1"), "1");
}

#[tokio::test]
async fn a_remembered_port_that_is_taken_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let server = PrivatePostgres::start_with(dir.path(), RELAXED)
        .await
        .unwrap();
    let port = server.port();
    drop(server);
    let _taken = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let server = PrivatePostgres::start_with(dir.path(), RELAXED)
        .await
        .unwrap();
    assert_ne!(server.port(), port);
}
