//! What a service shows of itself: log lines, metrics, health, and an orderly stop.
//!
//! - [`init_logs`]: one JSON object per line on standard output, every string masked where it looks like an e-mail or a credential.
//! - [`Metrics`] and [`catalogue`]: one recorder per process, and the one list of every metric of the product.
//! - [`Health`]: named readiness checks; not ready first of all when the service drains.
//! - [`ops_router`], [`serve_ops`]: `/healthz`, `/readyz`, `/metrics`.
//! - [`Shutdown`]: one listener for signals, a soft token, a grace, a hard token.
//!
//! ```no_run
//! use std::time::Duration;
//! use sever_telemetry::{Health, Metrics, Shutdown, init_logs, serve_ops};
//! use tokio_util::sync::CancellationToken;
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! init_logs("sever-intake", "info")?;
//! let health = Health::new();
//! let shutdown = Shutdown::install(Duration::from_secs(25), health.clone())?;
//! let database = health.register("postgres");
//! // The ops listener outlives the drain, so that /readyz can say "draining": it gets a token of its own.
//! let ops_end = CancellationToken::new();
//! let (address, ops) = serve_ops("127.0.0.1:0".parse()?, health.clone(), Metrics::install(), ops_end.clone()).await?;
//! tracing::info!(%address, "serving health and metrics");
//! database.set_ready();
//! shutdown.soft().cancelled().await;
//! // … finish or give back what is held, until shutdown.hard() …
//! shutdown.drained().await;
//! ops_end.cancel();
//! ops.await?;
//! # Ok(())
//! # }
//! ```
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        reason = "a test that cannot go on should stop where it stands"
    )
)]

pub mod catalogue;
mod chain;
mod health;
mod json_lines;
mod logs;
mod metrics_recorder;
mod ops;
mod redact;
mod shutdown;

pub use chain::chain;
pub use health::{CheckHandle, CheckState, Health, Readiness};
pub use logs::{LogsError, init_logs};
pub use metrics_recorder::Metrics;
pub use ops::{OpsError, ops_router, serve_ops};
pub use redact::redact;
pub use shutdown::{Shutdown, Trigger};
