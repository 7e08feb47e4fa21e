//! The state of one simulated tenant, and the side effects that are documented for changes to it.

mod azure;
mod effects;
mod guards;
mod lag;
mod lookup;
mod record;
mod store;
mod tenant;

pub use azure::OWNER_ROLE;
pub use guards::{Ruled, ruled_by};
pub use lag::{Lag, Replica};
pub use lookup::Kind;
pub use record::{Record, flag, list, number, record, text};
pub use store::{Row, Table};
pub use tenant::{AccessToken, Audience, Tenant, guid};
