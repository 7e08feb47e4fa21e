//! `POST /control/okta/{org}/seed`: people and access, written as one document.
//!
//! Objects are told apart by `id`; without one they get one. References are ids, or the login of a user, the name of a
//! group, rule or identity provider, the label of an app. Everything is looked up before anything hangs on it, so the
//! order inside the document does not matter, and a document can add to what is there.

mod access;
mod app_document;
mod document;
pub mod names;
mod plant;
mod plant_app;

pub use access::role_of;
pub use app_document::SeedApp;
pub use document::{
    SeedApiToken, SeedClient, SeedDevice, SeedDocument, SeedFactor, SeedGrant, SeedGroup, SeedIdp,
    SeedLinked, SeedMembership, SeedRole, SeedToken, SeedUser,
};
pub use plant::plant;
