//! `POST /control/entra/{tenant}/seed`: people, applications and access, written as one document.
//!
//! Objects are told apart by `id`; without one they get one. References are ids, the user principal name of a user, the
//! name of a group or application. Everything is planted bare before anything hangs on it, so the order inside the
//! document does not matter, and a document can add to what is there.

mod access;
mod document;
mod names;
mod objects;
mod plant;

pub use document::{
    SeedApplication, SeedAzure, SeedDevice, SeedDocument, SeedGrant, SeedGroup, SeedGroupKind,
    SeedManagementGroup, SeedPim, SeedRole, SeedSecret, SeedSubscription, SeedUser,
};
pub use names::{principal, role};
pub use plant::plant;
