//! What the HTTP services share: bearer authentication with scopes, RFC 9457 problems, bounded JSON
//! bodies, idempotency keys, and the frame that puts them around a service's routes.
//!
//! ```no_run
//! # use sever_api::{Authenticated, Authenticator, HttpLimits, Problem, Scope, secured, serve};
//! # use axum::{Router, routing::get};
//! # async fn run(store: sever_store::Store, listener: tokio::net::TcpListener) -> std::io::Result<()> {
//! # let (soft, hard) = (tokio_util::sync::CancellationToken::new(), tokio_util::sync::CancellationToken::new());
//! async fn list_holds(who: Authenticated) -> Result<&'static str, Problem> {
//!     who.require(Scope::HoldsRead)?;
//!     Ok("[]")
//! }
//! let routes = Router::new().route("/v1/holds", get(list_holds));
//! let router = secured(routes, Authenticator::new(store), HttpLimits::default());
//! serve(listener, router, soft, hard).await
//! # }
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used))] // a failed unwrap is a failed test

mod authenticate;
mod body;
mod frame;
mod hex;
mod idempotency_key;
mod problem;
mod reconcile_body;
mod scope;
mod serve;
mod span;

pub use authenticate::{Authenticated, Authenticator, TokenSource};
pub use body::{JsonBody, RawBody, parse_json};
pub use frame::{HttpLimits, secured};
pub use idempotency_key::IdempotencyKey;
pub use problem::{Problem, ProblemBody, ProblemKind};
pub use scope::{Scope, UnknownScope};
pub use serve::serve;

pub mod capability_view;
pub mod connection_view;
pub mod dead_letter_view;
pub mod drift_view;
pub mod exception_view;
pub mod hold_view;
pub mod integration_view;
pub mod job_view;
pub mod operator_view;
pub mod opt_out_view;
pub mod person_view;
pub mod plan_view;
pub mod replay_view;
pub mod subject_view;
pub mod task_view;
