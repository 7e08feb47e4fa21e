//! What every provider's worker shares: the [`Connector`] contract, the classes of answers, and the
//! policy under which a provider is called.

#![cfg_attr(test, allow(clippy::unwrap_used))] // a failed unwrap is a failed test

mod call;
mod connector;
pub mod http;

pub use call::{Answer, AnswerKind, CallError, Sent};
pub use connector::{
    Account, ConnectionSettings, Connector, ConnectorFactory, Effect, FoundAccount,
    UnusableConnection,
};
