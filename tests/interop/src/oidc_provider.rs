//! `oidc-provider` (Node package): an OpenID provider.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout};
use tokio::time::timeout;

use crate::process::{Unavailable, install, start};

const PACKAGE: &str = "oidc-provider@9.13.3";
/// The program that makes a provider with the package.
const PROGRAM: &str = include_str!("../peers/oidc.mjs");
const START_MAX: Duration = Duration::from_secs(120);

/// A running provider; stopped when dropped.
#[derive(Debug)]
pub struct OidcProvider {
    _child: Child,
    /// Its issuer, which is the base URL.
    pub issuer: String,
    /// Refresh tokens of two people at the client `web`, whose secret is `secret of the web`.
    pub ada: String,
    /// The other's.
    pub bob: String,
    /// The private key, in PEM form, of the client `signer`; its id is `k1`.
    pub key: String,
}

impl OidcProvider {
    /// Installs the package into `folder`, where it is not there yet, and starts a provider.
    ///
    /// # Errors
    /// [`Unavailable`], saying why.
    pub async fn start(folder: &Path) -> Result<Self, Unavailable> {
        let home = folder.join("oidc-provider");
        let place = home.to_string_lossy();
        let arguments = [
            "install",
            "--no-audit",
            "--no-fund",
            "--prefix",
            &place,
            PACKAGE,
        ];
        install(&home, PACKAGE, &[("npm", &arguments)]).await?;
        std::fs::write(home.join("oidc.mjs"), PROGRAM)
            .map_err(|error| Unavailable(format!("{}: {error}", home.display())))?;
        let mut child = start("node", &["oidc.mjs"], &home)?;
        let stdout = child.stdout.take().expect("it was asked for a pipe");
        let line = timeout(START_MAX, announcement(stdout)).await;
        let line = line
            .ok()
            .flatten()
            .ok_or_else(|| Unavailable(format!("{PACKAGE} did not come up on this Node")))?;
        let told: Value = serde_json::from_str(&line)
            .map_err(|error| Unavailable(format!("{PACKAGE} said something else: {error}")))?;
        let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
        Ok(Self {
            _child: child,
            issuer: text("issuer"),
            ada: text("ada"),
            bob: text("bob"),
            key: text("key"),
        })
    }
}

/// The line of JSON; `None` where the program ends without one.
async fn announcement(stdout: ChildStdout) -> Option<String> {
    let mut lines = BufReader::new(stdout).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if line.starts_with('{') {
            return Some(line);
        }
    }
    None
}
