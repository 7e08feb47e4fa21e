//! Replays: which dead letters a person sends back to work, and how far that has come.
//!
//! A replay is rows, so that whatever process is killed, another one goes on from them: [`order`] stores the members,
//! [`drive`] moves each running replay one step, [`find`] and [`list`] show where it stands.

mod drive;
mod order;
mod view;

pub use drive::{Driven, drive};
pub use order::{Bounds, MEMBERS_MAX, OrderError, Part, Plan, Selection, foresee, order, stop};
pub use view::{MemberCount, MemberRow, ReplayFacts, find, list, members};
