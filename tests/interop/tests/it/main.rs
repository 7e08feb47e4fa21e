//! Our connectors against programs that others wrote. Runs with `make interop`; without it, and where a package cannot be
//! installed, each test says in one line that it was skipped.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on should stop with its line, and one that is skipped must say so"
)]

mod oidc;
mod scim;
mod way;

use std::path::PathBuf;
use std::time::Duration;

use sever_domain::ConnectionId;
use sever_interop::Unavailable;
use sever_provider::ConnectionSettings;
use sever_provider::http::SharedConnection;

/// The peer, or nothing with a line that says why.
async fn peer<P>(name: &str, start: impl Future<Output = Result<P, Unavailable>>) -> Option<P> {
    if option_env!("SEVER_INTEROP").is_none() {
        println!("interop: {name} skipped: run `make interop`");
        return None;
    }
    match start.await {
        Ok(peer) => {
            println!("interop: {name} is running");
            Some(peer)
        }
        Err(why) => {
            println!("interop: {name} skipped: {why}");
            None
        }
    }
}

/// Where packages are installed, once for all runs.
fn folder() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn settings(base_url: &str, credential: String) -> ConnectionSettings {
    ConnectionSettings {
        id: ConnectionId::generate(),
        name: "interop".into(),
        base_url: base_url.parse().unwrap(),
        credential: credential.into(),
        access_token_lifetime_max: Duration::from_secs(3600),
        access_token_lifetime_by_issuer: [].into(),
        clock_skew: Duration::from_secs(2),
        call_deadline: Duration::from_secs(20),
        in_flight_max: 8,
        shared: SharedConnection::default(),
    }
}

/// An HTTP client of the test's own, which knows nothing of the connectors.
fn http() -> reqwest::Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}
