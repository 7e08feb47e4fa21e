//! The way of a call through an instance of a provider: route, faults, admission, handler, journal.
//!
//! A provider that is an [`Instance`] gets faults, journal and endings of calls from here and writes its handlers only.

mod call;
mod instances;
mod ordered;
mod pipeline;
mod repeats;
mod route;
mod window;

pub use call::Call;
pub use instances::Instances;
pub use pipeline::serve;
pub use repeats::PageRepeats;
pub use route::{Route, read, write};
pub use window::{Window, WindowSettings};

use crate::exchange::Reply;

/// One simulated instance of a provider: a SCIM application, an OIDC realm.
pub trait Instance: Send + Sized + 'static {
    /// The provider's name in paths, in the journal and in fault rules.
    const PROVIDER: &'static str;
    /// A refusal in the provider's own terms.
    type Refusal;

    /// Every endpoint.
    fn routes(&self) -> &'static [Route<Self>];

    /// The request id of the next call.
    fn next_request_id(&mut self) -> String;

    /// The user that a call concerns, for the journal and the fault rules.
    fn target(&self, route: &Route<Self>, call: &Call) -> Option<String>;

    /// Limits and credential; names the caller in `call.principal`.
    ///
    /// # Errors
    /// The provider's refusal.
    fn admit(&mut self, route: &Route<Self>, call: &mut Call) -> Result<(), Self::Refusal>;

    /// The provider's own refusal with this status.
    fn refusal(status: u16) -> Self::Refusal;

    /// A refusal as an answer.
    fn answer_of(&self, refusal: &Self::Refusal) -> Reply;

    /// `reply` with the headers that every answer of the provider has.
    fn dressed(&self, reply: Reply, call: &Call) -> Reply;
}
