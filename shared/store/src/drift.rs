//! The comparison of a loaded run with what should be, in set-based SQL: findings are opened, seen again and closed, and the
//! run becomes its connection's newest inventory, all in one transaction.
//!
//! The statements over the rows of a run stand in files beside this one. They name the run by its number, because what makes a table
//! takes no parameters, and work on temporary tables that end with the transaction.

mod compare;
mod judged;
mod standing;

pub use compare::{Compared, Opened, compare};
pub(crate) use judged::count_rows;
pub use judged::{give_up, release};
pub(crate) use standing::is_stale;
pub use standing::{RECONCILER, standing};
