//! The endpoints, one file for each kind of resource.

pub mod discovery;
pub mod groups;
pub mod lists;
mod resources;
pub mod users;
