//! RabbitMQ: users, alarm, stop, kill, restart and wipe.

use std::{net::TcpStream, path::Path};

use sever_private_servers::PrivateRabbit;

/// Long-lived marks of the broker's data: a user survives what keeps the data, and not a wipe.
async fn has_user(server: &PrivateRabbit, name: &str) -> bool {
    server
        .control(&["list_users"])
        .await
        .unwrap()
        .contains(name)
}

#[tokio::test]
async fn data_survives_restart_and_kill_but_not_a_wipe_and_the_port_stays() {
    let dir = tempfile::tempdir().unwrap();
    let server = PrivateRabbit::start(dir.path()).await.unwrap();
    let (url, first) = (server.url(), server.pid().unwrap());
    server
        .add_user("hr", "secret", "^$", "^sever\\.in$", "^$")
        .await
        .unwrap();
    assert_eq!(server.list_queues().await.unwrap(), []);

    server.kill().await;
    assert_eq!(server.pid(), None);
    assert!(!Path::new("/proc").join(first.to_string()).exists());
    assert!(TcpStream::connect(("127.0.0.1", server.port())).is_err());

    server.restart().await.unwrap();
    assert!(has_user(&server, "hr").await);
    server.wipe().await.unwrap();
    assert!(!has_user(&server, "hr").await);
    assert_eq!(server.url(), url);
}

#[tokio::test]
async fn the_alarm_can_be_raised_and_ended() {
    let dir = tempfile::tempdir().unwrap();
    let server = PrivateRabbit::start(dir.path()).await.unwrap();
    let alarms = || server.control(&["eval", "length(rabbit_alarm:get_alarms())."]);
    assert_eq!(alarms().await.unwrap().trim(), "0");
    server.set_alarm(true).await.unwrap();
    assert_eq!(alarms().await.unwrap().trim(), "1");
    server.set_alarm(false).await.unwrap();
    assert_eq!(alarms().await.unwrap().trim(), "0");
}
