//! AMQPS, through a TLS front that Debian's RabbitMQ package brings along (`socat`).

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use sever_bus::{Bus, BusConfig, PublishOutcome, Topology};
use tokio_util::sync::CancellationToken;

use crate::{
    broker::{bus, eventually, shared, within},
    script::bell,
};

/// The URL for [`program_over_tls`]; unset in an ordinary test run.
const URL: &str = "SEVER_TEST_AMQPS_URL";

/// Not a test by itself: the program that the test below starts from this same binary, with a certificate to trust.
#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "the test harness leaves no other way to pass a URL to a test"
)]
async fn program_over_tls() {
    let Ok(url) = std::env::var(URL) else { return };
    let bus = bus(url, "tls").await;
    let outcomes = bus
        .publisher()
        .publish_all(vec![bell("tls", "1")])
        .await
        .unwrap();
    assert_eq!(outcomes, [PublishOutcome::Confirmed]);
}

#[tokio::test]
async fn amqps_works_with_a_trusted_certificate_and_only_with_one() {
    let broker = shared().await;
    let dir = tempfile::tempdir().unwrap();
    make_certificate(dir.path());
    let front = TlsFront::start(dir.path(), broker.port()).await;
    let url = format!("amqps://guest:guest@localhost:{}/%2f", front.port);

    let trusting = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tls::program_over_tls"])
        .env(URL, &url)
        .env("SSL_CERT_FILE", dir.path().join("cert.pem"))
        .output()
        .unwrap();
    assert!(
        trusting.status.success(),
        "{}",
        String::from_utf8_lossy(&trusting.stdout)
    );

    let config = BusConfig::new(url.into(), "test.untrusting", Topology::default());
    let untrusting = Bus::start(config, &CancellationToken::new()).unwrap();
    let up = tokio::time::timeout(Duration::from_secs(3), untrusting.up()).await;
    assert!(
        up.is_err(),
        "a certificate that nobody vouches for was accepted"
    );
}

fn make_certificate(dir: &Path) {
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
        ])
        .args([
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
        ])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(dir.join("key.pem"))
        .arg("-out")
        .arg(dir.join("cert.pem"))
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
}

/// Ends TLS and passes on to the broker's plain port.
struct TlsFront {
    port: u16,
    process: Child,
}

impl TlsFront {
    async fn start(dir: &Path, target: u16) -> Self {
        // Free a moment ago, below the range from which other sockets take theirs.
        let port = (23_000..32_000)
            .find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok())
            .unwrap();
        let file = |name: &str| dir.join(name).display().to_string();
        let listen = format!(
            "OPENSSL-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork,verify=0,cert={},key={}",
            file("cert.pem"),
            file("key.pem")
        );
        // Tied to this program, so that a killed test run leaves nothing behind.
        let process = Command::new("setpriv")
            .args([
                "--pdeathsig",
                "KILL",
                "--",
                "socat",
                &listen,
                &format!("TCP:127.0.0.1:{target}"),
            ])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let front = Self { port, process };
        within(eventually(async || {
            tokio::net::TcpStream::connect(("127.0.0.1", port))
                .await
                .is_ok()
        }))
        .await;
        front
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
