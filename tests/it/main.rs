//! The house rules, and the fleet of real binaries.

#![allow(clippy::unwrap_used, missing_docs)] // a failed unwrap is a failed test; tests need no page

mod crash;
mod decisions;
mod faults;
mod guards;
mod house;
mod leaver;
mod vanta;
mod way_back;
mod way_back_everywhere;
