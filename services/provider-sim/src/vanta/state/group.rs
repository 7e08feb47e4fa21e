//! Groups of people, which carry sets of tasks.

/// A group.
#[derive(Debug, Clone)]
pub struct Group {
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created: i64,
    /// Imported from an identity provider.
    pub imported: bool,
}
