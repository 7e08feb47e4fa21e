//! The endpoints of the standards.

pub mod client_authentication;
pub mod discovery;
pub mod global;
pub mod introspection;
pub mod registration;
pub mod revocation;
pub mod token;

pub use global::subject_of;
