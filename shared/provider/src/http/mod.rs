//! The policy under which every connector calls its provider over HTTP.
//!
//! What it guarantees:
//! - a call goes to the connection's own origin and base path and nowhere else ([`BaseUrl`]);
//!   redirects are not followed;
//! - a call ends within its deadline, waiting for a slot and for the rate included;
//! - a body is at most [`BODY_BYTES_MAX`] long;
//! - nothing is sent twice: there is no retry below the job;
//! - what did not work is classified by whether it can have had its effect ([`crate::Sent`]);
//! - the provider's rate headers are obeyed before it must refuse ([`RateBudget`]), and where processes share a
//!   connection each spends only what it leased ([`RateLedger`]).

mod base_url;
mod buckets;
mod budget;
mod call;
mod client;
mod failure;
mod link;
mod metrics;
mod rate_headers;
mod reply;
mod scope;
mod shared;
mod tls;
mod tokens;

pub use base_url::{BaseUrl, PlainHttp, UnusableUrl};
pub use budget::{Decision, RateBudget};
pub use call::Call;
pub use client::{HttpSettings, ProviderHttp, UnusableHttp};
pub use link::next_link;
pub use rate_headers::RateHeaders;
pub use reply::{BODY_BYTES_MAX, Reply};
pub use reqwest::Method;
pub use scope::{JobScope, in_scope};
pub use sever_domain::rate::Priority;
pub use shared::{HeardWindow, Leased, RateLedger, SharedConnection};
