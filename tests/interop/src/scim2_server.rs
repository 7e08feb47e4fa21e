//! `scim2-server` (Python package): a SCIM 2.0 application.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::process::Child;
use tokio::time::{sleep, timeout};

use crate::process::{Unavailable, install, start};

const PACKAGE: &str = "scim2-server==0.8.3";
const START_MAX: Duration = Duration::from_secs(60);

/// A running server; stopped when dropped.
#[derive(Debug)]
pub struct Scim2Server {
    _child: Child,
    /// Its address, which is the base URL.
    pub base_url: String,
}

impl Scim2Server {
    /// Installs the package into `folder`, where it is not there yet, and starts it with `token` accepted.
    ///
    /// # Errors
    /// [`Unavailable`], saying why.
    pub async fn start(folder: &Path, token: &str) -> Result<Self, Unavailable> {
        let home = folder.join("scim2-server");
        let program = home.join("bin/scim2-server");
        let (place, pip) = (home.to_string_lossy(), home.join("bin/pip"));
        let pip = pip.to_string_lossy();
        let commands: [(&str, &[&str]); 2] = [
            ("python3", &["-m", "venv", &place]),
            (&pip, &["install", "--quiet", PACKAGE]),
        ];
        install(&home, PACKAGE, &commands).await?;
        let port = free_port()?.to_string();
        let arguments = ["--port", port.as_str(), "--bearer-token", token];
        let child = start(program, &arguments, folder)?;
        let address = format!("127.0.0.1:{port}");
        let up = async {
            while TcpStream::connect(&address).await.is_err() {
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(START_MAX, up)
            .await
            .map_err(|_| Unavailable(format!("{PACKAGE} did not listen within {START_MAX:?}")))?;
        Ok(Self {
            _child: child,
            base_url: format!("http://{address}/v2"),
        })
    }
}

/// A port that is free now; the program takes a number only.
fn free_port() -> Result<u16, Unavailable> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let address = listener.and_then(|listener| listener.local_addr());
    address
        .map(|address| address.port())
        .map_err(|error| Unavailable(format!("no port is free: {error}")))
}
