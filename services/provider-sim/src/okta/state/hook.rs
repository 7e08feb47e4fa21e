//! Event hooks and inline hooks.

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookKind {
    /// Told of events after they happened.
    Event,
    /// Asked during a flow.
    Inline,
}

/// A hook.
#[derive(Debug, Clone)]
pub struct Hook {
    /// Its id.
    pub id: String,
    /// Which of the two.
    pub kind: HookKind,
    /// Its name.
    pub name: String,
    /// `channel.config.uri`.
    pub uri: String,
    /// Events of an event hook; the type of an inline hook.
    pub events: Vec<String>,
    /// Whether it is called.
    pub active: bool,
    /// Milliseconds since the Unix epoch.
    pub created: i64,
    /// The app whose it really is; no call shows this.
    pub app: Option<String>,
}
