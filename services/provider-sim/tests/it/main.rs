//! Drives the real binary over real TCP, with a client that knows nothing but HTTP.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop with its line"
)]

mod access;
mod auth;
mod directory;
mod faults;
mod http;
mod journal;
mod lags;
mod lifecycle;
mod limits;
mod paging;
mod process;
mod sim;
mod system_log;
mod tokens;
