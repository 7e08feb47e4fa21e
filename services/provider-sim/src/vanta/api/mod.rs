//! The endpoints, one file for each family.

mod bulk;
pub mod computers;
pub mod group_people;
pub mod groups;
pub mod integration_resources;
pub mod integrations;
pub mod leave;
pub mod not_people;
pub mod offboard;
pub mod people;
pub mod resources;
pub mod users;
