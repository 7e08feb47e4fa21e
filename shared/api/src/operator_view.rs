//! The smaller views of the operator API, one file for each family.

mod audit;
mod overview;
mod protected;
mod rejected;
mod source;
mod token;
mod unmatched;

pub use audit::{AuditEventView, AuditList};
pub use overview::{DeadJobView, OverviewView, WorkerView};
pub use protected::{CreatedId, ProtectedBody, ProtectedList, ProtectedView};
pub use rejected::{RejectedPage, RejectedView};
pub use source::{SourceBody, SourceList, SourceView};
pub use token::{CreatedToken, TokenBody, TokenList, TokenView};
pub use unmatched::{UnmatchedPage, UnmatchedView};
