//! The house rules, and the fleet of real binaries.

#![allow(clippy::unwrap_used, missing_docs)] // a failed unwrap is a failed test; tests need no page

mod checklist;
mod clock;
mod crash;
mod dead_letters;
mod decisions;
mod drift;
mod entra;
mod faults;
mod guards;
mod house;
mod leaver;
mod restore_command;
mod situations;
mod soak;
mod storm;
mod vanta;
mod way_back;
mod way_back_everywhere;
