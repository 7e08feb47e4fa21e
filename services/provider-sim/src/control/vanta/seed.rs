//! `POST /control/vanta/{tenant}/seed`: people and access, written as one document.
//!
//! Objects are told apart by `id`; without one they get one. References are ids, or the e-mail of a person or user, or
//! the name of a group. A document can add to what is there.

mod document;
mod plant;

pub use document::{SeedAccount, SeedDocument, SeedGroup, SeedPerson, SeedUser};
pub use plant::plant;
