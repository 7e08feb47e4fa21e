//! The endpoints, one file for each family.

pub(crate) mod audit;
pub(crate) mod capabilities;
pub(crate) mod connections;
pub(crate) mod dead_letters;
pub(crate) mod drift;
pub(crate) mod exceptions;
pub(crate) mod holds;
pub(crate) mod integrations;
pub(crate) mod opt_outs;
pub(crate) mod overview;
pub(crate) mod people;
pub(crate) mod people_import;
pub(crate) mod plans;
pub(crate) mod protected;
pub(crate) mod rejected;
pub(crate) mod replays;
pub(crate) mod sources;
pub(crate) mod subject_status;
pub(crate) mod tasks;
pub(crate) mod tokens;
pub(crate) mod unmatched;
pub(crate) mod way_back;
