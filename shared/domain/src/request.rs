//! Requests: what a source asked for, and what became of it.

use crate::text_enum::text_enum;

text_enum! {
    /// The way by which a request came in.
    pub enum Channel {
        /// A message on `sever.in`.
        Amqp = "amqp",
        /// `POST` to the intake service.
        Http = "http",
        /// An operator, through the console.
        Console = "console",
    }
}

text_enum! {
    /// What has become of a request.
    pub enum RequestState {
        /// It belongs to an opt-out.
        Attached = "attached",
        /// Nobody known has this key yet; it is tried again.
        Unmatched = "unmatched",
        /// A person must say whom it means.
        Held = "held",
        /// It changed the directory and asks for no removal (a rehire, a cancelled leave).
        Recorded = "recorded",
        /// A newer event, or a person, made it moot.
        Closed = "closed",
    }
}
